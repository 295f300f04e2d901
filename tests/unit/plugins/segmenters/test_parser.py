from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from skinfw.assembly.assemble import build_segmentation_network
from skinfw.data.classes import ClassTable
from skinfw.data.photo import Photo
from skinfw.data.resize import resize_image
from skinfw.errors import DataError, RunError
from skinfw.runs.checkpoints import Progress, save_checkpoint
from skinfw.specs.spec import parse_spec
from skinfw_plugins.segmenters.config_parser import ParserConfig
from skinfw_plugins.segmenters.parser import ParserSegmenter

MakeSpec = Callable[..., dict[str, Any]]
CLASSES = {
    "rest": {"of": ["background"], "region": "background"},
    "left": {"of": ["skin"], "region": "skin"},
    "right": {"of": ["hair"], "region": "head"},
}
TABLE = ClassTable(
    ("rest", "left", "right"), {"background": ("rest",), "skin": ("left",), "head": ("right",)}, {}
)


@pytest.fixture
def checkpoint(segmentation_spec: MakeSpec, tmp_path: Path) -> Path:
    """Write the checkpoint of a network with random weights."""
    value = segmentation_spec(tmp_path, data={"classes": CLASSES, "flip_classes": [["left", "right"]]})
    spec = parse_spec(value)
    torch.manual_seed(0)
    state = build_segmentation_network(spec, 3).state_dict()  # type: ignore[arg-type]
    path = tmp_path / "run" / "checkpoints" / "best.safetensors"
    path.parent.mkdir(parents=True)
    tensors = {f"network.{name}": tensor for name, tensor in state.items()}
    save_checkpoint(path, tensors, spec, Progress(1, 1, 0, ""), classes=TABLE.to_json())
    return path


def parser(path: Path, **fields: Any) -> ParserSegmenter:
    return ParserSegmenter(ParserConfig(path=path, device="cpu", **fields), None)


def photo(size: tuple[int, int] = (50, 70)) -> Photo:
    return Photo(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))


class Columns(nn.Module):
    """Sees the class "left" in the left half of what it is given, whatever that is."""

    def forward(self, image: Tensor) -> Tensor:
        logits = torch.zeros(len(image), 3, *image.shape[2:])
        logits[:, 1, :, : image.shape[3] // 2] = 1
        return logits


def test_logits_are_brought_to_the_photos_size_before_the_class_is_taken(checkpoint: Path) -> None:
    segmenter, seen = parser(checkpoint), photo()
    found = segmenter.segment(seen)
    small = torch.from_numpy(resize_image(seen.pixels, (32, 24))).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        logits = segmenter._network(small)
    full = nn.functional.interpolate(logits, (50, 70), mode="bilinear")
    assert np.array_equal(found.labels, full.argmax(1)[0].numpy())
    assert found.classes == ("rest", "left", "right")
    assert found.regions == {"background": ("rest",), "skin": ("left",), "head": ("right",)}


@pytest.mark.parametrize("flip", [False, True])
def test_scores_that_are_not_finite_are_no_class(checkpoint: Path, flip: bool) -> None:
    segmenter = parser(checkpoint, flip=flip)
    with torch.no_grad():
        next(segmenter._network.parameters())[0, 0, 0, 0] = torch.nan
    with pytest.raises(DataError, match=r"best\.safetensors: its scores for this photo are not finite"):
        segmenter.segment(photo())


def test_a_run_folder_stands_for_its_best_checkpoint(checkpoint: Path) -> None:
    by_folder, by_file = parser(checkpoint.parents[1]), parser(checkpoint)
    assert np.array_equal(by_folder.segment(photo()).labels, by_file.segment(photo()).labels)
    expected = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert by_folder.fingerprint() == by_file.fingerprint() == expected


def test_the_mirrored_photo_swaps_left_and_right(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter = parser(checkpoint, flip=True)
    monkeypatch.setattr(segmenter, "_network", Columns())
    logits = segmenter._logits(torch.zeros(1, 3, 2, 4))
    # mirrored back, the left half of the mirrored photo is its right half, and left is right there
    assert logits[0, 1].tolist() == [[0.5, 0.5, 0, 0]] * 2
    assert logits[0, 2].tolist() == [[0, 0, 0.5, 0.5]] * 2


def test_mirroring_averages_two_passes(checkpoint: Path) -> None:
    plain, both = parser(checkpoint), parser(checkpoint, flip=True)
    image = torch.rand(1, 3, 32, 24)
    mirrored = plain._logits(image.flip(-1)).flip(-1)[:, [0, 2, 1]]
    assert torch.allclose(both._logits(image), (plain._logits(image) + mirrored) / 2, atol=1e-6)


def test_a_missing_or_foreign_file_is_told(tmp_path: Path, make_run: Callable[..., Any]) -> None:
    with pytest.raises(RunError, match="no such checkpoint"):
        parser(tmp_path / "none")
    (tmp_path / "text.safetensors").write_text("no weights", encoding="utf-8")
    with pytest.raises(RunError, match="not a readable skinfw checkpoint"):
        parser(tmp_path / "text.safetensors")
    run = make_run(tmp_path / "inpainting")
    with pytest.raises(RunError, match="belongs to an inpainting run"):
        parser(run.folder)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (32, 24)])
def test_photos_of_any_size(checkpoint: Path, size: tuple[int, int]) -> None:
    assert parser(checkpoint).segment(photo(size)).labels.shape == size
