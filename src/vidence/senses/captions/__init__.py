"""What moments show, in a sentence each: the standard tier's captioner."""

from vidence.senses.captions.captioner import Caption, Captioner
from vidence.senses.captions.florence import Florence
from vidence.senses.captions.sense import Captions

__all__ = ["Caption", "Captioner", "Captions", "Florence"]
