from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from skinfw.assembly.assemble import build_training_dataset
from skinfw.data.batch import collate
from skinfw.evaluation.augmented import DRAWS, LONGER_SIDE, augmented_samples
from skinfw.inference.composite import to_uint8
from skinfw.specs.spec import parse_spec

MakeSpec = Callable[..., dict[str, Any]]
NAMES = [f"mannequin-{index:06d}" for index in range(20)]


def test_without_augmentations_there_is_nothing_to_show(tiny_spec: MakeSpec) -> None:
    assert augmented_samples(parse_spec(tiny_spec()), NAMES) == []


def test_six_samples_before_and_after_two_draws(tiny_spec: MakeSpec) -> None:
    spec = parse_spec(tiny_spec(augmentations=["affine", "skin_tone"]))
    state = torch.get_rng_state()
    samples = augmented_samples(spec, NAMES)
    assert torch.equal(torch.get_rng_state(), state)
    assert [sample.name for sample in samples] == NAMES[:18:3]
    dataset = build_training_dataset(spec)
    for sample in samples:
        parts = ["apparel_head_foot", "body", "keep", "mask", "line", "segmentation_skin", "face"]
        assert list(sample.parts) == parts
        assert list(sample.rows) == ["original", *DRAWS]
        before = sample.rows["original"]
        assert before.shape == (32, 7 * 32 + 6 * 2, 3)
        batch = collate([dataset.load(sample.name)])
        shown = {part: before[:, 34 * place : 34 * place + 32] for place, part in enumerate(parts)}
        assert np.array_equal(shown["line"], to_uint8(batch["line"])[0])
        assert np.array_equal(shown["body"], to_uint8(batch["body"])[0])
        for mask in ("keep", "mask", "segmentation_skin", "face"):
            white = np.where(batch[mask][0, 0, :, :, None].numpy() > 0, 255, 0)
            assert np.array_equal(shown[mask], np.broadcast_to(white, (32, 32, 3)))
        first, second = (sample.rows[draw] for draw in DRAWS)
        assert not np.array_equal(first, second) and not np.array_equal(first, before)
    again = augmented_samples(spec, NAMES)
    assert all(
        np.array_equal(one.rows[draw], other.rows[draw])
        for one, other in zip(samples, again, strict=True)
        for draw in DRAWS
    )


def test_masks_are_shown_whether_the_generator_sees_them_or_not(tiny_spec: MakeSpec) -> None:
    value = tiny_spec(augmentations=["flip"], composite="none")
    value["data"]["inputs"] = ["apparel_head_foot"]
    (sample,) = augmented_samples(parse_spec(value), NAMES[:1])
    assert list(sample.parts) == ["apparel_head_foot", "body", "keep", "mask", "segmentation_skin"]


def test_large_images_are_shown_smaller(tiny_spec: MakeSpec) -> None:
    value = tiny_spec(augmentations=["hue"], discriminator=None, losses=["l1"])
    value["data"]["size"] = [256, 128]
    (sample,) = augmented_samples(parse_spec(value), NAMES[:1])
    assert sample.rows["first draw"].shape[0] == LONGER_SIDE


def test_samples_that_cannot_be_read_are_left_out(
    tmp_path: Path,
    tiny_spec: MakeSpec,
    write_samples: Callable[..., list[Path]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    folders = write_samples(tmp_path / "people", ["anna", "bert"])
    value = tiny_spec(augmentations=["hue"])
    value["data"]["dataset"] = {"type": "folder", "root": str(tmp_path / "people")}
    (folders[0] / "body.png").write_bytes(b"")
    with caplog.at_level(logging.WARNING, logger="skinfw"):
        samples = augmented_samples(parse_spec(value), ["anna", "bert"])
    assert [sample.name for sample in samples] == ["bert"]
    assert "skipped" in caplog.text and "anna" in caplog.text


def test_heat_maps_are_shown_as_one_image(tiny_spec: MakeSpec) -> None:
    value = tiny_spec(augmentations=["flip"])
    value["data"]["inputs"] = ["apparel_head_foot", "segmentation_skin", "heatmaps"]
    mirrored = []
    for sample in augmented_samples(parse_spec(value), NAMES):
        start = 34 * list(sample.parts).index("heatmaps")
        before, after = (sample.rows[row][:, start : start + 32] for row in ("original", DRAWS[0]))
        lit = before.max(axis=2) > 200
        assert lit.any() and np.ptp(before[lit], axis=1).max() > 100  # in colors
        mirrored.append(not np.array_equal(before, after))
    assert any(mirrored)
