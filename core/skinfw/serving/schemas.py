"""What requests and responses contain: the models behind the OpenAPI description."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import File, Form
from pydantic import BaseModel, Field

REPORT_HEADER = "Skinfw-Report"
"""Header of a PNG: the report as JSON."""


RepairStep = Literal["restore", "tone", "paint"]
"""The steps of `skinfw.repair.repair`, which brings torch."""


class Problem(BaseModel):
    """Why a request failed."""

    error: str = Field(description="what is wrong, and what to do")


class Result(BaseModel):
    """An image with its report."""

    report: dict[str, Any] = Field(description="what was done")
    image: str = Field(description="PNG, in base64")
    more: dict[str, str] = Field(description="other images by name, PNG in base64")


class Health(BaseModel):
    """The state of the server."""

    status: Literal["ok"] = "ok"
    version: str
    jobs: int = Field(description="jobs that run or wait")


class ModelInfo(BaseModel):
    """A model."""

    name: str
    size: tuple[int, int] = Field(description="height and width that it was trained at, in pixels")
    inputs: list[str] = Field(description="the images that it sees")
    finds_skin: bool = Field(description="whether it finds the skin in a region by itself")
    jobs: int = Field(description="jobs that run or wait for it")


class Models(BaseModel):
    """The models; the first is the default."""

    models: list[ModelInfo]


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The request cannot be read."},
    401: {"model": Problem, "description": "The server's token is missing or wrong."},
    403: {"model": Problem, "description": "Another site's page, or another host name."},
    404: {"model": Problem, "description": "Unknown model."},
    408: {"model": Problem, "description": "The request took too long to arrive."},
    413: {"model": Problem, "description": "The request is too large."},
    415: {"model": Problem, "description": "The body is not a form."},
    422: {"model": Problem, "description": "An image or a value cannot be used."},
    500: {"model": Problem, "description": "The server failed."},
    503: {"model": Problem, "description": "Too much to do; Retry-After says when to try again."},
}
IMAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Result,
        "description": f"A PNG, with the report as JSON in the header {REPORT_HEADER}; or JSON, if Accept "
        "names application/json and not image/png.",
        "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
    },
    **ERRORS,
}
PHOTO = File(description="the photo: PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF")
MODEL = Form(description="a name from /v1/models. Default: the first one")
