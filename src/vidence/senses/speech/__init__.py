"""Hear what is said, and write it down with times."""

from vidence.senses.speech.recogniser import Recogniser, Transcript, Word
from vidence.senses.speech.speech import Speech

__all__ = ["Recogniser", "Speech", "Transcript", "Word"]
