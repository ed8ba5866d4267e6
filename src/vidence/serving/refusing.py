"""A request that is refused: with which status, why, and when to come again. All errors have one body, as OpenAI's."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from starlette.exceptions import HTTPException

from vidence.errors import MediaError, UsageError, VidenceError, WeightsError

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}


class Refused(HTTPException):
    """Ends a request with a status and a message; `retry_s` tells when it may be sent again."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        retry_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        told = dict(headers or {})
        if retry_s is not None:
            told["Retry-After"] = str(max(1, ceil(retry_s)))
        super().__init__(status, message, told or None)

    def __str__(self) -> str:
        return self.detail


def body(status: int, message: str) -> dict[str, Any]:
    """Return what is sent of an error."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "code": None}}


def status_of(error: VidenceError) -> int:
    """Return the status that fits an error of the library."""
    if isinstance(error, UsageError):
        return 400
    if isinstance(error, MediaError):
        return 422
    return 503 if isinstance(error, WeightsError) else 500


def busy(what: str, retry_s: float = 10) -> Refused:
    """Return the refusal of what has to wait."""
    return Refused(429, f"{what}; try again later", retry_s=retry_s)
