"""Repairing folders: the written files, the report, and what happens to pairs that cannot be repaired."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from try_on import SEGMENTER, FlatPainter, draw_person, try_on, write_pair

from skinfw.components.config import ComponentConfig
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError, NotFiniteError, RunError
from skinfw.inference.image_table import ImageRow, check_rows
from skinfw.inference.painted import Painted
from skinfw.interfaces import Segmenter
from skinfw.repair import folder
from skinfw.repair.auditing import audit
from skinfw.repair.folder import LOCK_FILE, TABLE, repair_pairs
from skinfw.repair.pair_task import PairRepairer, RepairWork
from skinfw.repair.pairs import Pairing, PairOfFiles, find_pairs
from skinfw.repair.parsing import Labels, Parser, ParserReference
from skinfw.repair.repairing import Paints
from skinfw.system.locks import locked_folder
from skinfw.system.own_folders import listed_images

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


def repair(
    pairing: Pairing, output: Path, parser: Parser, *, inpainter: Paints | None = None, **options: Any
) -> list[ImageRow]:
    """Repair pairs in this process; raises an error if some could not be."""
    steps = {"steps": options.pop("steps")} if "steps" in options else {}
    reference = ParserReference(SEGMENTER, {"type": "openpose"})
    work = RepairWork(Path.cwd(), output, reference, device="cpu", **steps)
    repairer = PairRepairer(work, parser, inpainter)
    rows = repair_pairs(repairer, pairing, **{"num_workers": 1, **options})
    check_rows(rows, output / TABLE, "result", "repaired")
    return rows


def table(output: Path) -> dict[str, dict[str, Any]]:
    """Return the lines of the table by image."""
    lines = [json.loads(line) for line in (output / TABLE).read_text(encoding="utf-8").splitlines()]
    found = {line["image"]: line for line in lines}
    assert len(found) == len(lines)
    return found


def test_files_and_rows(tmp_path: Path, parser: Parser) -> None:
    for name in ("anna", "ben"):
        write_pair(tmp_path, name, f"{name}_shirt")
    write_pair(tmp_path, "cleo", "other")
    pairing = find_pairs(tmp_path / "photos", tmp_path / "results", "hr_viton", parser.sources)
    steps: list[tuple[int, int]] = []
    rows = repair(
        pairing,
        tmp_path / "out",
        parser,
        inpainter=FlatPainter(),
        progress=lambda *counts: steps.append(counts),
    )
    assert steps == [(1, 2), (2, 2)]
    written = table(tmp_path / "out")
    assert list(written.values()) == json.loads(json.dumps([row.to_json() for row in rows]))
    assert {name: row["status"] for name, row in written.items()} == {
        "anna_shirt.png": "repaired",
        "ben_shirt.png": "repaired",
        "cleo.png": "not used",
        "other.png": "not used",
    }
    images = {tmp_path / "out" / f"{name}_shirt.png" for name in ("anna", "ben")}
    assert listed_images(tmp_path / "out", [TABLE]) == images  # which are not read as photos later
    reasons = [written[name]["reason"] for name in ("cleo.png", "other.png")]
    assert reasons == ["a photo without a result", "a result without a photo"]
    image = Image.open(tmp_path / "out" / "anna_shirt.png")
    kinds = np.asarray(Image.open(tmp_path / "out" / "provenance" / "anna_shirt.png"))
    assert SOURCE_TYPE in image.info["XML:com.adobe.xmp"]
    assert set(np.unique(kinds)) == {0, 1, 2, 3}
    pixels, made = np.asarray(image), try_on(draw_person())
    assert (pixels[kinds == 0] == made[kinds == 0]).all()
    assert (pixels[kinds == 1] == draw_person().photo[kinds == 1]).all()
    assert written["anna_shirt.png"]["report"]["pixels"]["painted"] == (kinds == 2).sum()


def test_a_bad_pair_is_named_and_the_others_are_written(tmp_path: Path, parser: Parser) -> None:
    write_pair(tmp_path, "anna")
    write_pair(tmp_path, "ben", result=np.full((240, 180, 3), 200, np.uint8))
    (tmp_path / "photos" / "cleo.png").write_bytes(b"no image")
    (tmp_path / "results" / "cleo.png").write_bytes(b"no image")
    pairing = find_pairs(tmp_path / "photos", tmp_path / "results", "names", parser.sources)
    with pytest.raises(DataError) as caught:
        repair(pairing, tmp_path / "out", parser, steps=("restore",))
    text = str(caught.value)
    assert text.startswith(f"2 of 3 results not repaired; {tmp_path / 'out' / TABLE} says why for each")
    assert "ben.png: the result does not show this photo" in text
    assert "cleo.png: " in text
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "anna.png",
        "provenance",
        TABLE,
    ]
    failed = {name for name, row in table(tmp_path / "out").items() if row["status"] == "failed"}
    assert failed == {"ben.png", "cleo.png"}


def test_nothing_is_overwritten_unasked(tmp_path: Path, parser: Parser) -> None:
    write_pair(tmp_path, "anna")
    pairing = find_pairs(tmp_path / "photos", tmp_path / "results", "names", parser.sources)
    repair(pairing, tmp_path / "out", parser, steps=("restore",))
    before = (tmp_path / "out" / "anna.png").read_bytes()
    with pytest.raises(
        RunError, match=r"anna.png: already exists \(and 1 more file\); continue with --resume"
    ):
        repair(pairing, tmp_path / "out", parser, steps=("tone",))
    assert (tmp_path / "out" / "anna.png").read_bytes() == before
    repair(pairing, tmp_path / "out", parser, steps=("tone",), overwrite=True)
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
    with pytest.raises(DataError, match=f"1 of 3 results not repaired(.|\n)*  ben.png: {text}$"):
        repair(pairing, tmp_path / "out", failing, steps=("restore",))
    rows = table(tmp_path / "out")
    assert [row["status"] for row in rows.values()] == ["repaired", "failed", "repaired"]
    assert rows["ben.png"]["reason"] == f"ben.png: {text}"
    assert (tmp_path / "out" / "cleo.png").is_file()
    found = audit(pairing, failing)
    assert (found.failed, list(found.pairs)) == ({"ben": text}, ["anna", "cleo"])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RunError("no space left")])
def test_the_table_is_whole_when_the_work_ends_early(
    tmp_path: Path, parser: Parser, error: BaseException
) -> None:
    pairing = three_pairs(tmp_path, parser)
    failing = replace(parser, segmenter=FailingSegmenter(parser.segmenter, error))
    with pytest.raises(type(error)):
        repair(pairing, tmp_path / "out", failing, steps=("restore",))
    rows = table(tmp_path / "out")
    assert [row["status"] for row in rows.values()] == ["repaired", "unfinished", "unfinished"]
    assert not (tmp_path / "out" / LOCK_FILE).exists()


def test_one_process_per_folder_and_no_leftovers(tmp_path: Path, parser: Parser) -> None:
    pairing, out = three_pairs(tmp_path, parser), tmp_path / "out"
    with (
        locked_folder(out, LOCK_FILE, "skinfw repair"),
        pytest.raises(RunError, match="another skinfw repair is running here"),
    ):
        repair(pairing, out, parser, steps=("restore",))
    assert not list(out.iterdir())
    leftover = out / "provenance" / ".anna.png.2147483648-0.tmp"
    leftover.parent.mkdir()
    leftover.touch()
    repair(pairing, out, parser, steps=("restore",))
    assert not leftover.exists()


def test_an_image_and_a_provenance_map_of_one_path(tmp_path: Path, parser: Parser) -> None:
    write_pair(tmp_path, "anna")
    files = tmp_path / "photos" / "anna.png", tmp_path / "results" / "anna.png"
    pairing = Pairing([PairOfFiles(name, *files) for name in ("anna", "provenance/anna")], (), ())
    with pytest.raises(DataError, match="would be both an image and a provenance map"):
        repair(pairing, tmp_path / "out", parser, steps=("restore",))
    assert not list((tmp_path / "out").iterdir())


def test_each_photo_has_its_own_label_map_in_a_folder_of_them(tmp_path: Path, parser: Parser) -> None:
    for name in ("x/front", "y/front", "y/back"):
        write_pair(tmp_path, name)
    kinds = ("photos", "results")
    folders = {kind: tmp_path / kind for kind in kinds}
    pairing = find_pairs(folders["photos"], folders["results"], "names", parser.sources)
    maps = {kind: tmp_path / "maps" / kind for kind in kinds}
    for kind in kinds:
        for name, target in (("x/front", "x/front"), ("y/front", "front"), ("y/back", "back")):
            (maps[kind] / target).parent.mkdir(parents=True, exist_ok=True)
            (folders[kind] / f"{name}_labels.png").rename(maps[kind] / f"{target}.png")
    given = Parser(
        parser.segmenter,
        person=Labels(parser.segmenter, maps["photos"]),
        result=Labels(parser.segmenter, maps["results"]),
    )
    with pytest.raises(DataError, match=r"y/front.png: .*no label map named y/front; name it as its picture"):
        repair(pairing, tmp_path / "out", given, steps=("restore",))
    reached = {name: row["status"] for name, row in table(tmp_path / "out").items()}
    assert reached == {"x/front.png": "repaired", "y/back.png": "repaired", "y/front.png": "failed"}
    assert list(audit(pairing, given).failed) == ["y/front"]


def statuses(rows: list[ImageRow]) -> list[str]:
    return [row.status for row in rows]


def test_resuming_repairs_what_is_missing_or_changed(tmp_path: Path, parser: Parser) -> None:
    pairing, out = three_pairs(tmp_path, parser), tmp_path / "out"
    repair(pairing, out, parser, steps=("restore",))
    before = {path: path.read_bytes() for path in out.rglob("*.png")}

    def again(**options: Any) -> list[str]:
        return statuses(repair(pairing, out, parser, resume=True, **{"steps": ("restore",), **options}))

    assert again() == ["kept"] * 3
    (out / "anna.png").unlink()
    (out / "provenance" / "ben.png").unlink()
    assert again() == ["repaired", "repaired", "kept"]
    assert {path: path.read_bytes() for path in before} == before
    made = Image.open(tmp_path / "results" / "ben.png")
    made.putpixel((0, 0), (1, 2, 3))
    made.save(tmp_path / "results" / "ben.png")
    assert again() == ["kept", "repaired", "kept"]
    labels = tmp_path / "photos" / "cleo_labels.png"
    map_of = np.asarray(Image.open(labels)).copy()
    map_of[0, 0] = 1
    Image.fromarray(map_of).save(labels)
    assert again() == ["kept", "kept", "repaired"]
    assert again(steps=("restore", "tone")) == ["repaired"] * 3
    assert len(table(out)) == 3
    Image.open(out / "anna.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(out / "anna.png")
    with pytest.raises(RunError, match=r"anna\.png was edited, or not made by this command"):
        again()


KILLED = """
import os, signal, sys
from skinfw.cli import main
from skinfw.inference.painted import Painted

