"""What Python offers like the command line: opening runs, bars, printed results, scripts without a guard."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from drawn_photos import write_drawn_photo
from rich.console import Console

import skinfw
from skinfw.ablation.ablate import ablate
from skinfw.cli import main
from skinfw.components.reference import use
from skinfw.errors import RunError, SpecError, TrustError
from skinfw.hooks.specification import hookimpl
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare
from skinfw.runs.checkpoints import read_checkpoint

Make = Callable[..., Any]


class StopAfter:
    """Presses Ctrl-C at a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    @hookimpl
    def step_ended(self, step: int) -> None:
        if step == self.step:
            import signal

            signal.raise_signal(signal.SIGINT)


def test_an_interrupted_run_is_opened_and_continued(tiny_spec: Make, tmp_path: Path) -> None:
    whole = skinfw.run(tiny_spec(), output=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        skinfw.run(tiny_spec(), output=tmp_path / "run", hooks=[StopAfter(3)])
    pipeline = skinfw.Pipeline.from_run(tmp_path / "run").fit()
    ends = [read_checkpoint(each.checkpoint("last")).tensors for each in (whole, pipeline.run)]
    assert all((ends[0][name] == ends[1][name]).all() for name in ends[0])
    # a finished run, longer
    longer = skinfw.Pipeline.from_run(tmp_path / "run", overrides={"training.epochs": 3}).fit()
    assert read_checkpoint(longer.run.checkpoint("last")).progress.epoch == 3
    evaluation = skinfw.Pipeline.from_run(tmp_path / "run").evaluate(checkpoint="last")
    record = json.loads(longer.run.metrics_path.read_text(encoding="utf-8"))
    assert record["checkpoint"]["which"] == "last" and evaluation.step == record["checkpoint"]["step"]


def test_an_opened_run_evaluates_and_generates(make_run: Make, write_samples: Make, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", baselines=[])
    write_samples(tmp_path / "samples", ["a", "b"])
    pipeline = skinfw.Pipeline.from_run(run.folder)
    assert (pipeline.spec, pipeline.output) == (run.spec, run.folder)
    found = pipeline.evaluate(tmp_path / "samples", output=tmp_path / "results")
    assert found.names == ["a", "b"] and (tmp_path / "results" / "report.html").is_file()
    written = pipeline.generate(tmp_path / "samples", tmp_path / "images")
    assert [path.name for path in written] == ["a.png", "b.png"]
    with pytest.raises(RunError, match="not a run folder"):
        skinfw.Pipeline.from_run(tmp_path)
    with pytest.raises(SpecError, match=r"\$\.training\.epochs: must be at least 1"):
        skinfw.Pipeline.from_run(run.folder, overrides={"training.epochs": 0})


def test_a_strangers_run_is_not_continued_unless_it_is_trusted(
    tiny_spec: Make, write_samples: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_samples(tmp_path / "data", [f"p{number}" for number in range(10)])
    dataset = {"type": "folder", "root": str(tmp_path / "data")}
    data = {**tiny_spec()["data"], "dataset": dataset}
    training = {"steps": 1, "batch_size": 2, "device": "cpu"}
    run = skinfw.run(tiny_spec(data=data, baselines=[], training=training), output=tmp_path / "run")
    more = {"training.steps": 2}
    skinfw.Pipeline.from_run(run.folder, overrides=more).fit()  # one's own
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))
    with pytest.raises(TrustError, match=r"\$\.data\.dataset\.root names a path"):
        skinfw.Pipeline.from_run(run.folder).fit()
    skinfw.Pipeline.from_run(run.folder, overrides={"training.steps": 3}, trust=True).fit()
    assert read_checkpoint(run.checkpoint("last")).progress.step == 3


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal for progress, and what appears on it."""
    screen = io.StringIO()

    def console() -> Console:
        return Console(file=screen, force_terminal=True, width=100)

    for module in ("skinfw.system.bar", "skinfw.hooks.progress"):
        monkeypatch.setattr(f"{module}.progress_console", console)
    return screen


def test_progress_shows_the_bars_of_the_commands(
    tiny_spec: Make, write_samples: Make, tmp_path: Path, terminal: io.StringIO
) -> None:
    write_samples(tmp_path / "samples", ["a"])
    write_drawn_photo(tmp_path / "photos" / "1.png", 1)

    def shown() -> str:
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
        terminal.seek(0)
        terminal.truncate()
        return text

    spec = tiny_spec(baselines=[], training={"steps": 2, "batch_size": 4, "device": "cpu", "threads": 1})
    pipeline = skinfw.Pipeline(spec, output=tmp_path / "run", progress=True).fit()
    text = shown()
    assert "tiny in" in text and "test at step 2 of 2" in text and "step" in text
    pipeline.evaluate()
    assert "evaluate" in shown()
    pipeline.generate(tmp_path / "samples", tmp_path / "images")
    assert "generate" in shown()
    pipeline.evaluate(progress=False)
    parts = use("segmenter", "deepfashion"), use("pose_encoder", "openpose")
    config = PrepareConfig(num_workers=1)
    prepare(tmp_path / "photos", tmp_path / "one", *parts, config)
    assert not shown()
    prepare(tmp_path / "photos", tmp_path / "two", *parts, config, progress=True)
    assert re.search(r"prepare .* 1/1", shown())
    skinfw.run(spec, output=tmp_path / "silent")
    assert not shown()


def test_a_pipe_gets_no_bars(make_run: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    skinfw.Pipeline.from_run(make_run(tmp_path / "run", baselines=[]).folder, progress=True).evaluate()
    assert "evaluate" not in capfd.readouterr().err


def test_an_ablation_prints_the_lines_of_the_command(
    tiny_spec: Make, inline_engine: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = {"steps": 1, "batch_size": 4, "device": "cpu", "threads": 1}
    base = {**tiny_spec(baselines=[], discriminator=None, losses=["l1"], training=training)}
    del base["name"]
    file = {"name": "try", "base": base, "variants": {"one": {}}, "seeds": [0]}
    ablate(file, output=tmp_path / "out", engine=inline_engine, progress=True)
    assert "[1/1] one seed 0: starts in" in capsys.readouterr().err


def test_an_evaluation_prints_as_the_command_does(make_run: Make, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    evaluation = skinfw.Pipeline.from_run(run.folder).evaluate()
    done = CliRunner().invoke(main, ["evaluate", str(run.folder), "--device", "cpu"])
    assert done.exit_code == 0, done.output
    table, summary = str(evaluation).rsplit("\n", 1)
    assert summary in done.stdout.splitlines()

    def without_cost(text: str) -> list[list[str]]:
        rows = [line.split("│") for line in text.splitlines() if "│" in line]
        return [row for row in rows if row[1].strip() not in ("ms per image", "peak MiB")]

    rows = without_cost(table)
    assert len(rows) == 3 and without_cost(done.stdout)[: len(rows)] == rows
    page = evaluation._repr_html_()
    assert page.startswith("<pre") and "trained" in page and summary[:20] in page
    assert f"{evaluation.values['trained']['image/psnr']:.2f}" in page


GUARDLESS = """
import multiprocessing
from pathlib import Path
import skinfw
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare

print("begin", flush=True)
here = Path(__file__).parent
parts = skinfw.use("segmenter", "deepfashion"), skinfw.use("pose_encoder", "openpose")
two = PrepareConfig(num_workers=2)
prepare(here / "others", here / "prepared", *parts, two, progress=True)
photos = skinfw.use("dataset", "photos", root=here / "photos", cache=here / "cache", prepare=two)
fractions = {"test_fraction": 0.3, "validation_fraction": 0}
skinfw.Pipeline(
    name="guardless",
    output=here / "run",
    progress=True,
    data={"dataset": photos, "size": (32, 16), "num_workers": 2, **fractions},
    generator=skinfw.use("generator", "pix2pix", base_channels=4),
    losses=["l1"],
    metrics=["psnr"],
    baselines=[],
    training={"steps": 1, "batch_size": 2, "device": "cpu", "threads": 1},
).fit()
opened = skinfw.Pipeline.from_run(here / "run", overrides={"training.steps": 2}, progress=True)
opened.fit()
print(len(opened.evaluate(here / "prepared").names), flush=True)
print(len(opened.generate(here / "prepared", here / "images")), flush=True)
multiprocessing.set_start_method("spawn", force=True)  # as macOS and Windows do
print(len(opened.evaluate(here / "others").names))
"""


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    for seed in range(6):
        write_drawn_photo(tmp_path / "photos" / f"{seed}.png", seed)
    for seed in range(20, 23):
        write_drawn_photo(tmp_path / "others" / f"{seed}.png", seed)
    script = tmp_path / "script.py"
    script.write_text(GUARDLESS, encoding="utf-8")
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["begin", "3", "3", "3"]
