"""Errors of the HTTP interface, and what to do about them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from skinfw.components.strict_model import nearest
from skinfw.components.validation_errors import plain
from skinfw.errors import SkinfwError, UserError, counted
from skinfw.serving.guard import RETRY_SECONDS
from skinfw.serving.schemas import Problem
from skinfw.serving.worker import BusyError, ClientLeftError, StoppedError

logger = logging.getLogger("skinfw")


def handle_errors(app: FastAPI) -> None:
    """Respond to every error with a `Problem`."""

    def problem(status: int, error: str, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse(Problem(error=error).model_dump(), status, headers)

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        return problem(error.status_code, _http_text(request, error, headers), headers)

    @app.exception_handler(RequestValidationError)
    async def of_values(_: Request, error: RequestValidationError) -> Response:
        found = error.errors()[0]
        where = ".".join(str(part) for part in found["loc"][1:])
        # texts are accepted by all fields but those of images
        is_text = found["type"] == "value_error" and isinstance(found["input"], str)
        as_file = f"a text; send the image as a file, with curl: -F {where}=@FILE"
        what = as_file if is_text else plain(found["msg"])
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{where}: {what}")

    @app.exception_handler(SkinfwError)
    async def of_skinfw(_: Request, error: SkinfwError) -> Response:
        if isinstance(error, UserError):
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        logger.error("%s", error)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))

    @app.exception_handler(BusyError)
    async def of_queue(_: Request, error: BusyError) -> Response:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        text = f"too many jobs wait; try again in {counted(RETRY_SECONDS, 'second')}"
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, text, headers)

    @app.exception_handler(StoppedError)
    async def of_end(_: Request, error: StoppedError) -> Response:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "the server is stopping")

    @app.exception_handler(ClientLeftError)
    async def of_client(_: Request, error: ClientLeftError) -> Response:
        return Response(status_code=499)  # nobody reads it

    @app.exception_handler(Exception)
    async def of_all(_: Request, error: Exception) -> Response:
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; its log says why")


def form_hint(request: Request) -> str:
    """Return how to send the form of a request's address, with an example."""
    fields = request.scope["route"].dependant.body_params
    required = [field.alias for field in fields if field.field_info.is_required()]
    files = " ".join(f"-F {name}=@{name}.png" for name in required)
    return (
        f"send the images as files of a form (multipart/form-data), for instance: curl {files} "
        f"{request.url.replace(query='')} -o out.png (fields: {', '.join(field.alias for field in fields)})"
    )


def _http_text(request: Request, error: HTTPException, headers: Mapping[str, str]) -> str:
    """Return the text of an error, with advice where Starlette only names the status."""
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.url.path} does not take {request.method}; send a {headers.get('Allow', 'GET')}"
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return f"the form cannot be read ({error.detail.rstrip('.')}); {form_hint(request)}"
    if error.status_code == HTTPStatus.NOT_FOUND and error.detail == HTTPStatus.NOT_FOUND.phrase:
        known = [route.path for route in request.app.routes if "{" not in route.path]
        hint = nearest(request.url.path, known) or ";"
        return f"no such address{hint} /openapi.json describes all addresses"
    return error.detail
