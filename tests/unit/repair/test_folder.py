"""Repairing folders: the written files, the report, and what happens to pairs that cannot be repaired."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from try_on import FlatPainter, draw_person, try_on, write_pair

from skinfw.components.config import ComponentConfig
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError, NotFiniteError, RunError
from skinfw.interfaces import Segmenter
from skinfw.repair.auditing import audit
from skinfw.repair.folder import LOCK_FILE, repair_pairs
from skinfw.repair.pairs import Pairing, PairOfFiles, find_pairs
from skinfw.repair.parsing import Parser
from skinfw.system.locks import locked_folder

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
    assert written["counts"] == {
        "repaired": 2,
        "failed": 0,
        "unmatched_photos": 1,
        "unmatched_results": 1,
        "unfinished": 0,
    }
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
    with pytest.raises(RunError, match=r"anna.png: already exists \(and 2 more files\); replace with"):
        repair_pairs(pairing, tmp_path / "out", parser, steps=("tone",))
    assert (tmp_path / "out" / "anna.png").read_bytes() == before
    repair_pairs(pairing, tmp_path / "out", parser, steps=("tone",), overwrite=True)
    assert (tmp_path / "out" / "anna.png").read_bytes() != before


class FailingSegmenter(Segmenter[ComponentConfig]):
    """Reads label maps by another segmenter, and raises an error for the photo ben."""

    def __init__(self, inner: Segmenter[ComponentConfig], error: BaseException) -> None:
        super().__init__(ComponentConfig(), None)
        self.inner, self.error = inner, error

    def segment(self, photo: Photo) -> Segmentation:
        if photo.path is not None and photo.path.stem == "ben":
            raise self.error
        return self.inner.segment(photo)

    def sources(self, photo: Path) -> tuple[Path, ...]:
        return self.inner.sources(photo)


def three_pairs(folder: Path, parser: Parser) -> Pairing:
    for name in ("anna", "ben", "cleo"):
        write_pair(folder, name)
    return find_pairs(folder / "photos", folder / "results", "names", parser.sources)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NotFiniteError("the network returned NaN"), "the network returned NaN"),
        (IndexError("list index out of range"), "IndexError: list index out of range"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_a_component_that_fails_for_one_pair(
    tmp_path: Path, parser: Parser, error: Exception, text: str
) -> None:
    pairing = three_pairs(tmp_path, parser)
    failing = replace(parser, segmenter=FailingSegmenter(parser.segmenter, error))
    with pytest.raises(DataError, match=f"1 of 3 results could not be repaired(.|\n)*  ben: {text}$"):
        repair_pairs(pairing, tmp_path / "out", failing, steps=("restore",))
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["failed"], list(report["repaired"])) == ({"ben": text}, ["anna", "cleo"])
    assert (tmp_path / "out" / "cleo.png").is_file()
    found = audit(pairing, failing)
    assert (found.failed, list(found.pairs)) == ({"ben": text}, ["anna", "cleo"])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RunError("no space left")])
def test_the_report_is_written_when_the_work_ends_early(
    tmp_path: Path, parser: Parser, error: BaseException
) -> None:
    pairing = three_pairs(tmp_path, parser)
    failing = replace(parser, segmenter=FailingSegmenter(parser.segmenter, error))
    with pytest.raises(type(error)):
        repair_pairs(pairing, tmp_path / "out", failing, steps=("restore",))
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (list(report["repaired"]), report["unfinished"]) == (["anna"], ["ben", "cleo"])
    assert report["counts"]["unfinished"] == 2
    assert not (tmp_path / "out" / LOCK_FILE).exists()


def test_one_process_per_folder_and_no_leftovers(tmp_path: Path, parser: Parser) -> None:
    pairing, out = three_pairs(tmp_path, parser), tmp_path / "out"
    with (
        locked_folder(out, LOCK_FILE, "skinfw repair"),
        pytest.raises(RunError, match="another skinfw repair is running here"),
    ):
        repair_pairs(pairing, out, parser, steps=("restore",))
    assert not list(out.iterdir())
    leftover = out / "provenance" / ".anna.png.2147483648-0.tmp"
    leftover.parent.mkdir()
    leftover.touch()
    repair_pairs(pairing, out, parser, steps=("restore",))
    assert not leftover.exists()


def test_an_image_and_a_provenance_map_of_one_path(tmp_path: Path, parser: Parser) -> None:
    write_pair(tmp_path, "anna")
    files = tmp_path / "photos" / "anna.png", tmp_path / "results" / "anna.png"
    pairing = Pairing([PairOfFiles(name, *files) for name in ("anna", "provenance/anna")], (), ())
    with pytest.raises(DataError, match="would be both an image and a provenance map"):
        repair_pairs(pairing, tmp_path / "out", parser, steps=("restore",))
    assert not list((tmp_path / "out").iterdir())
