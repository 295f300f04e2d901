from __future__ import annotations

import gc
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from skinfw.errors import UserError
from skinfw_plugins.networks.mediapipe_task import image_of, load_task


class Owner:
    pass


class Task:
    """Stands in for one of MediaPipe's tasks."""

    def __init__(self, options: Any, error: Exception | None = None) -> None:
        self.options, self.error = options, error
        self.closed = 0
        self._handle: object = self

    def close(self) -> None:
        self.closed += 1
        if self.error is not None:
            raise self.error


def loaded(owner: object, model: Path, create: Any) -> Any:
    task = SimpleNamespace(create_from_options=create)
    return load_task(
        owner, task, partial(SimpleNamespace, people=3), model, "pose landmarker", "get its site"
    )


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "größe.task"
    path.write_bytes(b"content")
    return path


@pytest.mark.parametrize("error", [None, RuntimeError("cannot schedule new futures after shutdown")])
def test_a_task_has_its_content_and_is_closed_with_its_owner(model: Path, error: Exception | None) -> None:
    owner = Owner()
    task = loaded(owner, model, partial(Task, error=error))
    assert task.options.people == 3 and task.options.base_options.model_asset_buffer == b"content"
    assert task.closed == 0
    del owner
    gc.collect()
    assert task.closed == 1
    # MediaPipe closes a task once more when its handle is there yet
    assert (task._handle is None) == (error is not None)


@pytest.mark.parametrize("kind", [ValueError, RuntimeError, OSError])
def test_what_mediapipe_says_is_one_line(model: Path, kind: type[Exception]) -> None:
    def reject(_: Any) -> None:
        raise kind("no FlatBuffer\nat line 5")

    told = r"größe\.task: not a pose landmarker that MediaPipe can load: no FlatBuffer; get its site$"
    with pytest.raises(UserError, match=told):
        loaded(Owner(), model, reject)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.task: not a pose landmarker that MediaPipe can load"):
        loaded(Owner(), tmp_path / "none.task", Task)


def test_an_image_that_is_a_view_of_another() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 8, 3)).astype(np.uint8)
    assert np.array_equal(image_of(pixels[::2, ::-1]).numpy_view(), pixels[::2, ::-1])
