"""Every error as problem+json (RFC 9457): what happened, what to do, and no trace of the code."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from bitreel.errors import (
    BitreelError,
    ConfigError,
    DataError,
    LibraryError,
    ModelChanged,
    NotInLibrary,
    VideoError,
    VideoTooLarge,
)

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """RFC 9457. type: a word for the kind, from the one error tree."""

    type: str
    title: str
    status: int
    detail: str


# The first that fits.
_STATUS: tuple[tuple[type[BitreelError], int], ...] = (
    (NotInLibrary, 404),
    (VideoTooLarge, 413),
    (VideoError, 422),
    (ConfigError, 422),
    (DataError, 422),
    (ModelChanged, 503),
    (LibraryError, 503),
    (BitreelError, 500),
)


def install(app: FastAPI) -> None:
    """Let an app answer every error as a problem."""

    @app.exception_handler(BitreelError)
    def known(_: Request, error: BitreelError) -> JSONResponse:
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        return problem(status, str(error), kind_of(error))

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        told = "; ".join(
            f"{'.'.join(map(str, one['loc'][1:])) or one['loc'][0]}: {one['msg']}"
            for one in error.errors()
        )
        return problem(422, told, "InvalidRequest")

    @app.exception_handler(HTTPException)
    def http(_: Request, error: HTTPException) -> JSONResponse:
        return of_http(error)

    @app.exception_handler(Exception)
    def unknown(_: Request, error: Exception) -> JSONResponse:
        return problem(500, "An error in bitreel; the server's log has more.", "Bug")


def kind_of(error: BitreelError) -> str:
    """The nearest name in the one error tree: others are of one module, and tell no caller."""
    return next(
        kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "bitreel.errors"
    )


def of_http(error: HTTPException) -> JSONResponse:
    answer = problem(error.status_code, str(error.detail), "HttpError")
    answer.headers.update(error.headers or {})
    return answer


def problem(status: int, detail: str, kind: str) -> JSONResponse:
    body = Problem(type=kind, title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, media_type=MEDIA_TYPE)
