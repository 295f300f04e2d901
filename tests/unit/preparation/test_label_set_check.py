from __future__ import annotations

from pathlib import Path

import pytest
from layouts import ATR_NAMES, write_person

from skinfw.assembly.build import build
from skinfw.components.reference import use
from skinfw.errors import DataError
from skinfw.interfaces import Segmenter
from skinfw.preparation.label_set_check import check_label_sets


def test_maps_of_another_label_set_are_noticed_without_poses(tmp_path: Path) -> None:
    photos = [tmp_path / f"{seed}.jpg" for seed in range(6)]
    for seed, photo in enumerate(photos):
        write_person(photo, photo.with_suffix(".png"), "atr", ATR_NAMES, seed)
    check_label_sets(build(use("segmenter", "label_map", labels="atr"), Segmenter), photos)
    for labels in ("deepfashion_multimodal", "sapiens"):
        wrong = build(use("segmenter", "label_map", labels=labels), Segmenter)
        with pytest.raises(DataError, match=r'of 6 checked label maps .* set labels "atr"'):
            check_label_sets(wrong, photos)
        check_label_sets(wrong, photos[:2])  # two say nothing about a set
