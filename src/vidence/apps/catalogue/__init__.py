"""Catalogue a shoot or an archive: what each shot is, found again by words, picture, example or dialogue."""

from vidence.apps.catalogue.catalogue import Catalogue, catalogue
from vidence.apps.catalogue.retrieval import Found, Query, edit_list, find
from vidence.apps.catalogue.vocabulary import Vocabulary

__all__ = ["Catalogue", "Found", "Query", "Vocabulary", "catalogue", "edit_list", "find"]
