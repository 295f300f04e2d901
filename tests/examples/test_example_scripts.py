"""The Python examples, and the plugin package as a third party would install it."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import skinfw
from skinfw.components.registry import installed
from skinfw.specs.spec import load_spec
from skinfw.tasks.evaluate_run import evaluate_run

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "examples" / "compose.py"
DRAWN = ROOT / "examples" / "drawn_person.py"
PLUGIN = ROOT / "examples" / "plugin"


def _run(*command: str | Path, folder: Path, **variables: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_compose_trains_in_15_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    body = COMPOSE.read_text(encoding="utf-8").split('"""', 2)[2]
    assert len([line for line in body.splitlines() if line.strip()]) <= 15
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(COMPOSE), "1"])
    evaluated = []
    monkeypatch.setattr(
        "skinfw.tasks.train_run.evaluate_run",
        lambda *given, **named: evaluated.append(1) or evaluate_run(*given, **named),  # type: ignore[func-returns-value]
    )
    runpy.run_path(str(COMPOSE), run_name="__main__")
    assert " dB on skin" in capsys.readouterr().out
    assert len(evaluated) == 1
    assert (tmp_path / "runs" / "compose" / "report.html").is_file()


def test_a_drawn_person_is_painted_by_a_model_in_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "person.png"
    monkeypatch.setattr("sys.argv", [str(DRAWN), "-o", str(picture)])
    runpy.run_path(str(DRAWN), run_name="__main__")
    assert "the hole, skinfw:street-painter, the truth" in capsys.readouterr().out
    hole, painted, truth = np.split(np.asarray(Image.open(picture)), 3, axis=1)
    assert hole.shape == (512, 256, 3)
    cut = (hole == 127).all(axis=2)
    assert 0.01 < cut.mean() < 0.2
    assert np.array_equal(painted[~cut], truth[~cut])
    errors = [np.abs(each[cut].astype(int) - truth[cut]).mean() for each in (painted, hole)]
    assert errors[0] < errors[1] / 2


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Install the plugin into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", folder)
    _run("-m", "pip", "install", *options, PLUGIN, folder=folder)
    return str(folder)


def test_plugin_is_listed_without_being_imported(site: str, tmp_path: Path) -> None:
    code = (
        "import sys; from skinfw.components.registry import installed; "
        "print(installed().entry('loss', 'mean_tone').provider, 'skinfw_meantone' in sys.modules)"
    )
    assert _run("-c", code, folder=tmp_path, PYTHONPATH=site).strip() == "skinfw-meantone 0.1.0 False"


def test_the_spec_of_the_plugin_shows_it_at_work(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(site)
    installed.cache_clear()
    try:
        spec = load_spec(Path(site, "skinfw_meantone", "spec.json"), {"training.steps": 1})
        skinfw.run(spec, output=tmp_path / "run")
    finally:
        installed.cache_clear()
    log = (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8")
    assert '"mean_tone": ' in log
    rows = (tmp_path / "run" / "metrics.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "split,step,metric,value"
    assert [row.split(",")[0::2][:2] for row in rows[1:]] == [
        ["validation", "image/psnr"],
        ["validation", "skin/psnr"],
        ["test", "image/psnr"],
        ["test", "skin/psnr"],
    ]


def test_plugin_passes_its_own_tests(site: str, tmp_path: Path) -> None:
    # pytest exits with 5 when it finds no test
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, "--import-mode=importlib")
    _run("-m", "pytest", *options, PLUGIN / "tests", folder=tmp_path, PYTHONPATH=site)


def test_tutorial_shows_the_plugins_files() -> None:
    tutorial = (ROOT / "docs" / "tutorial" / "first-plugin.md").read_text(encoding="utf-8")
    shown = [part.split("```")[0] for part in tutorial.split("```python\n")[1:]]
    files = [path for path in PLUGIN.rglob("*.py") if path.name != "__init__.py"]
    assert len(files) == 4
    assert sorted(shown) == sorted(path.read_text(encoding="utf-8") for path in files)
    (spec,) = [part.split("```")[0] for part in tutorial.split("```json\n")[1:]]
    assert spec == (PLUGIN / "skinfw_meantone" / "spec.json").read_text(encoding="utf-8")


def test_tutorial_shows_the_plugins_manifest_and_entry_points() -> None:
    manifest = tomllib.loads((PLUGIN / "skinfw_meantone" / "registry.toml").read_text(encoding="utf-8"))
    points = tomllib.loads((PLUGIN / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    tutorial = (ROOT / "docs" / "tutorial" / "first-plugin.md").read_text(encoding="utf-8")
    blocks = [tomllib.loads(part.split("```")[0]) for part in tutorial.split("```toml\n")[1:]]
    assert manifest in blocks
    shown = [block["project"]["entry-points"] for block in blocks if "project" in block]
    assert {group: each for block in shown for group, each in block.items()} == points
