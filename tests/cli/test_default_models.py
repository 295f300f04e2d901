"""Commands that need neither a model nor label maps, as models in the package find and paint the skin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from drawn_photos import write_drawn_photo
from PIL import Image
from try_on import SEGMENTER, write_pair

import skinfw
from skinfw.assembly.build import build
from skinfw.cli import main
from skinfw.cli.model_argument import model_and_photo
from skinfw.components.reference import read_component
from skinfw.data.label_file import read_labels
from skinfw.errors import DataError, UserError
from skinfw.interfaces import Dataset, DatasetIO
from skinfw.models.defaults import default_painter, default_painters
from skinfw.preparation.mask_source import prepared_by
from skinfw.serving.models import load_models
from skinfw_plugins.inputs.masks import FaceInput

SIZE = (192, 128)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A drawn photo with its label map and pose beside it."""
    return write_drawn_photo(tmp_path / "photos" / "anna.png", 3, SIZE)


@pytest.fixture
def plain(photo: Path) -> Path:
    """The same without label map and pose."""
    for file in (*photo.parent.glob("*_segment.png"), *photo.parent.glob("*.json")):
        file.unlink()
    return photo


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """A mask on the person."""
    hole = np.zeros(SIZE, bool)
    hole[80:110, 56:72] = True
    path = tmp_path / "hole.png"
    Image.fromarray(hole).save(path)
    return path


