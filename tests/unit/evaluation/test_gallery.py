"""The images of an evaluation as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from skinfw.errors import RunError
from skinfw.evaluation.examples import Example, Part
from skinfw.evaluation.gallery import replacing_gallery

KINDS = {"output": "inpainted", "line": "input"}


def example(name: str, rank: Any, size: tuple[int, int] = (6, 4)) -> Example:
    noise = np.random.default_rng(len(name)).integers(0, 256, (2, *size, 3), np.uint8)
    output, line = (Part(kind, image) for kind, image in zip(KINDS.values(), noise, strict=True))
    return Example(name, rank, {"output": output, "line": replace(line, main=False)})


def pixels(path: Path) -> Any:
    return np.asarray(Image.open(path).convert("RGB"))


def test_every_example_is_a_lossless_strip_and_those_with_a_rank_are_single_images(tmp_path: Path) -> None:
    folder = tmp_path / "test"
    folder.mkdir()
    (folder / "best-9-output.png").write_bytes(b"of an earlier evaluation")
    seen: list[int] = []
    examples = [example("../é?#", "best"), example("ben", None), example("cleo", "worst")]
    with replacing_gallery(examples, folder, seen.append) as gallery:
        assert [path.name for path in folder.iterdir()] == [
            "best-9-output.png"
        ]  # until the report is written
    assert [path.name for path in tmp_path.iterdir()] == ["test"]
    assert seen == [1, 2, 3]
    assert (gallery.parts, gallery.main, gallery.size) == (KINDS, 1, (6, 4))
    assert list(gallery.files) == ["../é?#", "ben", "cleo"]
    assert [each.rank for each in gallery.examples] == ["best", "worst"]
    for each, file in zip(examples, gallery.files.values(), strict=True):
        images = [part.image for part in each.parts.values()]
        assert np.array_equal(pixels(file), np.concatenate(images, axis=1))
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*")) == [
        "best-1-line.png", "best-1-output.png", "gallery/0001.webp", "gallery/0002.webp", "gallery/0003.webp",
        "worst-1-line.png", "worst-1-output.png",
    ]  # fmt: skip
    assert np.array_equal(pixels(folder / "worst-1-line.png"), examples[2].parts["line"].image)


def test_large_images_are_reduced_in_the_strip_alone(tmp_path: Path) -> None:
    with replacing_gallery([example("anna", "best", (1024, 600))], tmp_path / "test") as gallery:
        assert gallery.size == (512, 300)
    assert pixels(gallery.files["anna"]).shape == (512, 600, 3)
    assert pixels(tmp_path / "test" / "best-1-output.png").shape == (1024, 600, 3)


def test_many_images_fit_the_widest_file(tmp_path: Path) -> None:
    part = Part("input", np.zeros((300, 500, 3), np.uint8))
    examples = [Example("anna", None, {str(place): part for place in range(40)})]
    with replacing_gallery(examples, tmp_path / "test") as gallery:
        pass
    assert pixels(gallery.files["anna"]).shape == (gallery.size[0], 40 * gallery.size[1], 3)
    assert 400 < gallery.size[1] <= 16383 // 40


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(RunError, match="cannot be written"),
        replacing_gallery([example("anna", None)], tmp_path / "file" / "test"),
    ):
        pytest.fail("nothing can be written")


def test_an_error_before_the_report_is_written_keeps_the_old_images(tmp_path: Path) -> None:
    folder = tmp_path / "test"
    with replacing_gallery([example("anna", "best")], folder):
        pass
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    with (
        pytest.raises(KeyboardInterrupt),
        replacing_gallery([example("ben", "best"), example("cleo", None)], folder),
    ):
        raise KeyboardInterrupt
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before
