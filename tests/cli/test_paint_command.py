from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from onnx_models import write_mean_fill
from PIL import Image

from skinfw.cli import main
from skinfw.data.body_parts import LIMBS
from skinfw.data.parts import dilate


def write_photo(path: Path, seed: int) -> np.ndarray:
    """Write a drawn photo with its label map and pose; return its skin."""
    from drawn_photos import write_drawn_photo

    from skinfw_plugins.segmenters.deepfashion_classes import PALETTES

    write_drawn_photo(path, seed, (96, 64))
    color = next(color for color, name in PALETTES["files"].items() if name == "skin")
    labels = np.asarray(Image.open(path.with_name(f"{path.stem}_segment.png")).convert("RGB"))
    return (labels == color).all(axis=2)


@pytest.fixture
def model(make_run: Callable[..., Any], tmp_path: Path) -> Path:
    for seed in range(3):
        write_photo(tmp_path / "train" / f"p{seed}.png", seed)
    prepare = {"crop": {"aspect": 2}, "num_workers": 1}
    dataset = {"type": "photos", "root": str(tmp_path / "train"), "cache": str(tmp_path / "cache")}
    data = {"dataset": {**dataset, "prepare": prepare}, "size": [32, 16]}
    return Path(make_run(tmp_path / "run", data=data, composite="mask").folder)


def paint(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["paint", *map(str, arguments)])