def test_a_photo_is_painted_without_naming_anything(
    models: Path, plain: Path, mask: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SKINFW_WEIGHTS", raising=False)  # no pose encoder could find its weights
    monkeypatch.setenv("SKINFW_NO_CONNECTIONS", "1")
    done = call("paint", plain, "--mask", mask, "-o", tmp_path / "out.png")
    assert done.exit_code == 0, done.stderr
    assert "no label map beside the photo: skinfw:street-parser finds the parts" in done.stderr
    used = "model: skinfw:street-painter; parts of the person: skinfw:street-parser"
    assert done.stdout.splitlines()[1] == f"{used}; all of the mask is painted as skin"
    before, after = (np.asarray(Image.open(path).convert("RGB")) for path in (plain, tmp_path / "out.png"))
    hole = np.asarray(Image.open(mask).convert("L")) > 127
    assert (before == after)[~hole].all() and (before != after)[hole].any()
    with Image.open(tmp_path / "out.png") as image:
        assert ", skinfw:street-painter" in image.info["XML:com.adobe.xmp"]


def test_label_map_and_pose_beside_the_photo_are_used(
    models: Path, photo: Path, mask: Path, tmp_path: Path
) -> None:
    done = call("paint", photo, "--mask", mask, "-o", tmp_path / "out.png")
    assert done.exit_code == 0, done.stderr
    used = "model: skinfw:street-painter; parts of the person: deepfashion"
    assert done.stdout.splitlines()[1] == used


def test_a_folder_is_painted_and_its_table_names_the_models(
    models: Path, plain: Path, mask: Path, tmp_path: Path
) -> None:
    (tmp_path / "masks").mkdir()
    mask.rename(tmp_path / "masks" / "anna.png")
    options = ("--mask", tmp_path / "masks", "-o", tmp_path / "out", "--num-workers", 1)
    done = call("paint", plain.parent, *options)
    assert done.exit_code == 0, done.stderr
    (row,) = (tmp_path / "out" / "painted.jsonl").read_text(encoding="utf-8").splitlines()
    report = json.loads(row)["report"]
    names = [report[key] for key in ("model", "segmenter", "pose")]
    assert names == ["skinfw:street-painter", "skinfw:street-parser", False]
    assert call("paint", plain.parent, *options, "--resume").stdout.startswith("0 painted, 1 kept")


def test_a_run_that_reads_label_maps_also_paints_photos_without(
    models: Path, plain: Path, mask: Path, make_run: Any, tmp_path: Path
) -> None:
    data = {"dataset": {"type": "mannequins", "count": 4}, "size": [32, 16], "inputs": ["apparel_head_foot"]}
    plain_run = {"discriminator": None, "losses": ["l1"], "composite": "mask"}
    run = make_run(tmp_path / "run", data=data, **plain_run)
    painted = skinfw.Inpainter.load(run.folder, device="cpu").paint(plain, mask)
    assert painted.report["segmenter"] == "skinfw:street-parser"
    assert painted.report["model"] == "run" and painted.report["pose"] is False


def test_a_pose_is_found_if_an_input_needs_it(
    models: Path, photo: Path, mask: Path, make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a pose file, BodyPix finds it; the error names the weights that are missing."""
    monkeypatch.delenv("SKINFW_WEIGHTS", raising=False)
    monkeypatch.setenv("SKINFW_NO_CONNECTIONS", "1")
    data = {"dataset": {"type": "mannequins", "count": 4}, "size": [32, 16]}
    run = make_run(tmp_path / "run", data=data, composite="mask")
    assert "line" in run.spec.data.input_names
    inpainter = skinfw.Inpainter.load(run.folder, device="cpu")
    assert inpainter.pose_optional
    (photo.parent / "anna_keypoints.json").rename(tmp_path / "pose.json")
    with pytest.raises(skinfw.SkinfwError, match=r"mobilenet_v1_050_stride\d+\.onnx"):
        inpainter.paint(photo, mask)
    (tmp_path / "pose.json").rename(photo.parent / "anna_keypoints.json")
    assert inpainter.paint(photo, mask).report["pose"] is True


def test_only_an_input_that_needs_the_pose_has_it_found(
    models: Path, photo: Path, mask: Path, make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The face is in the label map, and an input that fails for another reason says so itself."""
    inputs = ["apparel_head_foot", "face"]
    data = {"dataset": {"type": "mannequins", "count": 4}, "size": [32, 16], "inputs": inputs}
    run = make_run(tmp_path / "run", data=data, composite="mask", discriminator=None, losses=["l1"])
    inpainter = skinfw.Inpainter.load(run.folder, device="cpu")
    (photo.parent / "anna_keypoints.json").unlink()
    assert inpainter.paint(photo, mask).report["pose"] is False

    def broken(*_: object) -> None:
        raise DataError("broken")

    monkeypatch.setattr(FaceInput, "read", broken)
    with pytest.raises(DataError, match="broken"):
        inpainter.paint(photo, mask)


def test_where_clothes_come_off_a_pose_is_needed(
    models: Path, plain: Path, mask: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else trunk and hips might be painted; the error names the weights that are missing."""
    monkeypatch.delenv("SKINFW_WEIGHTS", raising=False)
    monkeypatch.setenv("SKINFW_NO_CONNECTIONS", "1")
    done = call("paint", plain, "--region", mask, "-o", tmp_path / "out.png")
    assert done.exit_code == 2
    assert "no pose beside the photo: bodypix finds it" in done.stderr
    assert "mobilenet_v1_050_stride8.onnx" in done.stderr
    assert not (tmp_path / "out.png").exists()


def test_model_and_photo_are_told_apart(models: Path, tmp_path: Path, make_run: Any) -> None:
    run, photo = make_run(tmp_path / "run").folder, Path("photo.png")
    painter, finder = Path("skinfw:street-painter"), Path("skinfw:street-region")
    assert model_and_photo([photo], None, region=False) == (painter, photo)
    assert model_and_photo([photo], None, region=True) == (finder, photo)
    for given in ([run, photo], [Path("nowhere"), photo]):
        assert model_and_photo(given, None, region=False) == (given[0], photo)
    assert model_and_photo([photo], run, region=True) == (run, photo)
    for model in (run, Path("a.safetensors"), Path("a.onnx"), painter):
        with pytest.raises(UserError, match="a model; name the photo to paint after it"):
            model_and_photo([model], None, region=False)
    with pytest.raises(UserError, match="name only one model"):
        model_and_photo([run, photo], run, region=False)
    with pytest.raises(UserError, match="a second photo; give the folder"):
        model_and_photo([run, photo, photo], None, region=False)


def test_without_models_the_errors_say_what_to_name_and_how_to_make_one(
    no_models: None, plain: Path, mask: Path, tmp_path: Path
) -> None:
    done = call("paint", plain, "--mask", mask, "-o", tmp_path / "out.png")
    assert done.exit_code == 2
    assert "contains no model that paints masks: name a run folder" in done.stderr
    assert "tools/embed_model.py" in done.stderr
    with pytest.raises(UserError, match="no model that paints regions"):
        default_painter(region=True)


def test_photos_without_label_maps_are_prepared_by_the_parser(
    models: Path, plain: Path, tmp_path: Path
) -> None:
    out = tmp_path / "samples"
    done = call("prepare", plain.parent, out, "--num-workers", 1)
    assert done.exit_code == 0, done.stderr + done.stdout
    assert (
        "1 photo of 192x128 pixels, 0 with a label map, 0 with a pose file: "
        'the segmenter is {"type": "parser", "path": "skinfw:street-parser"}; '
        "samples get no poses (--pose-encoder bodypix, for inputs that need one)"
    ) in done.stderr.splitlines()
    files = {path.name for path in (out / "anna").iterdir()}
    assert {"body.png", "parsing.png"} <= files and not {"line.png", "keypoints.json"} & files
    record = json.loads((out / "anna" / "sample.json").read_text(encoding="utf-8"))
    made_with = record["made_with"]
    assert made_with["segmenter"]["path"] == "skinfw:street-parser" and made_with["pose_encoder"] is None
    assert record["classes"] == ["background", "skin", "head", "feet", "apparel"]
    assert set(np.unique(read_labels(out / "anna" / "parsing.png"))) >= {0, 4}
    again = call("prepare", plain.parent, out, "--num-workers", 1)
    assert again.stdout.splitlines() == ["0 made, 1 kept, 0 rejected"]


def test_each_photo_uses_its_own_label_map_and_the_parser_finds_the_others(
    models: Path, tmp_path: Path
) -> None:
    """One photo of three has a label map; all have a pose."""
    photos, out = tmp_path / "photos", tmp_path / "samples"
    for seed, name in enumerate(("anna", "ben", "cleo")):
        write_drawn_photo(photos / f"{name}.png", seed, SIZE)
    maps = {name: (photos / f"{name}_segment.png").read_bytes() for name in ("anna", "ben", "cleo")}
    for name in ("ben", "cleo"):
        (photos / f"{name}_segment.png").unlink()
    done = call("prepare", photos, out, "--num-workers", 1)
    assert done.exit_code == 0, done.stderr + done.stdout
    assert "3 photos of 192x128 pixels, 1 with a label map, 3 with a pose file: " in done.stderr
    assert "finds the label maps of the others" in done.stderr
    assert done.stdout.splitlines()[0] == (
        "3 made, 0 kept, 0 rejected; label maps: 2 by parser, 1 by deepfashion"
    )

    def made_with(name: str) -> str:
        record = json.loads((out / name / "sample.json").read_text(encoding="utf-8"))
        return str(record["made_with"]["segmenter"]["type"])

    assert [made_with(name) for name in maps] == ["deepfashion", "parser", "parser"]
    assert [prepared_by(out / name) for name in maps] == ["", "parser", "parser"]
    # the sample is that which the segmenter alone makes
    alone = call(
        "prepare", photos, tmp_path / "alone", "--segmenter", "deepfashion", "--pose-encoder", "openpose",
        "--num-workers", 1,
    )  # fmt: skip
    assert "1 made, 0 kept, 2 rejected" in alone.stdout and "; label maps" not in alone.stdout
    for file in (out / "anna").iterdir():
        assert (tmp_path / "alone" / "anna" / file.name).read_bytes() == file.read_bytes(), file.name
    # a label map that is added later makes that sample again, and no other
    (photos / "ben_segment.png").write_bytes(maps["ben"])
    again = call("prepare", photos, out, "--num-workers", 1)
    assert again.stdout.splitlines()[0] == (
        "1 made, 2 kept, 0 rejected; label maps: 2 by deepfashion, 1 by parser"
    )
    assert made_with("ben") == "deepfashion"


def test_without_weights_for_missing_poses_no_photo_is_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "samples"
    for seed, name in enumerate(("anna", "ben")):
        write_drawn_photo(photos / f"{name}.png", seed, SIZE)
    (photos / "ben_keypoints.json").unlink()

    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("pooch.retrieve", offline)
    monkeypatch.delenv("SKINFW_WEIGHTS", raising=False)
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    done = call("prepare", photos, out, "--num-workers", 1)
    assert done.exit_code == 2
    assert "--pose-encoder none makes samples without poses" in done.stderr
    assert "--pose-encoder openpose uses only photos with a pose file" in done.stderr
    assert not out.exists()
    for encoder, made in (("none", 2), ("openpose", 1)):
        done = call("prepare", photos, out / encoder, "--pose-encoder", encoder, "--num-workers", 1)
        assert done.exit_code == 0, done.stderr
        assert done.stdout.startswith(f"{made} made")


def partly_labeled(photos: Path) -> Path:
    """Write two photos with poses, of which only the first has a label map; returns their folder."""
    for seed, name in enumerate(("anna", "ben")):
        write_drawn_photo(photos / f"{name}.png", seed, SIZE)
    (photos / "ben_segment.png").unlink()
    return photos


def test_a_spec_of_photos_with_some_label_maps_says_what_finds_the_others(
    models: Path, tmp_path: Path
) -> None:
    photos = partly_labeled(tmp_path / "photos")
    done = call("init", photos, "-o", tmp_path / "own.json", "--yes")
    assert done.exit_code == 0, done.stderr
    data = json.loads((tmp_path / "own.json").read_text(encoding="utf-8"))["data"]["dataset"]
    assert data["segmenter"] == "deepfashion" and "missing_poses" not in data
    assert data["missing_label_maps"] == {"type": "parser", "path": "skinfw:street-parser"}
    # who names the reader wants only the photos that have its files
    named = ("--segmenter", "deepfashion", "--pose-encoder", "openpose")
    assert call("init", photos, "-o", tmp_path / "named.json", "--yes", *named).exit_code == 0
    alone = json.loads((tmp_path / "named.json").read_text(encoding="utf-8"))["data"]["dataset"]
    assert alone["segmenter"] == "deepfashion" and "missing_label_maps" not in alone
    config = {**data, "cache": str(tmp_path / "cache"), "prepare": {"num_workers": 1}}
    dataset = build_dataset_of(config)
    assert {name: dataset.mask_source(name) for name in dataset.names()} == {"anna": "", "ben": "parser"}
    strict = build_dataset_of({**config, "missing_label_maps": None, "cache": str(tmp_path / "strict")})
    assert list(strict.names()) == ["anna"]


def build_dataset_of(config: dict[str, Any]) -> Dataset[Any]:
    """Build a data set from its JSON."""
    return build(read_component("dataset", config), Dataset, DatasetIO(SIZE, {}))


def test_without_a_parser_the_label_maps_are_missing(no_models: None, plain: Path, tmp_path: Path) -> None:
    done = call("prepare", plain.parent, tmp_path / "samples", "--num-workers", 1)
    assert done.exit_code == 2
    assert "contains no parser: install a release, or train one" in done.stderr
    assert "segmentation failed" in done.stdout


def test_without_a_parser_the_photos_without_label_maps_are_announced(
    no_models: None, tmp_path: Path
) -> None:
    photos = partly_labeled(tmp_path / "photos")
    done = call("prepare", photos, tmp_path / "samples", "--num-workers", 1)
    assert done.exit_code == 0, done.stderr
    assert "1 with a label map, 2 with a pose file: the others are rejected, as this" in done.stderr
    assert "contains no parser: install a release, or train one" in done.stderr
    assert done.stdout.startswith("1 made, 0 kept, 1 rejected")
    # no warning where every photo has one
    (photos / "ben.png").unlink()
    done = call("prepare", photos, tmp_path / "all", "--num-workers", 1)
    assert done.exit_code == 0 and "contains no parser" not in done.stderr


def test_results_are_repaired_without_naming_a_model(models: Path, tmp_path: Path) -> None:
    write_pair(tmp_path, "anna")
    pair = ("--person", tmp_path / "photos", "--result", tmp_path / "results", "-o", tmp_path / "out")
    done = call("repair", *pair, "--segmenter", json.dumps(SEGMENTER), "--num-workers", 1)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "model: skinfw:street-painter"
    (row,) = (tmp_path / "out" / "repaired.jsonl").read_text(encoding="utf-8").splitlines()
    report = json.loads(row)["report"]
    assert report["model"] == "skinfw:street-painter" and report["pixels"]["painted"] > 0
    with Image.open(tmp_path / "out" / "anna.png") as image:
        assert "skinfw:street-painter" in image.info["XML:com.adobe.xmp"]


def test_pairs_without_label_maps_are_parsed_by_the_parser(models: Path, tmp_path: Path) -> None:
    write_pair(tmp_path, "anna")
    for folder in ("photos", "results"):
        (tmp_path / folder / "anna_labels.png").unlink()
    pair = ("--person", tmp_path / "photos", "--result", tmp_path / "results", "-o", tmp_path / "out")
    done = call("repair", *pair, "--only", "restore", "--num-workers", 1)
    assert "no label map beside the photo: skinfw:street-parser finds the parts" in done.stderr
    # what a stand-in finds in such drawings is another matter
    assert done.stdout.splitlines()[-1].startswith(("1 repaired", "0 repaired, 0 kept, 1 failed"))


def test_the_models_in_the_package_are_served(
    models: Path, plain: Path, mask: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "skinfw")
    served = load_models(default_painters(), 2, device="cpu")
    assert "beside the photo" not in caplog.text
    assert [each.name for each in served] == ["street-painter", "street-region"]
    assert {each.segmenter for each in served} == {"skinfw:street-parser"}
    assert [each.inpainter.finds_skin for each in served] == [False, True]
    with Image.open(plain) as photo, Image.open(mask) as hole:
        painted = served[0].inpainter.paint(photo, hole)
    assert painted.report["segmenter"] == "skinfw:street-parser"
