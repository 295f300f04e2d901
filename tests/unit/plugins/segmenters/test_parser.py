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
from skinfw.runs.checkpoint_header import Progress
from skinfw.runs.checkpoints import save_checkpoint
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


def test_it_says_how_sure_it_is(checkpoint: Path) -> None:
    segmenter, seen = parser(checkpoint), photo((32, 24))
    logits = torch.from_numpy(segmenter._logits(seen.pixels))
    best = logits.softmax(0).max(0)
    person = best.indices > 0
    assert person.any()
    expected = best.values[person].mean().item()
    assert segmenter.segment(seen).confidence == pytest.approx(expected, abs=1e-5)
    with torch.no_grad():
        for name, weight in segmenter._network.named_parameters():
            if name.endswith("bias") and len(weight) == 3:
                weight += torch.tensor([1e3, 0, 0])
    assert segmenter.segment(seen).confidence is None


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
    logits = segmenter._logits(np.zeros((2, 4, 3), np.uint8))
    # mirrored back, the left half of the mirrored photo is its right half, and left is right there
    assert logits[1].tolist() == [[0.5, 0.5, 0, 0]] * 2
    assert logits[2].tolist() == [[0, 0, 0.5, 0.5]] * 2


def test_mirroring_averages_two_passes(checkpoint: Path) -> None:
    plain, both = parser(checkpoint), parser(checkpoint, flip=True)
    image = photo((32, 24)).pixels
    mirrored = plain._logits(image[:, ::-1])[[0, 2, 1], :, ::-1]
    assert np.allclose(both._logits(image), (plain._logits(image) + mirrored) / 2, atol=1e-6)


class Red(nn.Module):
    """Sees the class "left" where what it is given is red."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, image: Tensor) -> Tensor:
        self.seen.append(image)
        logits = torch.full((1, 3, *image.shape[2:]), -1.0)
        logits[:, 0] = 0
        logits[:, 1][(image[:, 0] > 0.5) & (image[:, 1] < 0.5)] = 1
        return logits


@pytest.fixture
def looking_twice(segmentation_spec: MakeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Red:
    """Return what `Red` is in a parser of 32x16 that looks at the person with a margin of a tenth."""
    data = {"classes": CLASSES, "size": [32, 16], "person_margin": 0.1}
    spec = parse_spec(segmentation_spec(tmp_path, data=data))
    state = build_segmentation_network(spec, 3).state_dict()  # type: ignore[arg-type]
    tensors = {f"network.{name}": tensor for name, tensor in state.items()}
    save_checkpoint(
        tmp_path / "twice.safetensors", tensors, spec, Progress(1, 1, 0, ""), classes=TABLE.to_json()
    )
    return Red()


def test_a_parser_of_people_looks_twice(
    looking_twice: Red, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person is a red box of 40x20 in a wide photo of 100x300."""
    segmenter = parser(tmp_path / "twice.safetensors")
    monkeypatch.setattr(segmenter, "_network", looking_twice)
    truth = np.zeros((100, 300), bool)
    truth[30:70, 200:220] = True
    found = segmenter.segment(Photo(np.where(truth[..., None], (255, 0, 0), 0).astype(np.uint8)))
    first, closer = (each[0].permute(1, 2, 0).numpy() for each in looking_twice.seen)
    # all of the photo, 600x300 with white bars: each pixel is 18.75 of the photo's
    assert (first[:13] == 1).all() and (first[19:] == 1).all() and (first[14:18] < 1).any(axis=2).all()
    # the person with 4 pixels around it: 48x28 becomes 56x28, and each pixel is 1.75 of the photo's
    red = (closer[..., 0] > 0.5) & (closer[..., 1] < 0.5)
    assert np.isclose(red.sum(), 40 * 20 / 1.75**2, rtol=0.15)
    assert (found.person & truth).sum() / (found.person | truth).sum() > 0.85


def test_without_a_person_there_is_no_closer_look(
    looking_twice: Red, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmenter = parser(tmp_path / "twice.safetensors")
    monkeypatch.setattr(segmenter, "_network", looking_twice)
    assert not segmenter.segment(Photo(np.zeros((60, 40, 3), np.uint8))).person.any()
    assert len(looking_twice.seen) == 1


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