def test_a_photo_and_a_folder_are_painted(model: Path, tmp_path: Path) -> None:
    photo, mask = tmp_path / "in" / "a.png", tmp_path / "masks" / "a.png"
    skin = write_photo(photo, 5)
    mask.parent.mkdir()
    Image.fromarray(skin).save(mask)
    out, shown = tmp_path / "a.webp", tmp_path / "shown.png"
    done = paint(model, photo, "-o", out, "--mask", mask, "--show-mask", shown, "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert f"{skin.sum():,} pixels painted in {out}" in done.output
    assert np.array_equal(np.asarray(Image.open(out))[~skin], np.asarray(Image.open(photo))[~skin])
    assert np.array_equal(np.asarray(Image.open(shown)) > 0, skin)
    done = paint(model, photo, "-o", out, "--mask", mask)
    assert done.exit_code == 2
    assert "already exists; replace with --overwrite" in done.output
    done = paint(model, photo.parent, "-o", tmp_path / "out", "--mask", mask.parent, "--num-workers", 1)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == "1 painted, 0 kept, 0 failed"
    table = tmp_path / "out" / "painted.jsonl"
    row = json.loads(table.read_text(encoding="utf-8"))
    assert row["status"] == "painted" and row["report"]["warnings"]
    assert done.output.splitlines()[1] == f"1 photo with warnings: {table} has them"
    done = paint(model, photo.parent, "-o", tmp_path / "out", "--mask", mask.parent, "--resume")
    assert done.output.splitlines()[0] == "0 painted, 1 kept, 0 failed"


def test_the_background_is_chosen_and_kept_by_resume(model: Path, tmp_path: Path) -> None:
    photo, mask = tmp_path / "in" / "a.png", tmp_path / "masks" / "a.png"
    skin = write_photo(photo, 5)
    mask.parent.mkdir()
    Image.fromarray(skin).save(mask)
    given = [
        model,
        photo.parent,
        "-o",
        tmp_path / "out",
        "--mask",
        mask.parent,
        "--num-workers",
        1,
        "--background",
    ]
    network = json.dumps({"type": "onnx", "path": str(write_mean_fill(tmp_path / "mean.onnx"))})
    for background, counts in (
        ("opencv_inpaint", "1 painted, 0 kept"),
        (network, "1 painted, 0 kept"),
        (network, "0 painted, 1 kept"),
    ):
        done = paint(*given, background, "--resume")
        assert done.exit_code == 0 and counts in done.output, done.output
    for background, message in (
        ("mean_color", "Error: background: 'mean_color' needs face besides an image"),
        ("telea", "Error: --background: unknown generator 'telea'"),
    ):
        done = paint(*given, background, "--overwrite")
        assert done.exit_code == 2 and message in done.output, done.output


def test_a_jpeg_is_written_with_a_warning(model: Path, tmp_path: Path, caplog: Any) -> None:
    skin = write_photo(tmp_path / "a.png", 5)
    Image.fromarray(skin).save(tmp_path / "mask.png")
    out = tmp_path / "out.jpg"
    for name, what in (("mask.png", "the given mask"), ("a.png", "the photo")):
        given = (tmp_path / name).read_bytes()
        done = paint(
            model, tmp_path / "a.png", "-o", tmp_path / name, "--mask", tmp_path / "mask.png", "--overwrite"
        )
        assert (
            done.exit_code == 2 and f"{name}: the painting or paintings would replace {what}" in done.output
        )
        assert (tmp_path / name).read_bytes() == given
    done = paint(model, tmp_path / "a.png", "-o", out, "--mask", tmp_path / "mask.png")
    assert done.exit_code == 0
    assert any("JPEG changes pixels that are not painted" in text for text in caplog.messages)
    assert Image.open(out).format == "JPEG"


def test_a_region_is_painted_by_a_model_with_alpha(
    make_run: Callable[..., Any], model: Path, tmp_path: Path
) -> None:
    photo, region, out = tmp_path / "a.png", tmp_path / "region.png", tmp_path / "out.png"
    skin = write_photo(photo, 5)
    Image.fromarray(skin).save(region)
    done = paint(model, photo, "-o", out, "--region", region, "--mask", region)
    assert done.exit_code == 2 and "give only one of them" in done.output
    done = paint(model, photo, "-o", out, "--region", region)
    assert done.exit_code == 2 and "alpha" in done.output and not out.exists()
    data = json.loads((model / "spec.json").read_text(encoding="utf-8"))["data"]
    data |= {"inputs": ["apparel_head_foot", "line", "mask"], "garment_margin": [0.01, 0.05]}
    generator = {"type": "pix2pix", "base_channels": 4, "depth": 3, "output": "rgba"}
    fields = {"composite": "mask", "generator": generator, "metrics": ["alpha_iou"], "baselines": []}
    alpha = make_run(tmp_path / "alpha", data=data, **fields)
    done = paint(alpha.folder, photo, "-o", out, "--region", region)
    assert done.exit_code == 0, done.output
    assert "pixels of the region on the hands stay as" in done.output
    changed = (np.asarray(Image.open(out)) != np.asarray(Image.open(photo))).any(axis=2)
    assert changed.any() and not changed[~dilate(skin, 1)].any()


def test_limbs_are_exposed_in_a_photo_and_in_folders(model: Path, tmp_path: Path) -> None:
    photo, out = tmp_path / "in" / "a.png", tmp_path / "out.png"
    write_photo(photo, 5)
    done = paint(model, photo, "-o", out, "--expose", "upper_arms")
    assert done.exit_code == 0, done.output
    before, after = (np.asarray(Image.open(path).convert("RGB")) for path in (photo, out))
    assert 0 < (before != after).any(axis=2).sum() < 0.1 * before[..., 0].size
    done = paint(model, photo.parent, "-o", tmp_path / "many", "--expose", "upper_arms", "--num-workers", 1)
    assert done.output.splitlines()[0] == "1 painted, 0 kept, 0 failed"
    assert np.array_equal(np.asarray(Image.open(tmp_path / "many" / "a.png")), np.asarray(Image.open(out)))
    done = paint(model, photo.parent, "-o", tmp_path / "many", "--expose", "upper_arms", "--resume")
    assert done.output.splitlines()[0] == "0 painted, 1 kept, 0 failed"
    several = ("--expose", "thighs,upper_arms", "--resume", "--num-workers", 1)
    done = paint(model, photo.parent, "-o", tmp_path / "many", *several)
    assert done.output.splitlines()[0] == "1 painted, 0 kept, 0 failed"
    done = paint(model, photo.parent, "-o", tmp_path / "many", "--expose", "upper_arms,thighs", *several[2:])
    assert done.output.splitlines()[0] == "0 painted, 1 kept, 0 failed"
    assert all(limb in paint("--help").output for limb in LIMBS)
    done = paint(model, photo, "-o", out, "--expose", "arm")
    assert done.exit_code == 2 and "no limb 'arm'" in done.output
    done = paint(model, photo, "-o", out, "--expose", "neck", "--mask-color", "#ffffff")
    assert done.exit_code == 2 and "--expose, --mask-color: each says what to paint" in done.output


def write_pair(path: Path) -> np.ndarray:
    """Write a photo of two people beside each other, 64 pixels wide each; return it."""
    halves = [path.with_name(f"{name}.png") for name in ("left", "right")]
    for half in halves:
        write_photo(half, 5)
    for ending in (".png", "_segment.png"):
        images = [np.asarray(Image.open(f"{half.with_suffix('')}{ending}").convert("RGB")) for half in halves]
        Image.fromarray(np.concatenate(images, axis=1)).save(f"{path.with_suffix('')}{ending}")
    people = [
        json.loads(half.with_name(f"{half.stem}_keypoints.json").read_text(encoding="utf-8"))["people"][0]
        for half in halves
    ]
    points = np.array(people[1]["pose_keypoints_2d"]).reshape(25, 3)
    points[:, 0] += 64 * (points[:, 2] > 0)
    people[1]["pose_keypoints_2d"] = points.ravel().tolist()
    poses = json.dumps({"version": 1.3, "people": people})
    path.with_name(f"{path.stem}_keypoints.json").write_text(poses, encoding="utf-8")
    return np.asarray(Image.open(path).convert("RGB"))


def test_the_person_to_paint_can_be_chosen(model: Path, tmp_path: Path) -> None:
    photo, out, expose = tmp_path / "in" / "pair.png", tmp_path / "out.png", ("--expose", "upper_arms")
    before = write_pair(photo)
    for column, others in ((32, np.s_[:, 64:]), (96, np.s_[:, :64])):
        done = paint(model, photo, "-o", out, *expose, "--person", f"{column},48", "--overwrite")
        assert done.exit_code == 0, done.output
        changed = (np.asarray(Image.open(out).convert("RGB")) != before).any(axis=2)
        assert changed.any() and not changed[others].any()
    for point, said in (
        ("300,5", "pair.png: the person's point 300,5 (column, row) is outside the photo, which has 128x96"),
        ("1,1", "pair.png: no person at 1,1 (column, row); give a point on one"),
        ("-1,5", "'-1,5' is not a point; give the column and the row of a pixel"),
    ):
        done = paint(model, photo, "-o", tmp_path / "none.png", *expose, "--person", point)
        assert done.exit_code == 2 and said in done.output and "Traceback" not in done.output
    done = paint(model, photo.parent, "-o", tmp_path / "many", *expose, "--person", "32,48")
    assert done.exit_code == 2 and "--person is for one photo; leave it out for several" in done.output
    mask = np.zeros(before.shape[:2], np.uint8)
    mask[40:70, 10:54] = 255  # the person on the left
    Image.fromarray(mask).save(tmp_path / "mask.png")
    marked = ("--mask", tmp_path / "mask.png", "--person", "96,48")
    done = paint(model, photo, "-o", tmp_path / "none.png", *marked)
    assert done.exit_code == 2 and "what is marked is not on the person at 96,48 (column, row)" in done.output
    assert not (tmp_path / "none.png").exists() and not (tmp_path / "many").exists()


def test_a_mask_without_its_option_is_noticed(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.png", 5)
    done = paint(tmp_path / "a.png", tmp_path / "mask.png", "-o", tmp_path / "out.png")
    assert done.exit_code == 2
    assert "a.png: an image, not a model; if" in done.output and "name it with --mask" in done.output


def test_errors_of_the_user_are_short(model: Path, tmp_path: Path) -> None:
    write_photo(tmp_path / "a.png", 5)
    for arguments, said in [
        ([model, tmp_path / "a.png", "-o", tmp_path / "o.gif"], "unknown ending '.gif'"),
        ([model, tmp_path / "none.png", "-o", tmp_path / "o.png"], "none.png: no such file"),
        (
            [model, tmp_path / "a.png", "--mask", tmp_path / "no.png", "-o", tmp_path / "o.png"],
            "no.png: no such file",
        ),
        ([tmp_path / "none", tmp_path / "a.png", "-o", tmp_path / "o.png"], "no such"),
        (
            [model, tmp_path / "a.png", "-o", tmp_path / "o.png", "--mask-color", "rad"],
            "is not a color; did you mean 'red'?",
        ),
        ([model, tmp_path / "a.png", "-o", tmp_path / "o.png", "--resume", "--overwrite"], "only one"),
        ([model, tmp_path / "a.png", "-o", tmp_path / "o.png", "--segmenter", "nothing"], "nothing"),
    ]:
        done = paint(*arguments)
        assert done.exit_code == 2, done.output
        assert said in done.output
        assert "Traceback" not in done.output
    assert not (tmp_path / "o.png").exists()


def test_options_of_one_photo_are_honoured_or_rejected(model: Path, tmp_path: Path) -> None:
    photo, mask, out = tmp_path / "a.png", tmp_path / "mask.png", tmp_path / "out"
    Image.fromarray(write_photo(photo, 5)).save(mask)
    before = photo.read_bytes(), mask.read_bytes()
    out.mkdir()
    for arguments, said in [
        ((out, "--num-workers", 2), "--num-workers is for several photos"),
        ((out, "--on-error", "fail"), "--on-error is for several photos"),
        ((tmp_path / "o.png", "--format", "webp"), "--format is for folders"),
        ((tmp_path / "o.png", "--show-mask", tmp_path / "o.png"), "would replace the output"),
        ((tmp_path / "o.png", "--show-mask", mask), "would replace the given mask"),
        ((tmp_path / "o.png", "--show-mask", photo), "would replace the photo"),
    ]:
        done = paint(model, photo, "--mask", mask, "--overwrite", "-o", *arguments)
        assert done.exit_code == 2, done.output
        assert said in done.output.replace("\n", " ")
    assert (photo.read_bytes(), mask.read_bytes()) == before
    done = paint(model, photo, "--mask", mask, "-o", out, "--format", "webp")
    assert done.exit_code == 0, done.output
    assert [path.name for path in out.iterdir()] == ["a.webp"]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_sees_at_once_that_something_happens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, terminal: bool
) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: terminal)
    for command, output in (("paint", "out.png"), ("repair", "out"), ("audit", "out.html")):
        pair = ["--person", "no.png", "--result", "no.png"]
        given = {"paint": ["no.png"], "repair": pair, "audit": ["no.png", "no.png"]}[command]
        done = CliRunner().invoke(main, [command, *given, "-o", str(tmp_path / output)])
        assert done.exit_code == 2
        assert done.stderr.startswith("loading the model") == terminal
        assert done.stderr.splitlines()[-1].startswith("Error: ")
