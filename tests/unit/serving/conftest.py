"""A server in this process, with a tiny model on drawn people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_photos import write_drawn_photo
from PIL import Image

from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Segmentation
from skinfw.inference.inpainter import Inpainter
from skinfw.serving.limits import Limits
from skinfw.serving.models import ServedModel
from skinfw.serving.server import Server
from skinfw.serving.worker import Worker
from skinfw_plugins.datasets.mannequin import draw_person
from skinfw_plugins.pose_encoders.openpose import OpenposePoseEncoder
from skinfw_plugins.segmenters.config import DeepfashionConfig
from skinfw_plugins.segmenters.deepfashion import DeepfashionSegmenter

Serve = Callable[..., Any]
SIZE = (192, 128)
PERSON = 1


class Known(DeepfashionSegmenter):
    """Gives every photo the label map of the drawn person."""

    labels: Path

    def segment(self, photo: Photo) -> Segmentation:
        return self.read(self.labels, photo)

    def sources(self, photo: Path) -> tuple[Path, ...]:
        return ()


class KnownPose(OpenposePoseEncoder):
    """Finds in every photo the pose of the drawn person."""

    def people(self, photo: Photo) -> list[Keypoints]:
        return [Keypoints(draw_person(PERSON, photo.size).points)]


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn photo, with its label map beside it."""
    return write_drawn_photo(tmp_path_factory.mktemp("served") / "anna.png", PERSON, SIZE)


@pytest.fixture(scope="session")
def inpainter(
    make_run: Callable[..., Any], photo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Inpainter:
    """A model with random weights that knows the drawn person."""
    data = {
        "dataset": {"type": "mannequins", "count": 6},
        "size": [32, 16],
        "inputs": ["apparel_head_foot", "line", "segmentation_skin", "face", "mask"],
    }
    run = make_run(tmp_path_factory.mktemp("run") / "tiny", data=data, composite="mask")
    made = Inpainter.load(run.folder, device="cpu", segmenter="deepfashion", pose_encoder="openpose")
    made.segmenter = Known(DeepfashionConfig(), None)
    made.segmenter.labels = photo.with_name("anna_segment.png")
    made.pose_encoder = KnownPose(made.pose_encoder.config, None)
    return made


@pytest.fixture(scope="session")
def arms(inpainter: Inpainter, photo: Path) -> np.ndarray:
    """The skin of that person away from the trunk, bool ``(192, 128)``."""
    from skinfw.data.trunk import trunk_of_pose

    opened = Photo.read(photo)
    labels = inpainter.segmenter.segment(opened)
    trunk = trunk_of_pose(inpainter.pose_encoder.keypoints(opened), opened.size)
    assert trunk is not None
    found: np.ndarray = labels.region("skin") & ~trunk
    return found


@pytest.fixture(scope="session")
def mask(arms: np.ndarray, photo: Path) -> Path:
    """That skin as a mask file."""
    path = photo.with_name("mask.png")
    Image.fromarray(arms.astype(np.uint8) * 255).save(path)
    return path


@pytest.fixture(scope="session")
def serve(inpainter: Inpainter) -> Serve:
    """Run a server in a thread, as a context; keywords are those of `Server` and `Limits`."""

    @contextmanager
    def serving(token: str | None = None, painter: Any = None, **limits: float) -> Iterator[Server]:
        bounds = Limits(**limits)  # type: ignore[arg-type]
        models = [
            ServedModel(name, painter or inpainter, Worker(name, bounds.waiting))
            for name in ("tiny", "other")
        ]
        with Server(models, token=token, limits=bounds) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield server
            finally:
                server.stop()
                thread.join(timeout=60)
                assert not thread.is_alive()

    return serving


class Recorder:
    """Paints as a model does, and keeps the masks that it was given."""

    def __init__(self, inner: Inpainter) -> None:
        self.inner = inner
        self.masks: list[np.ndarray] = []

    def paint(self, photo: Any, mask: Any = None, **options: Any) -> Any:
        if mask is not None:
            self.masks.append(np.asarray(mask.image.convert("L")) > 127)
        return self.inner.paint(photo, mask, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.fixture(scope="package")
def recorder(inpainter: Inpainter) -> Recorder:
    """What the server at `address` paints with."""
    return Recorder(inpainter)


@pytest.fixture(scope="package")
def address(serve: Serve, recorder: Recorder) -> Iterator[str]:
    """The address of a server that runs."""
    with serve(painter=recorder) as server:
        yield server.address
