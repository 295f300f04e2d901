"""The commands of README and tutorial work, in order, on drawn people and with tiny networks."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from drawn_photos import write_drawn_photo
from PIL import Image

from skinfw.cli import main
from skinfw.components.registry import installed

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "examples" / "plugin"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "tutorial").glob("*.md"))]
FOR_INSTALLING = {"make", "pip", "python3", "mkdir", "echo"}
"""Programs that pages use to install skinfw or to start a plugin; they are not run here."""

PHOTOS = 8

TINY = {
    "training.epochs": None,
    "training.steps": 1,
    "training.batch_size": 2,
    "training.device": "cpu",
    "data.size": [64, 32],
    "metrics": ["psnr"],
    "baselines": [],
}
OF_DATASET = {
    "mannequins": {"data.dataset.count": 20, "generator.base_channels": 4},
    "photos": {"data.dataset.prepare.num_workers": 1, "generator.refiner.base_channels": 4},
    "folder": {"generator": {"type": "pix2pix", "base_channels": 4}},
}

ADDED = {
    "prepare": ["--num-workers", "1"],
    "doctor": ["--num-workers", "1"],
    "inspect": ["--num-workers", "1"],
    "repair": ["--num-workers", "1"],
    "ablate": ["--dry-run"],
    "init": ["--yes"],
}
"""Options that a command gets here, besides those of a page."""

NEEDS_WEIGHTS = ("skin_color", "bodypix")
"""Components that need weights; those that read files replace them."""

SERVES = "--serve"
"""The option with which a command never ends."""


def shown_lines(page: Path) -> Iterator[str]:
    """Yield the lines of all blocks of commands of a page."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from block.replace("\\\n", " ").splitlines()


def arguments_of(words: list[str]) -> list[str]:
    """Return the arguments of a command, so that it takes seconds and needs no weights."""
    name, given = words[0], [word for word in words[1:] if word != SERVES]
    for index in [place for place, word in enumerate(given) if word in NEEDS_WEIGHTS][::-1]:
        del given[index - 1 : index + 1]
    if name == "run":
        dataset = json.loads(Path(given[0]).read_text(encoding="utf-8"))["data"]["dataset"]
        for word in given:
            if word.startswith("data.dataset="):
                dataset = json.loads(word.removeprefix("data.dataset="))
        settings = {**TINY, **OF_DATASET[dataset["type"]]}
        for path, value in settings.items():
            given += ["--set", f"{path}={json.dumps(value)}"]
        return [name, *given, "--overwrite"]
    return [name, *given, *ADDED.get(name, [])]


def expected(words: list[str]) -> set[int]:
    """Return the exit codes of a command that works as its page says."""
    if "generator=pix2pixx" in words:
        return {2}
    return {0, 1} if words[0] == "doctor" else {0}


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with everything that the pages' commands read."""
    data = tmp_path / "data"
    for number in range(PHOTOS):
        name = f"id_{number}_front.png"
        write_drawn_photo(tmp_path / "photos" / name, number)
        write_drawn_photo(data / "img_highres" / name, number, pose_folder=data / "openpose")
    shutil.copytree(tmp_path / "photos", tmp_path / "results")
    write_drawn_photo(tmp_path / "photo.jpg")
    mask = np.zeros((96, 64), np.uint8)
    mask[30:50, 10:30] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "plugin").symlink_to(PLUGIN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(PLUGIN)
    monkeypatch.setenv("SKINFW_REGISTRIES", str(PLUGIN / "skinfw_meantone" / "registry.toml"))
    installed.cache_clear()
    yield tmp_path
    installed.cache_clear()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_works(page: Path, working_folder: Path, models: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"[Ss]ave (?:it|the spec) as `(\w+\.json)`", text):
        (block,) = re.findall(r"^```json\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        (working_folder / name).write_text(block, encoding="utf-8")
    ran = []
    for line in shown_lines(page):
        line = line.replace("/path/to/data", str(working_folder / "data"))
        words = shlex.split(line.replace("$PWD", str(working_folder)), comments=True)
        variables = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
        words = [word for word in words if not re.match(r"[A-Z_]+=", word)]
        if not words or words[0] in FOR_INSTALLING:
            continue
        assert words[0] == "skinfw", line
        done = CliRunner(env={**os.environ, **variables}).invoke(main, arguments_of(words[1:]))
        assert done.exit_code in expected(words[1:]), f"{line}\n{done.output}\n{done.exception!r}"
        ran.append(line)
    assert ran
