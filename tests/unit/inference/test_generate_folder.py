from __future__ import annotations

import logging
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from skinfw.errors import DataError, RunError, SkinfwError
from skinfw.inference import generate as module
from skinfw.inference import sample_writing
from skinfw.inference.generate import generate_folder
from skinfw.tasks.evaluate_run import evaluate_run

Make = Callable[..., Any]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert image.format == "PNG"
        return np.asarray(image)


def kept_pixels(folder: Path, mask: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a sample's input image, and where the run must not paint, read without skinfw."""
    layers = np.asarray(Image.open(folder / "apparel_head_foot.png"))
    painted = np.asarray(Image.open(folder / f"{mask}.png"))[..., 0] > 127
    return np.where(layers[..., 3:] > 127, layers[..., :3], 255), ~painted


@pytest.mark.parametrize(("composite", "mask"), [("skin", "segmentation_skin"), ("mask", "mask")])
def test_samples_without_their_true_image_are_painted_and_all_else_is_kept(
    make_run: Make, write_samples: Make, tmp_path: Path, composite: str, mask: str
) -> None:
    run = make_run(tmp_path / "run", composite=composite)
    folders = write_samples(tmp_path / "in", ["b", "deep/a", "c"], body=False)
    told: list[tuple[int, int]] = []
    written = generate_folder(
        run, tmp_path / "in", tmp_path / "out", batch_size=2, progress=lambda *at: told.append(at)
    )
    assert written == [tmp_path / "out" / f"{name}.png" for name in ("b", "c", "deep/a")]
    for folder, name in zip(folders, ("b", "deep/a", "c"), strict=True):
        image, (base, kept) = pixels(tmp_path / "out" / f"{name}.png"), kept_pixels(folder, mask)
        assert np.array_equal(image[kept], base[kept])
        assert (image[~kept] != base[~kept]).any()
    assert told == [(2, 3), (3, 3)]


def test_the_same_image_comes_out_as_in_the_evaluation(
    make_run: Make, write_samples: Make, tiny_spec: Make, tmp_path: Path
) -> None:
    write_samples(tmp_path / "in", [f"p{index}" for index in range(12)])
    data = {**tiny_spec()["data"], "dataset": {"type": "folder", "root": str(tmp_path / "in")}}
    data |= {"test_fraction": 0.5, "validation_fraction": 0}
    run = make_run(tmp_path / "run", data=data, baselines=["opencv_inpaint"])
    found = evaluate_run(run)
    generate_folder(run, tmp_path / "in", tmp_path / "out", batch_size=5)
    shown = pixels(run.samples_folder / "test" / "best-1-output.png")
    assert any(np.array_equal(pixels(tmp_path / "out" / f"{name}.png"), shown) for name in found.names)


@pytest.mark.parametrize("where", ["in/a", "in/*", "in"])
def test_one_sample_a_glob_and_a_folder_are_accepted(
    make_run: Make, write_samples: Make, tmp_path: Path, where: str
) -> None:
    write_samples(tmp_path / "in", ["a"])
    written = generate_folder(make_run(tmp_path / "run"), tmp_path / where, tmp_path / "out")
    assert written == [tmp_path / "out" / "a.png"]


def test_the_working_directory_can_be_the_sample(
    make_run: Make, write_samples: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = write_samples(tmp_path / "in", ["person"])
    run = make_run(tmp_path / "run")
    monkeypatch.chdir(folder)
    assert generate_folder(run, ".", tmp_path / "out") == [tmp_path / "out" / "person.png"]


def test_images_that_are_there_are_rejected_before_anything_is_painted(
    make_run: Make, write_samples: Make, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    write_samples(tmp_path / "in", ["a", "b"])
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.png").write_bytes(b"mine")
    with pytest.raises(
        RunError, match=r"b\.png: already exists; continue with --resume, replace with --overwrite"
    ):
        generate_folder(run, tmp_path / "in", out)
    assert [path.name for path in out.iterdir()] == ["b.png"]
    generate_folder(run, tmp_path / "in", out, overwrite=True)
    assert pixels(out / "b.png").shape == (32, 32, 3)


def test_corrupt_samples_are_named_and_the_others_go_on(
    make_run: Make, write_samples: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = make_run(tmp_path / "run")
    folders = write_samples(tmp_path / "in", ["a", "b", "c"])
    (folders[1] / "line.png").write_bytes(b"no image")
    with (
        caplog.at_level(logging.WARNING, "skinfw"),
        pytest.raises(DataError, match=r"(?s)1 of 3 samples unusable.*b/line\.png") as caught,
    ):
        generate_folder(run, tmp_path / "in", tmp_path / "out", batch_size=1)
    assert caught.value.exit_code == 2
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.png", "c.png"}
    assert not caplog.messages  # the error names it, and once is enough


def test_of_very_many_corrupt_samples_each_is_named_once(
    make_run: Make, write_samples: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = make_run(tmp_path / "run")
    names = [f"s{number:02}" for number in range(12)]
    for folder in write_samples(tmp_path / "in", names, size=(8, 8)):
        (folder / "line.png").unlink()
    with (
        caplog.at_level(logging.WARNING, "skinfw"),
        pytest.raises(DataError, match="and 2 more; the warnings above name them") as caught,
    ):
        generate_folder(run, tmp_path / "in", tmp_path / "out")
    told = "\n".join([*caplog.messages, str(caught.value)])
    assert [told.count(f"in/{name}") for name in names] == [1] * 12


def test_the_first_corrupt_sample_stops_it_where_that_is_asked(
    make_run: Make, write_samples: Make, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    folders = write_samples(tmp_path / "in", ["a", "b"])
    (folders[0] / "line.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"a/line\.png"):
        generate_folder(run, tmp_path / "in", tmp_path / "out", on_error="fail")
    assert not (tmp_path / "out").exists()


def test_a_missing_input_is_named(make_run: Make, write_samples: Make, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (folder,) = write_samples(tmp_path / "in", ["a"])
    (folder / "segmentation_skin.png").unlink()
    with pytest.raises(DataError, match="segmentation_skin is missing"):
        generate_folder(run, folder, tmp_path / "out")


def test_what_was_written_is_read_back_and_compared(
    make_run: Make, write_samples: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    write_samples(tmp_path / "in", ["a"])

    def broken_disk(image: np.ndarray) -> Image.Image:
        found = image.copy()
        found[0, 0] ^= 1
        return Image.fromarray(found)

    broken = SimpleNamespace(fromarray=broken_disk, open=Image.open)
    monkeypatch.setattr(sample_writing, "Image", broken)
    with pytest.raises(SkinfwError, match=r"a\.png: 1 pixel outside the mask changed"):
        generate_folder(run, tmp_path / "in", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_output_that_cannot_be_written_is_told(
    make_run: Make, write_samples: Make, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    write_samples(tmp_path / "in", ["a"])
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be written"):
        generate_folder(run, tmp_path / "in", tmp_path / "out")


def test_a_larger_sample_is_painted_at_the_size_of_training(
    make_run: Make, write_samples: Make, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    write_samples(tmp_path / "in", ["a"], size=(64, 64))
    (written,) = generate_folder(run, tmp_path / "in", tmp_path / "out")
    assert pixels(written).shape == (32, 32, 3)


@pytest.fixture
def painted(make_run: Make, write_samples: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Paint again after an interruption; gives the names that were painted and those that were kept."""
    run = make_run(tmp_path / "run")
    write_samples(tmp_path / "in", ["a", "b", "c"])
    batches: list[str] = []
    inpaint_batches = module.inpaint_batches

    def spy(*args: Any) -> Any:
        for each in inpaint_batches(*args):
            batches.extend(each.batch.names)
            yield each

    monkeypatch.setattr(module, "inpaint_batches", spy)

    def paint(**options: Any) -> list[str]:
        batches.clear()
        written = generate_folder(run, tmp_path / "in", tmp_path / "out", batch_size=2, **options)
        assert [path.stem for path in written] == ["a", "b", "c"]
        assert sorted(tmp_path.joinpath("out").iterdir()) == written
        return list(batches)

    return paint


def test_an_interrupted_generate_goes_on(painted: Any, tmp_path: Path) -> None:
    assert painted(resume=True) == ["a", "b", "c"]
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "out" / "b.png").unlink()
    (tmp_path / "out" / ".b.png.999999999-0.tmp").write_bytes(b"half")
    assert painted(resume=True) == ["b"]
    assert painted(resume=True) == []
    assert painted(overwrite=True) == ["a", "b", "c"]
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_sample_that_changed_is_painted_again(painted: Any, tmp_path: Path) -> None:
    painted()
    (tmp_path / "in" / "b" / "line.png").write_bytes((tmp_path / "in" / "a" / "line.png").read_bytes())
    (tmp_path / "in" / "c" / "body.png").unlink()  # nothing that is painted from
    assert painted(resume=True) == ["b"]


def spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def touch_up(path: Path) -> None:
    """Change a pixel, and keep the text in the file as many programs do."""
    image = Image.open(path)
    text = PngInfo()
    text.add_text("skinfw", image.info["skinfw"])
    image.putpixel((0, 0), (1, 2, 3))
    image.save(path, pnginfo=text)


def become_a_bomb(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)


@pytest.mark.parametrize(
    "change",
    [
        *(spoil, touch_up, become_a_bomb, lambda path: path.write_bytes(b"mine"), "checkpoint"),
        lambda path: Image.open(path).save(path),
    ],
)
def test_images_of_others_are_not_kept(painted: Any, make_run: Make, tmp_path: Path, change: Any) -> None:
    painted()
    if change == "checkpoint":
        (tmp_path / "run").rename(tmp_path / "old")
        make_run(tmp_path / "run", seed=3)
    else:
        change(tmp_path / "out" / "b.png")
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(RunError, match=r"edited, or made by another checkpoint; delete"):
        painted(resume=True)
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    painted(overwrite=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs, which Windows does not have")
def test_a_fifo_in_the_output_is_not_read(painted: Any, tmp_path: Path) -> None:
    painted()
    (tmp_path / "out" / "b.png").unlink()
    os.mkfifo(tmp_path / "out" / "b.png")
    with pytest.raises(RunError, match="edited, or made by another checkpoint"):
        painted(resume=True)


@pytest.mark.parametrize(("size", "fit"), [((128, 128), True), ((100, 104), True), ((128, 64), False)])
def test_samples_of_another_shape_are_refused(
    make_run: Make, write_samples: Make, tmp_path: Path, size: tuple[int, int], fit: bool
) -> None:
    run = make_run(tmp_path / "run")
    height, width = run.spec.data.size
    assert height == width
    write_samples(tmp_path / "in", ["a"], size=size)
    if fit:
        assert len(generate_folder(run, tmp_path / "in", tmp_path / "out")) == 1
        return
    with pytest.raises(DataError, match=r"1 of 1 sample unusable; nothing was written") as caught:
        generate_folder(run, tmp_path / "in", tmp_path / "out")
    for part in ("in/a: 128x64 pixels", "2.00 times as high as wide", "--crop person --aspect 1"):
        assert part in str(caught.value)
    assert not list(tmp_path.glob("out/*"))


def erase_mask(folder: Path, mask: str = "segmentation_skin") -> None:
    path = folder / f"{mask}.png"
    with Image.open(path) as image:
        black = Image.new("L", image.size)
    black.save(path)


@pytest.mark.parametrize(
    ("composite", "mask", "why"),
    [
        ("skin", "segmentation_skin", "segmentation_skin is all black"),
        ("mask", "mask", "their inpainting mask is empty"),
    ],
)
def test_samples_with_nothing_to_paint_are_named(
    make_run: Make,
    write_samples: Make,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    composite: str,
    mask: str,
    why: str,
) -> None:
    run = make_run(tmp_path / "run", composite=composite)
    first, second = write_samples(tmp_path / "in", ["a", "b"])
    erase_mask(first, mask)
    assert len(generate_folder(run, tmp_path / "in", tmp_path / "out")) == 2
    assert f"nothing to inpaint in 1 of 2 samples, because {why}: a" in caplog.text
    erase_mask(second, mask)
    with pytest.raises(DataError, match="nothing to inpaint in 2 of 2 samples"):
        generate_folder(run, tmp_path / "in", tmp_path / "out", overwrite=True)


def test_a_second_call_still_says_that_there_is_nothing_to_paint(
    make_run: Make, write_samples: Make, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    erase_mask(write_samples(tmp_path / "in", ["a"])[0])
    for _ in range(2):
        with pytest.raises(DataError, match="nothing to inpaint in 1 of 1 sample,"):
            generate_folder(run, tmp_path / "in", tmp_path / "out", resume=True)
