"""Sharing a parser, and naming it in a spec and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from local_hub import LocalHub

from skinfw.assembly.build import build
from skinfw.components.reference import use
from skinfw.data.photo import Photo
from skinfw.interfaces.segmenter import Segmenter
from skinfw.models import hub as names
from skinfw.pipeline import Pipeline
from skinfw.sharing.stage import stage
from skinfw.sharing.upload import upload
from skinfw_plugins.datasets.mannequin import draw_person


def test_a_parser_is_used_from_the_hub(
    write_labeled_photos: Callable[..., list[Path]],
    segmentation_spec: Callable[..., dict[str, Any]],
    hub: LocalHub,
    tmp_path: Path,
) -> None:
    write_labeled_photos(tmp_path / "photos", 10)
    value = segmentation_spec(
        tmp_path / "photos", training={"steps": 1, "batch_size": 4, "device": "cpu", "threads": 1}
    )
    pipeline = Pipeline(value, output=tmp_path / "parser").fit()
    (tmp_path / "staged").mkdir()
    staged = stage(pipeline.run, tmp_path / "staged", "me/parser", export=False)
    assert staged.ledger.verdict == "unknown", "the license of the photos is not declared"
    card = (tmp_path / "staged" / "README.md").read_text(encoding="utf-8")
    assert "pipeline_tag: image-segmentation" in card and "## By skin tone" not in card
    assert "images/" not in card
    name = upload(staged)

    photo = Photo(draw_person(3, (48, 40)).image)
    labels = [
        build(use("segmenter", "parser", path=path), Segmenter).segment(photo).labels
        for path in (str(pipeline.run.folder), name)
    ]
    assert np.array_equal(*labels)
    with pytest.raises(names.UserError, match="not a model on the hub"):
        build(use("segmenter", "parser", path="hub:parser"), Segmenter)
