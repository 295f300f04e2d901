"""Exported files where torch cannot be imported."""

from __future__ import annotations

import json
import logging
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from blocked import run_blocked
from click.testing import CliRunner
from onnx_models import write_bodypix, write_copy
from PIL import Image, ImageCms

from skinfw.assembly.assemble import build_baselines, build_dataset
from skinfw.cli import main
from skinfw.components.reference import use
from skinfw.data.batch import collate
from skinfw.data.sample_folder import read_sample
from skinfw.errors import DataError, RunError, SkinfwError, UserError
from skinfw.export.export import Exported, export_run
from skinfw.inference.condition import images_of
from skinfw.inference.sample_images import paint_samples, sample_io
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import run_checkpoint, save_checkpoint
from skinfw.runs.folder import Run
from skinfw.runtime import OnnxModel
from skinfw.runtime.metadata import parse_metadata

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def folder_run(make_inputs_run: Make, tmp_path_factory: pytest.TempPathFactory) -> Run:
    generator = {"type": "pix2pix", "base_channels": 4, "depth": 2}
    data = {"inputs": ["apparel_head_foot", "line", "segmentation_skin", "mask"]}
    made: Run = make_inputs_run(tmp_path_factory.mktemp("run") / "run", generator, data=data)
    best = run_checkpoint(made)
    save_checkpoint(best.path, best.tensors, best.spec, best.progress, aspects=[1.4, 2.0])
    return made


