"""Checks a plugin: what skinfw reads of it, what pip installs of it, and whether it works."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from skinfw.plugin_kit.find import Plugin, importable
from skinfw.plugin_kit.result import Result
from skinfw.plugin_kit.wheel import check_wheel
from skinfw.plugin_kit.worker import PHASES

_FAILING_HOOK = "Warning: hook plugin {name} "


def check_plugin(plugin: Plugin, steps: int = 10) -> Iterator[Result]:
    """Check a plugin and yield each result as it is known; see `skinfw.plugin_kit.result.MEANINGS`.

    The plugin is imported in separate processes, so whatever it does cannot stop the checks.

    Args:
        plugin: the plugin.
        steps: optimizer steps of the training with the plugin's spec; 0 for none.
    """
    with importable(plugin) as environment, tempfile.TemporaryDirectory(prefix="skinfw-") as folder:
        light, full = PHASES
        found = list(_in_process(light, plugin, environment, Path(folder)))
        yield from found
        yield check_wheel(plugin)
        if any(result.check != "configuration" and result.status == "failed" for result in found):
            yield Result("class", plugin.name, "skipped", "skinfw does not load the plugin")
            return
        found = []
        for result in _in_process(full, plugin, environment, Path(folder)):
            found.append(result)
            yield result
        specs = [result for result in found if result.check == "spec"]
        yield _train(plugin, specs, steps, environment, Path(folder))


def _in_process(phase: str, plugin: Plugin, environment: Mapping[str, str], folder: Path) -> Iterator[Result]:
    """Yield the results of one phase, and a failure if its process fails."""
    file = folder / phase
    command = ["-m", "skinfw.plugin_kit.worker", phase, plugin.name, str(file)]
    done = _run(command, environment, folder)
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    yield from (Result(**json.loads(line)) for line in lines)
    if done.returncode:
        check = "class" if phase == PHASES[-1] else "configuration"
        yield Result(check, plugin.name, "failed", f"the process that imports it failed: {_last_line(done)}")


def _train(
    plugin: Plugin, specs: Sequence[Result], steps: int, environment: Mapping[str, str], folder: Path
) -> Result:
    valid = [result.subject for result in specs if result.status == "passed"]
    if not valid or not steps:
        reason = "its spec cannot be used" if specs and specs[0].status == "failed" else "it has no spec.json"
        return Result("training", plugin.name, "skipped", reason if steps else "no steps were asked for")
    settings = {"training.steps": steps, "training.epochs": "null"}
    assignments = [f"--set={path}={value}" for path, value in settings.items()]
    command = ["-m", "skinfw", "run", valid[0], "--output", str(folder / "run"), *assignments]
    done = _run(command, environment, folder)
    subject = f"{steps} steps of {valid[0]}"
    if done.returncode:
        return Result("training", subject, "failed", _last_line(done))
    for line in done.stderr.splitlines():
        if line.startswith(_FAILING_HOOK.format(name=plugin)):
            return Result("training", subject, "failed", line.removeprefix("Warning: "))
    return Result("training", subject, "passed")


def _run(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    # in an empty folder, because Python would import from the current one
    return subprocess.run(
        [sys.executable, *command],
        env=dict(environment),
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a failed process said last, or its exit code."""
    lines = done.stderr.strip().splitlines()
    return lines[-1].removeprefix("Error: ") if lines else f"exit code {done.returncode}"
