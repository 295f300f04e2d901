"""Repairing folders: the written files, the report, and what happens to pairs that cannot be repaired."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from try_on import FlatPainter, draw_person, try_on, write_pair

from skinfw.errors import DataError, RunError
from skinfw.repair.folder import repair_pairs
from skinfw.repair.pairs import find_pairs
from skinfw.repair.parsing import Parser

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


def test_files_and_report(tmp_path: Path, parser: Parser) -> None:
    for name in ("anna", "ben"):
        write_pair(tmp_path, name, f"{name}_shirt")
    write_pair(tmp_path, "cleo", "other")
    pairing = find_pairs(tmp_path / "photos", tmp_path / "results", "hr_viton", parser.sources)
    steps: list[tuple[int, int]] = []
    report = repair_pairs(
        pairing,
        tmp_path / "out",
        parser,
        inpainter=FlatPainter(),
        progress=lambda *counts: steps.append(counts),
    )
    assert steps == [(1, 2), (2, 2)]
    written = json.loads((tmp_path / "out" / "report.json").read_text())
    assert written == json.loads(json.dumps(report.to_json()))
    assert written["counts"] == {"repaired": 2, "failed": 0, "unmatched_photos": 1, "unmatched_results": 1}
    assert (written["unmatched_photos"], written["unmatched_results"]) == (["cleo.png"], ["other.png"])
    image = Image.open(tmp_path / "out" / "anna_shirt.png")
    kinds = np.asarray(Image.open(tmp_path / "out" / "provenance" / "anna_shirt.png"))
    assert SOURCE_TYPE in image.info["XML:com.adobe.xmp"]
    assert set(np.unique(kinds)) == {0, 1, 2, 3}
    pixels, made = np.asarray(image), try_on(draw_person())
    assert (pixels[kinds == 0] == made[kinds == 0]).all()
    assert (pixels[kinds == 1] == draw_person().photo[kinds == 1]).all()
    assert written["repaired"]["anna_shirt"]["pixels"]["painted"] == (kinds == 2).sum()


def test_a_bad_pair_is_named_and_the_others_are_written(tmp_path: Path, parser: Parser) -> None:
    write_pair(tmp_path, "anna")
    write_pair(tmp_path, "ben", result=np.full((240, 180, 3), 200, np.uint8))
    (tmp_path / "photos" / "cleo.png").write_bytes(b"no image")
    (tmp_path / "results" / "cleo.png").write_bytes(b"no image")
    pairing = find_pairs(tmp_path / "photos", tmp_path / "results", "names", parser.sources)
    with pytest.raises(DataError) as caught:
        repair_pairs(pairing, tmp_path / "out", parser, steps=("restore",))
    text = str(caught.value)
    assert text.startswith("2 of 3 results could not be repaired; the others are in")
    assert "ben: the result does not show this photo" in text
    assert "cleo: " in text
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "anna.png",
        "provenance",
        "report.json",
    ]
    assert set(json.loads((tmp_path / "out" / "report.json").read_text())["failed"]) == {"ben", "cleo"}


def test_nothing_is_overwritten_unasked(tmp_path: Path, parser: Parser) -> None:
    write_pair(tmp_path, "anna")
    pairing = find_pairs(tmp_path / "photos", tmp_path / "results", "names", parser.sources)
    repair_pairs(pairing, tmp_path / "out", parser, steps=("restore",))
    before = (tmp_path / "out" / "anna.png").read_bytes()
    with pytest.raises(RunError, match=r"anna.png and 2 more: already exists"):
        repair_pairs(pairing, tmp_path / "out", parser, steps=("tone",))
    assert (tmp_path / "out" / "anna.png").read_bytes() == before
    repair_pairs(pairing, tmp_path / "out", parser, steps=("tone",), overwrite=True)
    assert (tmp_path / "out" / "anna.png").read_bytes() != before
