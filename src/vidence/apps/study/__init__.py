"""Study lectures and tutorials: chapters, slides, knowledge points, a concept map, summaries, a quiz, cards."""

from vidence.apps.study.study import Study, study

__all__ = ["Study", "study"]
