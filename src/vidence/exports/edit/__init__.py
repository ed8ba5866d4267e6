"""Lists of clips for editing programs: OTIO, CMX 3600 EDL, FCPXML, ALE and CSV, to the frame."""

from vidence.exports.edit.clip import Clip, EditList, Reel
from vidence.exports.edit.grid import Grid, cut
from vidence.exports.edit.timecode import Rate, standard_rate
from vidence.exports.edit.writer import EDIT_FORMATS, by_rate, write_edit

__all__ = [
    "EDIT_FORMATS",
    "Clip",
    "EditList",
    "Grid",
    "Rate",
    "Reel",
    "by_rate",
    "cut",
    "standard_rate",
    "write_edit",
]
