"""What made a label map is read from the record beside the sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skinfw.data.sample_folder import RECORD_FILE
from skinfw.errors import DataError
from skinfw.preparation.mask_source import prepared_by


@pytest.mark.parametrize(
    ("record", "source"),
    [
        ({"made_with": {"segmenter": {"type": "skin_color"}}}, "skin_color"),
        ({"made_with": {"segmenter": {"type": "ensemble", "members": []}}}, "ensemble"),
        ({"made_with": {"segmenter": {"type": "label_map", "labels": "atr"}}}, ""),
        ({"made_with": {"segmenter": {"type": "deepfashion"}}}, ""),
        ({"made_with": {"segmenter": {"type": "of_a_plugin_that_is_gone"}}}, "of_a_plugin_that_is_gone"),
        ({"made_with": {"segmenter": "edited"}}, ""),
        ({"made_with": None}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_the_record_says_what_computed_the_masks(tmp_path: Path, record: Any, source: str) -> None:
    if record is not None:
        (tmp_path / RECORD_FILE).write_text(json.dumps(record), encoding="utf-8")
    assert prepared_by(tmp_path) == source


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / RECORD_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"sample\.json: cannot be read"):
        prepared_by(tmp_path)
