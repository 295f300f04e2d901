from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from skinfw.assembly.assemble import build_dataset
from skinfw.components.relocate import spec_for_others
from skinfw.data.batch import collate
from skinfw.errors import DataError, RunError, SkinfwError, UserError
from skinfw.export import export as exporting
from skinfw.export.convert import Sizes
from skinfw.export.export import Exported, export_run
from skinfw.export.onnx_file import update_metadata
from skinfw.export.parity import Comparison, reject_difference
from skinfw.export.reduced import export_checkpoint
from skinfw.inference.batch_inpainter import BatchInpainter
from skinfw.inference.composite import to_uint8
from skinfw.inference.noise import fixed_noise
from skinfw.runs.checkpoint_header import KEY as HEADER
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import read_checkpoint, run_checkpoint
from skinfw.runs.folder import Run
from skinfw.runtime import OnnxModel
from skinfw.runtime.metadata import Precision
from skinfw.specs.spec import Spec

Make = Callable[..., Any]
Images = dict[str, NDArray[np.uint8]]


def painted_by_both(run: Run, model: OnnxModel, size: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Return a sample's image from the file and from the checkpoint, the input, and where it may change."""
    spec = run.spec
    assert isinstance(spec, Spec)
    data = spec.data.model_copy(update={"size": size})
    dataset = build_dataset(spec.model_copy(update={"data": data}))
    sample = dataset.load(dataset.names()[0])
    generator = load_generator(run_checkpoint(run), torch.device("cpu"))
    noise = fixed_noise(generator, spec.data.size, spec.seed)
    batch = collate([sample])
    with torch.no_grad():
        wanted = BatchInpainter.of(spec, generator)(generator, batch, noise)
    condition = {name: sample.fields[name].type.pixels(sample[name]) for name in model.inputs}
    where = wanted.painted[0, 0].numpy() > 0.5
    return model(condition), to_uint8(wanted.output)[0], sample["apparel_head_foot"], where


def gap(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


GENERATORS: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "smp_unet": ({"encoder": "tu-test_resnet", "encoder_depth": 3, "base_channels": 4}, (96, 64)),
    "pix2pixhd": ({"base_channels": 4, "downsamplings": 1, "blocks": 1, "enhancer_blocks": 1}, (20, 36)),
    "lama": ({"base_channels": 4, "downsamplings": 1, "blocks": 1}, (18, 34)),
    "fcnn": ({}, (32, 16)),
    "dcgan": ({"base_channels": 4, "max_channels": 8}, (32, 32)),
}


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_paints_as_its_checkpoint_at_any_size(
    make_inputs_run: Make, tmp_path: Path, name: str
) -> None:
    settings, size = GENERATORS[name]
    trained = (32, 32) if name in ("dcgan", "smp_unet") else (32, 16)
    run = make_inputs_run(tmp_path / "run", {"type": name, **settings}, data={"size": list(trained)})
    model = OnnxModel(export_run(run, tmp_path / "model.onnx").path)
    assert model.metadata.fixed == (name in ("fcnn", "dcgan"))
    assert model.metadata.parity.max_difference <= 1
    for each in (trained, size):
        found, wanted, given, where = painted_by_both(run, model, each)
        assert gap(found, wanted) <= 1
        assert where.any() and np.array_equal(found[~where], given[~where])
        assert gap(found[where], given[where]) > 10


def test_a_network_that_pads_its_training_images_takes_their_size_alone(
    make_inputs_run: Make, tmp_path: Path
) -> None:
    """The encoder's stride is 32, and the network pads 64x32 to 64x64: two innermost pixels per side."""
    refiner = {"type": "smp_unet", "encoder": "tu-test_resnet", "encoder_depth": 5, "base_channels": 1}
    generator = {"type": "two_stage", "coarse": "mean_color", "refiner": refiner}
    run = make_inputs_run(tmp_path / "run", generator, data={"size": [64, 32]})
    model = OnnxModel(export_run(run, tmp_path / "model.onnx").path)
    assert model.metadata.fixed
    found, wanted, given, where = painted_by_both(run, model, (64, 32))
    assert gap(found, wanted) <= 1
    assert gap(found[where], given[where]) > 10


def test_two_stages_with_a_baseline_paint_as_their_checkpoint(run: Run, exported: Exported) -> None:
    model = OnnxModel(exported.path)
    assert (model.multiple, model.metadata.minimum, model.metadata.fixed) == (2, 2, False)
    for size in ((32, 16), (22, 58), (64, 42)):
        found, wanted, given, where = painted_by_both(run, model, size)
        assert gap(found, wanted) <= 1
        assert np.array_equal(found[~where], given[~where])


def test_the_file_says_where_it_comes_from(run: Run, exported: Exported) -> None:
    (entry,) = onnx.load(exported.path).metadata_props
    assert entry.key == "skinfw"
    about = json.loads(entry.value)
    assert about["spec"] == json.loads(run.spec.model_dump_json()) or about["spec"] == run.spec.to_json()
    assert about["checkpoint_sha256"] == hashlib.sha256(run.checkpoint("best").read_bytes()).hexdigest()
    assert [each["name"] for each in about["inputs"]] == list(run.spec.data.input_names)
    assert about["size"] == [32, 16]
    assert about["license"] == "for tests"
    assert len(about["parity"]["sizes"]) == 3
    assert about["parity"]["samples"] == 3
    assert about["parity"]["changed"] == 0
    assert exported.metadata.model_dump(mode="json") == about


def test_the_file_names_no_places_of_the_machine(make_inputs_run: Make, tmp_path: Path) -> None:
    command = {
        "type": "command",
        "program": "/opt/anna/paint",
        "arguments": ["{inputs}", "{outputs}", "--at=https://anna:secret@host/x"],
    }
    declared = {"mannequins": {"license": "CC0-1.0", "address": "/home/anna b/photos"}}
    changed = {"baselines": [command], "licenses": {"declared": declared}}
    generator = {"type": "pix2pix", "base_channels": 4, "depth": 1}
    run = make_inputs_run(tmp_path / "run", generator, **changed)
    written = export_run(run, tmp_path / "model.onnx")
    content = written.path.read_bytes()
    assert b"anna" not in content and b"secret" not in content
    assert written.metadata.spec == spec_for_others(run.spec.to_json())
    assert written.metadata.ledger is not None
    assert [row.address for row in written.metadata.ledger.rows if row.kind == "data"] == ["photos"]


def test_a_checkpoint_for_others_names_no_manifest_of_the_machine(
    make_inputs_run: Make, tmp_path: Path
) -> None:
    run = make_inputs_run(tmp_path / "run", {"type": "pix2pix", "base_channels": 4, "depth": 1})
    own = run_checkpoint(run)
    about = {**own.about, "components": {"generator/pix2pix": "/home/anna b/registry.toml"}}
    save_file(dict(own.tensors), own.path, metadata={HEADER: json.dumps(about)})
    path = tmp_path / "model.safetensors"
    export_checkpoint(run, path)
    assert b"anna" not in path.read_bytes()
    assert read_checkpoint(path).about["components"] == {"generator/pix2pix": "registry.toml"}


def test_the_file_says_nothing_of_the_machine_and_the_code(exported: Exported) -> None:
    content = exported.path.read_bytes()
    for told in (str(Path.cwd()), sys.prefix, "stack_trace", "self."):
        assert told.encode() not in content


def test_a_composite_beside_the_inputs_and_fixed_noise_and_a_tone(
    make_inputs_run: Make, tmp_path: Path
) -> None:
    data = {"inputs": ["apparel_head_foot", "line", "face"]}
    noisy = {"noise": "channel", "condition": "tone_film"}
    generator = {"type": "gated_unet", "base_channels": 4, "downsamplings": 1, "dilations": [2], **noisy}
    run = make_inputs_run(tmp_path / "run", generator, data=data, composite="protect")
    model = OnnxModel(export_run(run, tmp_path / "model.onnx").path)
    assert model.inputs == ("apparel_head_foot", "line", "face", "keep")
    assert model.metadata.seed == run.spec.seed
    found, wanted, given, where = painted_by_both(run, model, (32, 16))
    assert gap(found, wanted) <= 1
    assert np.array_equal(found[~where], given[~where])
    black = {name: np.zeros((128, 128, 3), np.uint8) for name in model.inputs}
    larger = model(black)
    assert np.array_equal(larger, model(black))
    # far from the edges it repeats as the noise does
    assert np.array_equal(larger[60:68, 56:64], larger[60:68, 72:80])
    assert gap(larger[60:68, 56:64], larger[60:68, 60:68]) > 0


REFINER = {"type": "pix2pix", "base_channels": 2, "depth": 1}
UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "dropout": ({**REFINER, "depth": 3, "noise": "dropout", "dropout": 0.5}, 'train with noise "channel"'),
    "inpainting": (
        {"type": "two_stage", "coarse": "opencv_inpaint", "refiner": REFINER},
        "OpenCV inpaints cannot be computed by a graph; use the run or its checkpoint",
    ),
    "limbs": (
        {"type": "two_stage", "coarse": "limbs", "refiner": REFINER},
        "limbs along the pose cannot be computed by a graph; .* mean_color",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_no_graph_can_compute_is_rejected_before_anything_is_traced(
    make_inputs_run: Make, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, reason = UNFIT[name]
    inputs = ["apparel_head_foot", "segmentation_skin", "face", "mask", "heatmaps"]
    run = make_inputs_run(tmp_path / "run", generator, data={"inputs": inputs})
    monkeypatch.delattr(exporting, "samples_of")
    with pytest.raises(UserError, match=reason):
        export_run(run, tmp_path / "model.onnx")
    assert not list(tmp_path.glob("*.onnx"))


@pytest.fixture
def converted(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the graph that was converted before."""
    sizes = Sizes(exported.metadata.multiple, exported.metadata.minimum)
    monkeypatch.setattr(exporting, "to_onnx", lambda *_, **__: (onnx.load(exported.path), sizes))


def lighter(levels: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the checkpoint paint otherwise than the file does."""
    load = exporting.load_generator

    def other(*arguments: Any) -> Any:
        generator = load(*arguments)
        forward = generator.forward
        monkeypatch.setattr(generator, "forward", lambda *tensors: forward(*tensors) + levels / 255)
        return generator

    monkeypatch.setattr(exporting, "load_generator", other)


@pytest.mark.usefixtures("converted")
def test_a_file_that_paints_otherwise_is_not_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lighter(3, monkeypatch)
    with pytest.raises(SkinfwError, match="by up to 3 gray levels, where 1 is allowed") as caught:
        export_run(run, tmp_path / "model.onnx")
    assert "at 32x16, 34x20, 32x38" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_file_that_changes_kept_pixels_is_rejected(run: Run, exported: Exported) -> None:
    dataset = build_dataset(run.spec)  # type: ignore[arg-type]
    sample = dataset.load(dataset.names()[0])
    given = sample["apparel_head_foot"]
    painted = np.zeros(given.shape[:2], bool)
    painted[4:8] = True
    comparison = Comparison()
    changed = given.copy()
    changed[0, 0, 0] ^= 1
    changed[5, 5] ^= 1
    comparison.add(sample, changed, given, painted)
    parity = comparison.parity()
    assert (parity.changed, parity.max_difference, parity.different) == (1, 1, 4 / given.size)
    with pytest.raises(SkinfwError, match="1 pixels that must be kept changed"):
        reject_difference(parity, "float32")


def test_float16_says_what_it_costs(run: Run, tmp_path: Path) -> None:
    check_precision(run, tmp_path / "model.onnx", "float16", onnx.TensorProto.FLOAT16, 1)


@pytest.mark.usefixtures("converted")
def test_int8_says_what_it_costs_and_is_not_written_if_that_is_too_much(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_precision(run, tmp_path / "model.onnx", "int8", onnx.TensorProto.INT8, 8)
    lighter(20, monkeypatch)
    with pytest.raises(SkinfwError, match=r"PSNR of 2\d\.\d dB, and need 30 dB; .*CIEDE2000"):
        export_run(run, tmp_path / "other.onnx", precision="int8")
    assert not (tmp_path / "other.onnx").exists()


def check_precision(run: Run, path: Path, precision: Precision, narrow: int, off: float) -> None:
    """Export, and check the type of the weights, kept and painted pixels, and the reported cost."""
    made = export_run(run, path, precision=precision)
    model = OnnxModel(path)
    assert model.metadata.precision == precision
    assert narrow in {each.data_type for each in onnx.load(path).graph.initializer if len(each.dims) == 4}
    found, wanted, given, where = painted_by_both(run, model, (32, 16))
    assert np.array_equal(found[~where], given[~where])
    assert 0 < np.abs(found.astype(float) - wanted)[where].mean() < off
    assert "dB" in made.cost and "CIEDE2000" in made.cost


def test_existing_files_stay(run: Run, exported: Exported, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"mine")
    with pytest.raises(RunError, match="--overwrite"):
        export_run(run, path)
    assert path.read_bytes() == b"mine"
    (tmp_path / "paint.py").write_text("mine", encoding="utf-8")
    with pytest.raises(
        RunError, match=r"paint\.py: was not written by this version of skinfw; replace it with --overwrite"
    ):
        export_run(run, tmp_path / "other.onnx")
    with pytest.raises(UserError, match=r"ends in \.onnx"):
        export_run(run, tmp_path / "model.pt")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["model.onnx", "paint.py"]


def test_samples_beside_the_run_are_read_before_anything_else(
    run: Run, write_samples: Make, tmp_path: Path
) -> None:
    write_samples(tmp_path / "samples", ["a", "b"], size=(64, 32), body=False)
    with pytest.raises(DataError, match="the face cannot be located"):
        export_run(run, tmp_path / "model.onnx", samples=tmp_path / "samples")
    assert not list(tmp_path.glob("*.onnx"))


def test_the_file_says_what_the_licenses_permit(run: Run, exported: Exported) -> None:
    ledger = exported.metadata.ledger
    assert ledger is not None and ledger.verdict == "yes"
    rows = {row.name: row for row in ledger.rows}
    assert rows["mannequins"].sha256 == run_checkpoint(run).progress.data
    assert "generator two_stage" in rows["skinfw"].used_by


def test_what_a_file_says_can_be_changed_without_changing_the_network(
    exported: Exported, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    shutil.copyfile(exported.path, path)
    update_metadata(path, license="other", checkpoint_sha256="0" * 64)
    found = OnnxModel(path).metadata
    assert (found.license, found.checkpoint_sha256) == ("other", "0" * 64)
    assert (
        found.model_copy(
            update={name: getattr(exported.metadata, name) for name in ("license", "checkpoint_sha256")}
        )
        == exported.metadata
    )
    before, after = (onnx.load(each).graph.SerializeToString() for each in (exported.path, path))
    assert before == after
