"""How an application answers errors: each with its status, and all with one body."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from vidence.errors import VidenceError
from vidence.serving.refusing import body, status_of


def handle_errors(app: FastAPI) -> None:
    """Have an application answer every error with that body."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, fault: HTTPException) -> JSONResponse:
        del request
        return JSONResponse(body(fault.status_code, str(fault.detail)), fault.status_code, fault.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, fault: RequestValidationError) -> JSONResponse:
        del request
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "the request"
        return JSONResponse(body(400, f"{place}: {first['msg']}"), 400)

    @app.exception_handler(VidenceError)
    async def failed(request: Request, fault: VidenceError) -> JSONResponse:
        del request
        status = status_of(fault)
        return JSONResponse(body(status, str(fault)), status)

    @app.exception_handler(Exception)
    async def broke(request: Request, fault: Exception) -> JSONResponse:
        del request
        return JSONResponse(body(500, f"fault in Vidence: {type(fault).__name__}"), 500)