@pytest.fixture(scope="module")
def model(folder_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    environment = json.loads(folder_run.environment_path.read_text(encoding="utf-8"))
    observed = {**environment, "hooks": {"skinfw-nobody": "1.0"}}
    folder_run.environment_path.write_text(json.dumps(observed), encoding="utf-8")
    return export_run(folder_run, tmp_path_factory.mktemp("model") / "model.onnx")


def test_the_ledger_names_the_hooks_of_the_run(model: Exported) -> None:
    assert model.metadata.ledger is not None
    rows = {row.name: row for row in model.metadata.ledger.rows}
    assert rows["skinfw-nobody"].used_by == ("hooks",)


def test_files_without_a_ledger_are_read(model: Exported) -> None:
    value = json.loads(model.metadata.model_dump_json(exclude={"ledger"}))
    assert parse_metadata(json.dumps(value), "old.onnx") == model.metadata.model_copy(update={"ledger": None})


def test_sample_folders_are_painted_without_torch_as_generate_paints_them(
    folder_run: Run, model: Exported, samples: Path, tmp_path: Path
) -> None:
    arguments = ["generate", str(model.path), str(samples), str(tmp_path / "file")]
    code = "from skinfw.cli import main; main(sys.argv[1:])"
    assert "2 images in" in run_blocked(code, ["torch", "torchvision"], *arguments)
    checkpoint = ["generate", str(folder_run.folder), str(samples), str(tmp_path / "run"), "--device", "cpu"]
    done = CliRunner().invoke(main, checkpoint)
    assert done.exit_code == 0, done.output
    for name in ("a.png", "b.png"):
        one, other = (np.asarray(Image.open(tmp_path / way / name), int) for way in ("file", "run"))
        assert one.shape == (32, 16, 3)
        assert np.abs(one - other).max() <= 1


def test_an_exported_file_is_a_baseline_that_paints_as_its_checkpoint(
    folder_run: Run, model: Exported
) -> None:
    inputs = OnnxModel(model.path).inputs
    given = {name: {"input": name} for name in inputs}
    spec = folder_run.spec.model_copy(
        update={"baselines": (use("generator", "onnx", path=model.path, inputs=given),)}
    )
    (baseline,) = build_baselines(spec).values()
    dataset = build_dataset(spec)
    batch = collate([dataset.load(name) for name in dataset.names()[:2]])
    with torch.no_grad():
        found = baseline(batch.condition(baseline.io.inputs))
        wanted = load_generator(run_checkpoint(folder_run), torch.device("cpu"))(batch.condition(inputs))
    painted = (batch["mask"] > 0).expand_as(found)
    assert (found - wanted)[painted].abs().max() < 1.01 / 255


def test_the_script_needs_neither_torch_nor_skinfw(model: Exported, samples: Path, tmp_path: Path) -> None:
    loaded = OnnxModel(model.path)
    condition = images_of(
        read_sample(samples / "a", "a", sample_io(loaded), needs_target=False), loaded.inputs
    )
    for name, image in condition.items():
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    assert model.script is not None
    assert len(model.script.read_text(encoding="utf-8").splitlines()) < 110
    code = "import runpy; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    blocked = ["torch", "skinfw", "skinfw_plugins", "cv2", "pydantic"]
    run_blocked(code, blocked, model.script, tmp_path, tmp_path / "out.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), loaded(condition))


def by_script(script: Path, *arguments: str | Path) -> None:
    runpy.run_path(str(script))["main"](*map(str, arguments))


def with_alpha(path: Path, alpha: int) -> None:
    """Make the first row of a picture partly transparent."""
    pixels = np.array(Image.open(path).convert("RGBA"))
    pixels[0] = (200, 0, 0, alpha)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def small(write_samples: Make, tmp_path: Path) -> Path:
    """A sample of the model's size."""
    (folder,) = write_samples(tmp_path / "small", ["a"], size=(32, 16), body=False)
    return folder


@pytest.mark.parametrize("alpha", [100, 150])
def test_the_script_paints_what_generate_paints(
    model: Exported, small: Path, tmp_path: Path, alpha: int
) -> None:
    assert model.script is not None
    with_alpha(small / "apparel_head_foot.png", alpha)
    for name in ("mask", "segmentation_skin"):
        mask = np.asarray(Image.open(small / f"{name}.png").convert("L"))
        Image.fromarray(mask // 255).save(small / f"{name}.png")
    (wanted,) = paint_samples(OnnxModel(model.path), small, tmp_path / "out")
    by_script(model.script, small, tmp_path / "painted.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "painted.png")), np.asarray(Image.open(wanted)))


def test_the_script_rejects_what_it_cannot_read_as_generate_does(
    model: Exported, small: Path, samples: Path, tmp_path: Path
) -> None:
    script = model.script
    assert script is not None

    def rejects(folder: Path, words: str) -> None:
        with pytest.raises(SystemExit, match=words):
            by_script(script, folder, tmp_path / "painted.png")
        assert not (tmp_path / "painted.png").exists()

    rejects(samples / "a", r"apparel_head_foot\.png: 64x32 pixels .* not 32x16; skinfw generate resizes")
    mask = np.array(Image.open(small / "mask.png").convert("L"))
    mask[3, 3] = 200
    Image.fromarray(mask).save(small / "mask.png")
    rejects(small, r"mask\.png: a mask must be white where it is set and black elsewhere")
    with_alpha(small / "line.png", 254)
    rejects(small, r"line\.png: has transparent pixels")
    turned = Image.Exif()
    turned[274] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for options in ({"exif": turned}, {"icc_profile": profile}):
        Image.new("RGB", (16, 32)).save(small / "line.png", **options)
        rejects(
            small, r"line\.png: has an orientation, a color profile or 16-bit gray; skinfw generate converts"
        )
    Image.new("I;16", (16, 32)).save(small / "line.png")
    rejects(small, r"line\.png: has an orientation, a color profile or 16-bit gray")
    (small / "line.png").write_bytes(b"no picture")
    rejects(small, r"line\.png: cannot be read")
    (small / "line.png").unlink()
    rejects(small, r"line\.png: missing")


def test_the_script_uses_the_only_model_beside_it_or_the_named_one(
    model: Exported, small: Path, tmp_path: Path
) -> None:
    assert model.script is not None
    script = shutil.copy(model.script, tmp_path / "paint.py")
    with pytest.raises(SystemExit, match=r"0 models beside .*paint\.py: name one as the last argument"):
        by_script(script, small, tmp_path / "out.png")
    with pytest.raises(SystemExit, match=r"other\.onnx: no such model"):
        by_script(script, small, tmp_path / "out.png", tmp_path / "other.onnx")
    (tmp_path / "other.onnx").write_bytes(b"no model")
    for other in (tmp_path / "other.onnx", write_copy(tmp_path / "copy.onnx", (32, 16))):
        with pytest.raises(SystemExit, match=r"\.onnx: is not a model that skinfw exported: "):
            by_script(script, small, tmp_path / "out.png", other)
        other.unlink()
    for name in ("one", "two"):
        shutil.copy(model.path, tmp_path / f"{name}.onnx")
    with pytest.raises(SystemExit, match="2 models beside"):
        by_script(script, small, tmp_path / "out.png")
    by_script(script, small, tmp_path / "out.png", tmp_path / "two.onnx")
    assert (tmp_path / "out.png").exists()
    with pytest.raises(SystemExit, match="cannot be written"):
        by_script(script, small, tmp_path / "absent" / "out.png", tmp_path / "two.onnx")


def test_the_model_needs_numpy_and_onnxruntime(model: Exported) -> None:
    code = """
from skinfw.runtime import OnnxModel
from skinfw.runtime.metadata import parse_metadata
import numpy as np
model = OnnxModel(sys.argv[1])
print(model({name: np.zeros((32, 16, 3), np.uint8) for name in model.inputs}).shape, "PIL" in sys.modules)
"""
    blocked = ["torch", "cv2", "onnx", "openvino"]
    assert run_blocked(code, blocked, model.path).strip() == "(32, 16, 3) False"


@pytest.mark.parametrize("white", [1, 254])
def test_a_mask_of_other_values_is_rejected(model: Exported, white: int) -> None:
    loaded = OnnxModel(model.path)
    condition = {name: np.zeros((32, 16, 3), np.uint8) for name in loaded.inputs}
    condition["mask"][8:16] = 255
    loaded(condition)
    condition["mask"][8:16] = white
    with pytest.raises(DataError, match="mask is a mask: it must be 255 where it is set and 0 elsewhere"):
        loaded(condition)
    condition["line"][8:16] = white
    condition["mask"][8:16] = 0
    loaded(condition)


def test_openvino_paints_the_same(model: Exported, samples: Path) -> None:
    loaded, other = OnnxModel(model.path), OnnxModel(model.path, backend="openvino", threads=1)
    condition = images_of(
        read_sample(samples / "a", "a", sample_io(loaded), needs_target=False), loaded.inputs
    )
    assert np.abs(loaded(condition).astype(int) - other(condition)).max() <= 1
    # it compiles the graph for each size, and keeps a few
    for times in (2, 3, 4, 5, 6, 2):
        wide = {name: np.concatenate([image] * times, axis=1) for name, image in condition.items()}
        assert np.abs(loaded(wide).astype(int) - other(wide)).max() <= 1


def test_existing_images_stay_and_unusable_samples_are_named(
    model: Exported, samples: Path, write_samples: Make, tmp_path: Path
) -> None:
    loaded = OnnxModel(model.path)
    write_samples(samples, ["wide"], size=(32, 64), body=False)
    with pytest.raises(DataError, match=r"(?s)1 of 3 samples unusable; the others.*wide: 32x64 pixels"):
        paint_samples(loaded, samples, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]
    with pytest.raises(RunError, match="already exists"):
        paint_samples(loaded, samples / "a", tmp_path / "out")
    with pytest.raises(DataError, match="wide: 32x64"):
        paint_samples(loaded, samples, tmp_path / "out", overwrite=True, on_error="fail")
    with pytest.raises(DataError, match="1 of 1 sample unusable; nothing was written"):
        paint_samples(loaded, samples / "wide", tmp_path / "out")


def test_samples_as_high_as_those_of_training_are_painted(
    model: Exported, samples: Path, tmp_path: Path
) -> None:
    loaded = OnnxModel(model.path)
    assert loaded.metadata.aspects == (1.4, 2.0)
    assert len(paint_samples(loaded, samples, tmp_path / "out")) == 2
    # a file without the range knows one aspect
    loaded.metadata = loaded.metadata.model_copy(update={"aspects": None})
    with pytest.raises(DataError, match=r"a: 64x32 pixels.* on samples 1\.67 times as high as wide"):
        paint_samples(loaded, samples, tmp_path / "old")


def test_a_file_that_changes_kept_pixels_writes_nothing(
    model: Exported, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OnnxModel, "__call__", lambda _, images: 255 - images["apparel_head_foot"])
    with pytest.raises(SkinfwError, match=r"a\.png: \d+ pixels outside the mask changed"):
        paint_samples(OnnxModel(model.path), samples, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_samples_with_nothing_to_paint_are_named(
    model: Exported, samples: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    empty = Image.new("L", (32, 64))
    empty.save(samples / "a" / "mask.png")
    loaded = OnnxModel(model.path)
    with caplog.at_level(logging.WARNING, "skinfw"):
        assert len(paint_samples(loaded, samples, tmp_path / "out")) == 2
    assert "nothing to inpaint in 1 of 2 samples, because their inpainting mask is empty: a" in caplog.text
    with pytest.raises(DataError, match=r"nothing to inpaint in 1 of 1 sample.* are copies of the inputs"):
        paint_samples(loaded, samples / "a", tmp_path / "alone")


@pytest.mark.parametrize(
    ("key", "value"), [("aspect", 0), ("aspect", 1e-6), ("crop_margin", 1e7), ("removed_margin", -1)]
)
def test_a_damaged_preparation_is_one_error(model: Exported, key: str, value: float) -> None:
    damaged = model.metadata.model_dump(mode="json")
    damaged["preparation"][key] = value
    with pytest.raises(UserError, match=f"m.onnx: its metadata is damaged: preparation.{key}"):
        parse_metadata(json.dumps(damaged), "m.onnx")


def test_the_files_of_a_run_need_no_variable_that_is_unset(
    model: Exported, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = OnnxModel(model.path)
    spec = json.loads(json.dumps(loaded.metadata.spec))
    spec["data"]["dataset"] = {"type": "folder", "root": "$NOWHERE_SET/samples"}
    monkeypatch.delenv("NOWHERE_SET", raising=False)
    loaded.metadata = loaded.metadata.model_copy(update={"spec": spec})
    assert len(paint_samples(loaded, samples, tmp_path / "out")) == 2


def test_a_server_needs_no_torch(model: Exported, tmp_path: Path) -> None:
    write_bodypix(tmp_path / "tiny.onnx")
    code = """
from skinfw.serving.models import load_models
from skinfw.serving.server import Server

pose = {"type": "bodypix", "weights": sys.argv[2], "stride": 16}
with Server(load_models([Path(sys.argv[1])], 2, segmenter="haar", pose_encoder=pose)) as server:
    print(server.address)
"""
    code = "from pathlib import Path\n" + code
    assert run_blocked(code, ["torch"], model.path, tmp_path / "tiny.onnx").startswith("http://127.0.0.1:")
