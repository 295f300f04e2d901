"""The HTTP interface."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, get_args

from fastapi import Depends, FastAPI, File, Form, Request, Response, UploadFile
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException

from skinfw.components.strict_model import nearest
from skinfw.data.image_file import DecodedImage
from skinfw.inference.expose import parse_limbs
from skinfw.serving.jobs import JobResult, find_holes, opened, paint, repair_result
from skinfw.serving.limits import Limits
from skinfw.serving.models import ServedModel
from skinfw.serving.problems import form_hint, handle_errors
from skinfw.serving.schemas import (
    ERRORS,
    IMAGE,
    MODEL,
    PHOTO,
    REPORT_HEADER,
    Health,
    ModelInfo,
    Models,
    RepairStep,
    Result,
)
from skinfw.serving.worker import Worker

PAGE = Path(__file__).parent / "page"
PAGE_FILES = tuple(path.name for path in PAGE.iterdir())


def make_app(models: Sequence[ServedModel], reader: Worker, limits: Limits) -> FastAPI:
    """Return the application, an ASGI callable; `skinfw.serving.server` puts the guard before it.

    Args:
        models: the models; the first is the default.
        reader: reads photos without a model.
        limits: what a request may cost.
    """
    app = FastAPI(
        title="skinfw",
        summary="Paints the skin that is missing in photos.",
        version=version("skinfw"),
        docs_url=None,  # their pages load scripts from the network
        redoc_url=None,
    )
    handle_errors(app)
    _add_state(app, models, reader)
    _add_work(app, models, reader, limits)
    _add_page(app)  # the last: it takes every name that is left
    return app


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    @app.get("/{name}", include_in_schema=False)
    async def page(name: str = "index.html") -> Response:
        """Return a file of the page."""
        if name not in PAGE_FILES:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return FileResponse(PAGE / name)


def _add_state(app: FastAPI, models: Sequence[ServedModel], reader: Worker) -> None:
    @app.get("/health")
    async def health() -> Health:
        """Return whether the server works."""
        jobs = reader.jobs + sum(model.worker.jobs for model in models)
        return Health(version=version("skinfw"), jobs=jobs)

    @app.get("/v1/models", responses={403: ERRORS[403]})
    async def list_models() -> Models:
        """List the models."""
        return Models(models=[ModelInfo(**model.to_json()) for model in models])


def _add_work(app: FastAPI, models: Sequence[ServedModel], reader: Worker, limits: Limits) -> None:
    post = partial(
        app.post, responses=IMAGE, response_class=Response, dependencies=[Depends(_reject_unknown_fields)]
    )

    @post("/v1/holes")
    async def holes(request: Request, photo: Annotated[UploadFile, PHOTO]) -> Response:
        """Find the transparent or flat white holes of a photo; returns a mask, white in the holes."""
        upload = Uploads(limits, photo=photo)
        return await _response(request, reader, lambda: find_holes(upload.image("photo")))

    @post("/v1/paint")
    async def paint_photo(
        request: Request,
        photo: Annotated[UploadFile, PHOTO],
        mask: Annotated[
            UploadFile | None,
            File(description="what to paint, white or transparent, of the photo's size. Default: its holes"),
        ] = None,
        region: Annotated[
            UploadFile | None,
            File(
                description="instead of a mask: a garment to take off, with a thin margin; marked like a mask"
            ),
        ] = None,
        expose: Annotated[
            str | None,
            Form(
                description="instead of a mask: limbs whose clothes to take off, with a thin margin; names "
                "with commas between them: neck, arms (upper_arms, forearms), legs (thighs, lower_legs)"
            ),
        ] = None,
        seed: Annotated[int, Form(ge=0, lt=2**32, description="chooses the fine structure of the skin")] = 0,
        model: Annotated[str | None, MODEL] = None,
    ) -> Response:
        """Paint the missing skin of a photo. All other pixels stay as they are, bit for bit."""
        chosen = _chosen(models, model, finds_skin=region is not None)
        limbs = () if not expose else parse_limbs(expose)
        upload = Uploads(limits, photo=photo, mask=mask, region=region)

        def job() -> JobResult:
            given = {name: upload.image(name) for name in ("mask", "region") if upload.has(name)}
            return paint(chosen.inpainter, upload.image("photo"), expose=limbs, seed=seed, **given)

        return await _response(request, chosen.worker, job)

    @post("/v1/repair")
    async def repair_photo(
        request: Request,
        person: Annotated[UploadFile, File(description="the photo of the person in the old clothes")],
        result: Annotated[UploadFile, File(description="the try-on system's picture of that person")],
        only: Annotated[RepairStep | None, Form(description="take only one step. Default: all three")] = None,
        model: Annotated[str | None, MODEL] = None,
    ) -> Response:
        """Repair the skin in the result of a try-on system with the photo that it was made from."""
        chosen = _chosen(models, model)
        upload = Uploads(limits, person=person, result=result)
        steps = get_args(RepairStep) if only is None else (only,)

        def job() -> JobResult:
            return repair_result(chosen.inpainter, upload.image("person"), upload.image("result"), steps)

        return await _response(request, chosen.worker, job)


class Uploads:
    """The uploaded images of a request; they are decoded in the worker's thread.

    Args:
        limits: the limit of pixels.
        **files: the uploads by the name that errors give them.
    """

    def __init__(self, limits: Limits, **files: UploadFile | None) -> None:
        self._limits = limits
        self._files = {name: file.file for name, file in files.items() if file is not None}

    def has(self, name: str) -> bool:
        """Return whether an image was sent."""
        return name in self._files

    def image(self, name: str) -> DecodedImage:
        """Decode an image.

        Raises:
            DataError: it cannot be used.
        """
        return opened(self._files[name], name, self._limits.max_pixels)


async def _reject_unknown_fields(request: Request) -> None:
    """Reject what FastAPI would ignore: other bodies, unknown and repeated fields, and query parameters.

    Raises:
        HTTPException: the request has such a field.
    """
    known = [field.alias for field in request.scope["route"].dependant.body_params]
    sent = [name for name, _ in (await request.form()).multi_items()]
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the body is not a form; {form_hint(request)}"
        )
    problems = [
        *(f"{name[:100]!r}: send it as a form field, not in the query" for name in request.query_params),
        *(f"{name[:100]!r}: no such field{nearest(name, known)}" for name in sent if name not in known),
        *(f"{name}: sent {sent.count(name)} times; send it once" for name in known if sent.count(name) > 1),
    ]
    if problems:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, problems[0])


def _chosen(models: Sequence[ServedModel], name: str | None, *, finds_skin: bool = False) -> ServedModel:
    """Return the named model, or else the first one that can do the work.

    Raises:
        HTTPException: no model has the name, or it does not find the skin in a region, which is needed.
    """
    finders = [model for model in models if model.inpainter.finds_skin]
    chosen = _named(models, name) if name else next(iter(finders if finds_skin else models), models[0])
    if finds_skin and not chosen.inpainter.finds_skin:
        others = " or ".join(f"model={model.name}" for model in finders)
        advice = f"send {others}, or a mask instead" if finders else "send a mask instead"
        raise HTTPException(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"region: the model {chosen.name} does not find skin in a region; {advice}",
        )
    return chosen


def _named(models: Sequence[ServedModel], name: str) -> ServedModel:
    names = [model.name for model in models]
    if name not in names:
        hint = nearest(name, names) or f"; known: {', '.join(names)}"
        raise HTTPException(HTTPStatus.NOT_FOUND, f"no model is named {name[:100]!r}{hint}")
    return models[names.index(name)]


async def _response(request: Request, worker: Worker, job: Callable[[], JobResult]) -> Response:
    """Run a job and return its image, or with it all as JSON, as the request accepts."""
    done = await worker.run(job, partial(_left, request))
    accept = request.headers.get("accept", "")
    if "application/json" in accept and "image/png" not in accept:
        result = Result(
            report=dict(done.report),
            image=_base64(done.image),
            more={name: _base64(data) for name, data in done.more.items()},
        )
        return JSONResponse(result.model_dump())
    return Response(done.image, media_type="image/png", headers={REPORT_HEADER: json.dumps(done.report)})


async def _left(request: Request) -> None:
    """Return when the client has closed its connection; its request was read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
