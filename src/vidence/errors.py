"""Errors a user can act on. Each says what was wrong, where, and what to do; each kind has one exit code."""


class VidenceError(Exception):
    """Base of every error that Vidence raises on purpose; `exit_code` is what the command line returns."""

    exit_code = 70


class UsageError(VidenceError):
    """The request itself makes no sense: an empty question, an unknown format, a time past the end."""

    exit_code = 2


class MediaError(VidenceError):
    """The file, URL or stream cannot be opened or holds nothing that can be decoded."""

    exit_code = 3


class WeightsError(VidenceError):
    """A model's weights are missing, cannot be fetched, or do not have the pinned hash."""

    exit_code = 4


class StoreError(VidenceError):
    """The memory file cannot be read or written: disk full, locked, damaged, not permitted."""

    exit_code = 5


class EndpointError(VidenceError):
    """A model server cannot be reached, refuses the request, or does not answer as it was asked to."""

    exit_code = 6