save = Painted.save

def killed(painted, path):
    if path.stem != "ben":
        return save(painted, path)
    if WRITTEN:
        save(painted, path)
    os.kill(os.getpid(), signal.SIGKILL)

Painted.save = killed
main(sys.argv[1:])
"""


def killed_at_ben(folder: Path, out: Path, only: str, *more: str, written: bool) -> None:
    """Repair in a process that is killed at ben, before its image is written or before its row is."""
    arguments = {
        "--person": folder / "photos",
        "--result": folder / "results",
        "--output": out,
        "--only": only,
        "--segmenter": json.dumps(SEGMENTER),
        "--pose-encoder": "openpose",
        "--num-workers": 1,
    }
    options = [str(part) for pair in arguments.items() for part in pair]
    command = [sys.executable, "-c", KILLED.replace("WRITTEN", str(written)), "repair", *options, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_killed_command_is_resumed(tmp_path: Path, parser: Parser) -> None:
    pairing, out = three_pairs(tmp_path, parser), tmp_path / "out"
    killed_at_ben(tmp_path, out, "restore", written=False)
    assert (out / "provenance" / "ben.png").is_file() and not (out / "ben.png").exists()
    assert table_statuses(out) == {"anna.png": "repaired", "ben.png": "unfinished", "cleo.png": "unfinished"}
    rows = repair(pairing, out, parser, steps=("restore",), resume=True)
    assert statuses(rows) == ["kept", "repaired", "repaired"]
    assert table_statuses(out) == {"anna.png": "kept", "ben.png": "repaired", "cleo.png": "repaired"}


@pytest.mark.parametrize("written", [True, False])
def test_a_killed_resume_is_resumed(tmp_path: Path, parser: Parser, written: bool) -> None:
    pairing, out = three_pairs(tmp_path, parser), tmp_path / "out"
    repair(pairing, out, parser, steps=("restore",))
    cleo = (out / "cleo.png").read_bytes()
    killed_at_ben(tmp_path, out, "tone", "--resume", written=written)
    assert (out / "cleo.png").read_bytes() == cleo
    rows = repair(pairing, out, parser, steps=("restore",), resume=True)
    # anna was made with other steps; nobody knows what ben's files are; cleo was not reached
    assert statuses(rows) == ["repaired", "repaired", "kept"]
    (out / "cleo.png").write_bytes(cleo + b"edited")
    with pytest.raises(RunError, match=r"cleo\.png was edited"):
        repair(pairing, out, parser, steps=("restore",), resume=True)


@pytest.mark.parametrize("written", [True, False])
def test_a_pair_that_fails_after_a_killed_command_is_resumed(
    tmp_path: Path, parser: Parser, written: bool
) -> None:
    pairing, out = three_pairs(tmp_path, parser), tmp_path / "out"
    killed_at_ben(tmp_path, out, "restore", written=written)
    labels = tmp_path / "photos" / "ben_labels.png"
    content = labels.read_bytes()
    labels.unlink()
    for _ in range(2):
        with pytest.raises(DataError, match="1 of 3 results not repaired"):
            repair(pairing, out, parser, steps=("restore",), resume=True)
        row = table(out)["ben.png"]
        assert (row["status"], row["output"], row["sha256"]) == ("failed", "ben.png", "")
    labels.write_bytes(content)
    rows = repair(pairing, out, parser, steps=("restore",), resume=True)
    assert statuses(rows) == ["kept", "repaired", "kept"]


def test_a_map_that_was_written_before_an_interruption_is_written_again(
    tmp_path: Path, parser: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairing, out = three_pairs(tmp_path, parser), tmp_path / "out"
    repair(pairing, out, parser, steps=("restore",))
    save = Painted.save

    def interrupted(painted: Painted, path: Path) -> Path:
        if path.stem == "ben":  # its new map is there, its image is the old one
            raise KeyboardInterrupt
        return save(painted, path)

    with monkeypatch.context() as patch:
        patch.setattr(Painted, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            repair(pairing, out, parser, steps=("restore", "tone"), resume=True)
    assert table_statuses(out) == {"anna.png": "repaired", "ben.png": "unfinished", "cleo.png": "repaired"}
    rows = repair(pairing, out, parser, steps=("restore",), resume=True)
    assert statuses(rows) == ["repaired", "repaired", "kept"]


def table_statuses(output: Path) -> dict[str, str]:
    """Return the last status of each image: a killed command leaves lines that were overtaken."""
    lines = [json.loads(line) for line in (output / TABLE).read_text(encoding="utf-8").splitlines()]
    return {line["image"]: line["status"] for line in lines}


class ComputingSegmenter(FailingSegmenter):
    """Makes label maps itself, as a network does."""

    computes = True


@pytest.mark.parametrize(
    ("computes", "pose", "given", "model", "device", "count"),
    [
        (True, False, False, None, "cpu", 1),  # a segmenter chooses its device itself
        (False, True, False, None, "cpu", 1),
        (False, False, False, None, "auto", None),  # only label maps are read
        (True, False, True, None, "auto", None),
        (False, False, False, "model", "auto", 1),
        (False, False, False, "model", "cpu", None),
    ],
)
def test_one_process_if_an_accelerator_may_hold_a_network(
    tmp_path: Path, parser: Parser, monkeypatch: pytest.MonkeyPatch,
    computes: bool, pose: bool, given: bool, model: str | None, device: Any, count: int | None,
) -> None:  # fmt: skip
    accelerator = torch.device("cuda")
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: accelerator)
    counts: list[int | None] = []

    def work_on(work: Any, tasks: Any, worker: Any, num_workers: int | None) -> list[ImageRow]:
        counts.append(num_workers)
        return []

    monkeypatch.setattr(folder, "work_on", work_on)
    used = ComputingSegmenter(parser.segmenter, RunError("")) if computes else parser.segmenter
    labels = Labels(parser.segmenter, tmp_path) if given else None
    parser = Parser(used, parser.pose_encoder if pose else None, labels, labels)
    work = RepairWork(Path.cwd(), tmp_path / "out", ParserReference(SEGMENTER), ("restore",), device=device)
    repairer = PairRepairer(work, parser, None)
    repairer.work = replace(work, model=None if model is None else Path(model))
    repair_pairs(repairer, three_pairs(tmp_path, parser))
    assert counts == [count]


def test_processes_give_the_same_files(tmp_path: Path, parser: Parser) -> None:
    pairing = three_pairs(tmp_path, parser)
    for count in (1, 2):
        repair(pairing, tmp_path / f"{count}", parser, steps=("restore", "tone"), num_workers=count)
    one, two = (
        {path.relative_to(tmp_path / name).as_posix(): path.read_bytes() for path in files}
        for name, files in ((name, (tmp_path / name).rglob("*")) for name in ("1", "2"))
        for files in [[path for path in files if path.is_file()]]
    )
    assert one == two
    assert len(one) == 7
