"""The OpenAPI document: what FastAPI says of the routes, and that every error is a problem."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from bitreel.server.problems import MEDIA_TYPE


def describe(app: FastAPI) -> None:
    """Let an app describe itself so."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            for operations in document["paths"].values():
                for operation in operations.values():
                    _correct(operation["responses"])
        return plain()

    app.openapi = openapi  # type: ignore[method-assign]


def _correct(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if int(status) >= 400:
            for content in list(response.get("content", {}).values()):
                response["content"] = {MEDIA_TYPE: content}
