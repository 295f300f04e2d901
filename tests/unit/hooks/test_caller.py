import logging
import os
import re
import subprocess
import sys
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy
import pytest

from skinfw.errors import RegistryError
from skinfw.hooks.caller import HookCaller
from skinfw.hooks.specification import Hooks, hookimpl

ARGUMENTS: dict[str, dict[str, Any]] = {
    "run_started": {"run": "run", "step": 0, "total_steps": 9},
    "step_ended": {"run": "run", "step": 3, "losses": {"l1": 0.5}, "images": 32},
    "epoch_ended": {"run": "run", "epoch": 1, "step": 3, "inpaint_samples": None},
    "evaluated": {"run": "run", "evaluation": "evaluation", "step": 3},
    "run_ended": {"run": "run"},
    "run_failed": {"run": "run", "error": KeyboardInterrupt()},
}


class Recorder:
    """Writes down every call, by any subset of the arguments."""

    def __init__(self, calls: list[Any], mark: str = "") -> None:
        self.calls = calls
        self.mark = mark

    @hookimpl
    def run_started(self) -> None:
        self.calls.append(self.mark + "run_started")

    @hookimpl
    def step_ended(self, losses: dict[str, float], step: int) -> None:
        self.calls.append(f"{self.mark}step_ended {step} {losses}")

    @hookimpl
    def epoch_ended(self, run: object, epoch: int) -> None:
        self.calls.append(f"{self.mark}epoch_ended {epoch} {run}")

    @hookimpl
    def evaluated(self, evaluation: object) -> None:
        self.calls.append(f"{self.mark}evaluated {evaluation}")

    @hookimpl
    def run_ended(self, run: object) -> None:
        self.calls.append(self.mark + "run_ended")

    @hookimpl
    def run_failed(self, error: BaseException) -> None:
        self.calls.append(f"{self.mark}run_failed {error!r}")


class Broken:
    @hookimpl
    def step_ended(self, step: int) -> None:
        raise ValueError(f"no step {step}")

    @hookimpl
    def run_ended(self) -> None:
        raise OSError("disk full")


def test_the_lifecycle_is_six_hooks() -> None:
    declared = [name for name in vars(Hooks) if not name.startswith("_")]
    assert declared == list(ARGUMENTS)
    for name in declared:
        assert list(signature(getattr(Hooks, name)).parameters) == ["self", *ARGUMENTS[name]]


def test_every_hook_reaches_a_plugin_with_the_arguments_it_takes() -> None:
    calls: list[Any] = []
    hooks = HookCaller([Recorder(calls)], discover=False)
    for name, arguments in ARGUMENTS.items():
        hooks.call(name, **arguments)
    assert calls == [
        "run_started",
        "step_ended 3 {'l1': 0.5}",
        "epoch_ended 1 run",
        "evaluated evaluation",
        "run_ended",
        "run_failed KeyboardInterrupt()",
    ]


def test_plugins_are_called_in_the_given_order() -> None:
    calls: list[Any] = []
    hooks = HookCaller([Recorder(calls, "first "), Recorder(calls, "second ")], discover=False)
    hooks.call("run_started", **ARGUMENTS["run_started"])
    assert calls == ["first run_started", "second run_started"]


def test_a_plugin_that_is_given_twice_is_called_once() -> None:
    calls: list[Any] = []
    recorder = Recorder(calls)
    HookCaller([recorder, recorder], discover=False).call("run_started", **ARGUMENTS["run_started"])
    assert calls == ["run_started"]


def test_a_failing_hook_is_reported_once_by_name_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[Any] = []
    hooks = HookCaller([Recorder(calls, "a "), Broken(), Recorder(calls, "b ")], discover=False)
    with caplog.at_level(logging.WARNING, logger="skinfw"):
        for step in (1, 2):
            hooks.call("step_ended", run="run", step=step, losses={}, images=4)
        hooks.call("run_ended", run="run")
    assert calls == [
        "a step_ended 1 {}",
        "b step_ended 1 {}",
        "a step_ended 2 {}",
        "b step_ended 2 {}",
        "a run_ended",
        "b run_ended",
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "hook plugin Broken failed in step_ended: ValueError: no step 1",
        "hook plugin Broken failed in run_ended: OSError: disk full",
    ]


