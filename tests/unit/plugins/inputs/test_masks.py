"""The masks among the inputs, on a drawn person and on a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skinfw.assembly.build import build
from skinfw.components.field_names import MASK, SKIN
from skinfw.components.reference import use
from skinfw.components.registry import installed
from skinfw.data.keypoints import BODY_25
from skinfw.data.sample_folder import FolderParts
from skinfw.interfaces import Input
from skinfw.testing import check_component, check_input, example_parts

NAMES = installed().names("input")


@pytest.mark.parametrize("name", NAMES)
def test_the_contract(name: str) -> None:
    check_component(installed(), "input", name)
    reference = use("input", name)
    check_input(type(build(reference, Input)), reference.config)  # type: ignore[arg-type]


def read(name: str, parts: object) -> np.ndarray | None:
    field = build(use("input", name), Input).read(parts)  # type: ignore[arg-type]
    return None if field is None else field.value


def test_arms_and_hands_are_the_skin_along_the_pose() -> None:
    parts = example_parts((64, 48))
    arms, hands = read("arms", parts), read("hands", parts)
    assert arms is not None and hands is not None
    # the right arm of the drawn person has elbow and wrist, the left one has neither
    points = {name: parts.pose.points[BODY_25.index(name)] for name in ("RElbow", "RWrist", "Neck")}  # type: ignore[union-attr]
    assert arms.any() and not (arms & ~parts.skin).any() and not (arms & hands).any()
    x, y, _ = points["RElbow"]
    assert arms[round(float(y)), round(float(x))]
    middle = int(points["Neck"][0])
    assert not arms[:, middle:].any()


def test_nothing_is_known_without_pose_or_skin() -> None:
    parts = example_parts((64, 48))
    assert read("arms", replace(parts, pose=None)) is None
    assert read("face", replace(parts, pose=None)) is not None  # the label map has a face
    assert read("heatmaps", replace(parts, pose=None)) is None
    assert read("line", replace(parts, pose=None, line=None)) is None


def test_the_inpainting_mask_is_the_person_without_what_is_kept() -> None:
    parts = example_parts((64, 48))
    mask = read("mask", parts)
    assert mask is not None
    assert (mask == (parts.labels.person & ~parts.keep)).all() and (
        mask & parts.skin
    ).sum() == parts.skin.sum()


@pytest.fixture
def folder(tmp_path: Path, write_samples: Callable[..., list[Path]]) -> Path:
    """A folder as the report has them: nothing says what was erased."""
    (sample,) = write_samples(tmp_path, ["anna"])
    (sample / f"{MASK}.png").unlink()
    return sample


def test_a_folder_without_a_mask_may_be_painted_on_the_skin_and_a_margin(folder: Path) -> None:
    skin = np.asarray(Image.open(folder / f"{SKIN}.png").convert("L")) > 127
    for margin in (0, 2):
        parts = FolderParts(folder, margin)
        rows, columns = np.nonzero(skin)
        near = np.zeros_like(skin)
        y, x = np.mgrid[: skin.shape[0], : skin.shape[1]]
        for row, column in zip(rows, columns, strict=True):
            near |= (y - row) ** 2 + (x - column) ** 2 <= (margin + 0.5) ** 2
        mask = parts.inpainting_mask()
        assert (mask & ~near).sum() == 0 and (skin & ~mask).sum() == 0
        assert not (mask & parts.keep & ~skin).any()
        assert (mask.sum() > skin.sum()) == (margin > 0)


def test_a_folder_without_skin_may_be_painted_wherever_nothing_is_kept(folder: Path) -> None:
    (folder / f"{SKIN}.png").unlink()
    parts = FolderParts(folder)
    assert (parts.inpainting_mask() == ~parts.keep).all()


def test_a_mask_in_the_folder_is_what_counts(folder: Path) -> None:
    drawn = np.zeros((32, 32), np.uint8)
    drawn[20:24, 3:9] = 255
    Image.fromarray(drawn).save(folder / f"{MASK}.png")
    assert (FolderParts(folder, 5).inpainting_mask() == (drawn > 0)).all()
