from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from skinfw.assembly.assemble import build_segmentation_network
from skinfw.data.photo import Photo
from skinfw.errors import SkinfwError, UserError
from skinfw.export import export as exporting
from skinfw.export.convert import Sizes
from skinfw.export.export import export_run
from skinfw.runs.checkpoint_header import Progress
from skinfw.runs.checkpoints import save_checkpoint
from skinfw.runs.create import create_run
from skinfw.runs.folder import Run
from skinfw.runtime import OnnxModel, read_metadata
from skinfw.specs.spec import parse_spec
from skinfw.tasks.segmentation.photos import LabeledPhotos
from skinfw_plugins.segmenters.config_networks import OnnxParserConfig
from skinfw_plugins.segmenters.config_parser import ParserConfig
from skinfw_plugins.segmenters.onnx_parser import OnnxParserSegmenter
from skinfw_plugins.segmenters.parser import ParserSegmenter

Make = Callable[..., Any]


@pytest.fixture(scope="module", params=[None, 0.1], ids=["whole photos", "people"])
def run(
    segmentation_spec: Make,
    write_labeled_photos: Make,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Run:
    """A run of a parser with random weights."""
    folder = tmp_path_factory.mktemp("parser")
    write_labeled_photos(folder / "photos", 6)
    # its stride is 8, and it pads other sizes inside
    network = {"type": "smp", "encoder": "bodypix_050", "encoder_depth": 3, "base_channels": 4}
    data = {"size": [32, 32], "person_margin": request.param}
    spec: Any = parse_spec(segmentation_spec(folder / "photos", data=data, network=network))
    made = create_run(spec, folder / "run")
    photos = LabeledPhotos(spec.data)
    torch.manual_seed(0)
    state = build_segmentation_network(spec, len(photos.classes.names)).state_dict()
    tensors = {f"network.{name}": tensor for name, tensor in state.items()}
    progress = Progress(1, 1, 0, photos.fingerprint())
    save_checkpoint(made.checkpoint("best"), tensors, spec, progress, classes=photos.classes.to_json())
    return made


@pytest.fixture(scope="module")
def file(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_run(run, tmp_path_factory.mktemp("exported") / "parser.onnx").path


def segmenter(path: Path, **fields: Any) -> OnnxParserSegmenter:
    return OnnxParserSegmenter(OnnxParserConfig(path=path, **fields), None)


def test_the_segmenter_of_files_labels_as_the_segmenter_of_runs(run: Run, file: Path) -> None:
    own = ParserSegmenter(ParserConfig(path=run.folder, device="cpu"), None)
    for size in ((50, 70), (20, 90)):
        photo = Photo(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))
        found, wanted = segmenter(file).segment(photo), own.segment(photo)
        assert np.mean(found.labels != wanted.labels) < 0.001
        assert len(np.unique(wanted.labels)) > 1
        assert (found.classes, found.regions) == (wanted.classes, wanted.regions)


def test_it_also_works_at_other_sizes_if_asked(file: Path) -> None:
    about = read_metadata(file)
    assert about.task == "segmentation"
    assert (about.multiple, about.minimum, about.fixed) == (8, 16, False)
    assert len(about.parity.sizes) == 3
    side = 4 * about.multiple
    photo = Photo(np.zeros((50, 70, 3), np.uint8))
    assert segmenter(file, size=(side, 2 * side)).segment(photo).labels.shape == (50, 70)


def test_a_parser_has_no_script_and_does_not_paint(file: Path) -> None:
    assert [path.name for path in file.parent.iterdir()] == ["parser.onnx"]
    with pytest.raises(UserError, match="segmenter onnx_parser"):
        OnnxModel(file)
    with pytest.raises(UserError, match="remove labels"):
        _ = segmenter(file, labels="atr").labels


def test_a_parser_that_labels_otherwise_is_not_written(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about, load = read_metadata(file), exporting.load_network

    def other(*arguments: Any) -> Any:
        network, classes = load(*arguments)
        forward = network.forward
        monkeypatch.setattr(network, "forward", lambda image: forward(image).flip(1))
        return network, classes

    sizes = Sizes(about.multiple, about.minimum)
    monkeypatch.setattr(exporting, "to_onnx", lambda *_, **__: (onnx.load(file), sizes))
    monkeypatch.setattr(exporting, "load_network", other)
    with pytest.raises(SkinfwError, match="of the labels differ"):
        export_run(run, tmp_path / "parser.onnx")
    assert not list(tmp_path.iterdir())