def test_a_hook_that_interrupts_stops_the_run() -> None:
    class Interrupting:
        @hookimpl
        def run_started(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        HookCaller([Interrupting()], discover=False).call("run_started", **ARGUMENTS["run_started"])


def test_a_misspelt_hook_is_rejected_by_the_plugins_name() -> None:
    class Misspelt:
        @hookimpl
        def step_endd(self) -> None: ...

    with pytest.raises(RegistryError) as error:
        HookCaller([Misspelt()], discover=False)
    assert re.fullmatch(
        r"hook plugin \S+Misspelt: unknown hook 'step_endd'; did you mean 'step_ended'\? "
        r"\(known: run_started, step_ended, .*\)",
        str(error.value),
    )


def test_an_argument_that_a_hook_does_not_have_is_rejected_by_the_plugins_name() -> None:
    class Demanding:
        @hookimpl
        def run_started(self, stepp: int) -> None: ...

    with pytest.raises(RegistryError) as error:
        HookCaller([Demanding()], discover=False)
    assert re.fullmatch(
        r"hook plugin \S+Demanding: run_started has no argument 'stepp'; did you mean 'step'\? "
        r"\(known: run, step, total_steps\)",
        str(error.value),
    )


def test_what_pluggy_rejects_is_one_line() -> None:
    class Wrapping:
        @pluggy.HookimplMarker("skinfw")(wrapper=True)
        def run_ended(self) -> None: ...

    with pytest.raises(RegistryError, match=r"^hook plugin \S+Wrapping: .*not a generator function$") as told:
        HookCaller([Wrapping()], discover=False)
    assert re.search(r"\d{6}", str(told.value)) is None  # an address names nothing


def test_a_module_is_a_plugin_by_its_own_name(caplog: pytest.LogCaptureFixture) -> None:
    module = ModuleType("my_hooks")

    @hookimpl
    def run_started() -> None:
        raise ValueError("no")

    vars(module)["run_started"] = run_started
    with caplog.at_level(logging.WARNING, logger="skinfw"):
        HookCaller([module], discover=False).call("run_started", **ARGUMENTS["run_started"])
    assert "hook plugin my_hooks failed in run_started" in caplog.text


INSTALLED = """
from skinfw.hooks.specification import hookimpl

@hookimpl
def run_started():
    print("hello from an installed plugin")
"""

CALL = """
from skinfw.hooks.caller import HookCaller
hooks = HookCaller()
hooks.call("run_started", run=None, step=0, total_steps=1)
print(hooks.versions())
"""


def test_installed_plugins_are_called_and_broken_ones_are_reported(tmp_path: Path) -> None:
    bodies = {
        "good": INSTALLED,
        "torn": "raise RuntimeError('torn')",
        "later": INSTALLED.replace("run_started", "run_paused"),
        "demanding": INSTALLED.replace("run_started()", "run_started(color)"),
    }
    for name, body in bodies.items():
        (tmp_path / f"hooks_{name}.py").write_text(body, encoding="utf-8")
        about = tmp_path / f"skinfw_{name}-2.1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: skinfw-{name}\nVersion: 2.1\n", "utf-8"
        )
        (about / "entry_points.txt").write_text(f"[skinfw.hooks]\nx = hooks_{name}\n", encoding="utf-8")

    def call(**environment: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), **environment}
        command = [sys.executable, "-c", CALL]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True)

    done = call()
    assert done.stdout.splitlines() == ["hello from an installed plugin", "{'skinfw-good': '2.1'}"]
    assert "hook plugin skinfw-torn 2.1 cannot be imported: RuntimeError: torn" in done.stderr
    assert "hook plugin skinfw-later 2.1 is not used: unknown hook 'run_paused'" in done.stderr
    assert "hook plugin skinfw-demanding 2.1 is not used: run_started has no argument" in done.stderr
    assert call(SKINFW_NO_PLUGINS="1").stdout.splitlines() == ["{}"]
