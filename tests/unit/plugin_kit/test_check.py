"""The checks of a plugin find what is wrong with it, and say what they could not check."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from skinfw.cli import main
from skinfw.components.registry import installed
from skinfw.errors import UserError
from skinfw.plugin_kit import check, light_checks, worker
from skinfw.plugin_kit.find import Plugin, find_plugin, importable
from skinfw.plugin_kit.full_checks import full_checks
from skinfw.plugin_kit.new import NewPlugin, new_plugin
from skinfw.plugin_kit.result import MEANINGS, Result
from skinfw.plugin_kit.wheel import check_wheel
from skinfw.specs.spec import load_spec


@dataclass
class Made:
    """A new plugin in a folder, to be broken and checked."""

    new: NewPlugin
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    modules: list[str] = field(default_factory=list)

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file.replace("PACKAGE", self.new.package)
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    @contextmanager
    def importable(self) -> Iterator[None]:
        """Let this process import the plugin as the processes of the checks do."""
        with importable(find_plugin(str(self.folder))) as environment, self.monkeypatch.context() as patch:
            for path in reversed(environment["PYTHONPATH"].split(os.pathsep)[:2]):
                patch.syspath_prepend(path)
            installed.cache_clear()
            yield
        installed.cache_clear()

    def light(self) -> dict[str, Result]:
        # this process has imported torch
        self.monkeypatch.setattr(light_checks, "TORCH", f"{self.new.package}.heavy")
        with self.importable():
            return {result.check: result for result in light_checks.light_checks(self.new.distribution)}

    def full(self) -> dict[str, Result]:
        with self.importable():
            return {result.check: result for result in full_checks(self.new.distribution)}


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """A new plugin; the parameter is its kind, by default a loss."""
    kind = getattr(request, "param", "loss")
    name = f"checked_{abs(hash(request.node.name)) % 10**9}"  # Python imports each package once
    before = set(sys.modules)
    yield Made(new_plugin(name, kind, tmp_path / "made"), tmp_path / "made", monkeypatch)
    for module in set(sys.modules) - before:
        if module.startswith(f"skinfw_{name}"):
            del sys.modules[module]


def statuses(results: Mapping[str, Result]) -> dict[str, str]:
    assert all(bool(result.reason) == (result.status != "passed") for result in results.values())
    return {check: result.status for check, result in results.items()}


HEAVY = "from . import heavy\n"
COMPONENT = {"class": "passed", "contract": "passed", "spec": "passed"}
LIGHT = dict.fromkeys(("entry point", "manifest", "names", "configuration"), "passed")


@pytest.mark.parametrize(
    ("made", "light", "full"),
    [
        ("loss", LIGHT, COMPONENT),
        ("dataset", LIGHT, COMPONENT),
        ("segmenter", LIGHT, COMPONENT),
        ("input", LIGHT, COMPONENT),
        ("hook", {"entry point": "passed"}, {"hooks": "passed", "spec": "passed"}),
    ],
    indirect=["made"],
)
def test_a_new_plugin_passes(made: Made, light: dict[str, str], full: dict[str, str]) -> None:
    assert statuses(made.light()) == light
    assert statuses(made.full()) == full


def test_a_misspelt_class_fails_though_its_spec_is_valid(made: Made) -> None:
    made.edit("PACKAGE/registry.toml", 'Loss"', 'Los"')
    with made.importable():
        load_spec(made.folder / made.new.spec)
    assert statuses(made.light()) == LIGHT
    found = made.full()
    assert statuses(found) == {"class": "failed", "contract": "skipped", "spec": "passed"}
    assert "has no attribute" in found["class"].reason


def test_a_class_of_another_kind_fails(made: Made) -> None:
    made.edit("PACKAGE/registry.toml", 'kind = "loss"', 'kind = "metric"')
    made.edit("PACKAGE/spec.json", f'"losses": ["l1", "{made.new.name}"]', '"losses": ["l1"]')
    found = made.full()
    assert found["class"].status == "failed"
    assert "not a subclass of Metric" in found["class"].reason


@pytest.mark.parametrize(
    ("file", "old", "new", "check", "words"),
    [
        ("pyproject.toml", "skinfw.registries", "skinfw.registry", "entry point", "no entry point in"),
        ("pyproject.toml", '= "skinfw_', '= "skinfwx_', "entry point", "unknown package"),
        ("PACKAGE/registry.toml", "summary", "sumary", "manifest", "unknown field"),
        ("PACKAGE/registry.toml", 'name = "checked', 'name = "l1" # "', "names", "already comes from skinfw"),
        ("PACKAGE/config.py", "LossConfig)", "LossConfi)", "configuration", "NameError"),
        (
            "PACKAGE/config.py",
            "from typing",
            "from . import heavy\nfrom typing",
            "configuration",
            "imports torch",
        ),
    ],
)
def test_what_skinfw_cannot_read_fails(
    made: Made, file: str, old: str, new: str, check: str, words: str
) -> None:
    (made.folder / made.new.package / "heavy.py").touch()
    made.edit(file, old, new)
    found = made.light()
    assert [name for name, result in found.items() if result.status == "failed"] == [check]
    assert words in found[check].reason


def test_a_second_configuration_is_skipped_where_torch_is_loaded(made: Made) -> None:
    (made.folder / made.new.package / "heavy.py").touch()
    made.edit("PACKAGE/config.py", "from typing", f"{HEAVY}from typing")
    path = made.folder / made.new.package / "registry.toml"
    text = path.read_text(encoding="utf-8")
    second = text[text.index("[[component]]") :].replace(f'"{made.new.name}"', '"second"')
    path.write_text(text + second, encoding="utf-8")
    made.monkeypatch.setattr(light_checks, "TORCH", f"{made.new.package}.heavy")
    with made.importable():
        found = list(light_checks.light_checks(made.new.distribution))
    assert [result.status for result in found if result.check == "configuration"] == ["failed", "skipped"]


def test_a_violated_contract_fails(made: Made) -> None:
    made.edit("PACKAGE/loss.py", "self.region_mean(steps, context)", "steps")
    found = made.full()
    assert statuses(found) == {**COMPONENT, "contract": "failed"}
    assert "not that of a scalar" in found["contract"].reason


@pytest.mark.parametrize("made", ["dataset"], indirect=True)
def test_a_component_without_its_data_is_skipped(made: Made) -> None:
    (made.folder / made.new.spec).unlink()
    found = made.full()
    assert statuses(found) == {"class": "passed", "contract": "skipped", "spec": "skipped"}
    assert found["contract"].reason.startswith("root must be set")


def test_a_spec_that_does_not_use_the_plugin_fails(made: Made) -> None:
    made.edit("PACKAGE/spec.json", f'"losses": ["l1", "{made.new.name}"]', '"losses": ["l1"]')
    found = made.full()
    assert found["spec"].status == "failed"
    assert found["spec"].reason == f"it does not use loss {made.new.name}"


@pytest.mark.parametrize("made", ["hook"], indirect=True)
def test_a_misspelt_hook_fails(made: Made) -> None:
    made.edit("PACKAGE/hooks.py", "def step_ended", "def step_endd")
    found = made.full()
    assert found["hooks"].status == "failed"
    assert "unknown hook 'step_endd'" in found["hooks"].reason


def test_the_wheel_is_built_and_looked_into(made: Made) -> None:
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    found = check_wheel(find_plugin(str(made.folder)))
    assert (found.status, found.subject) == ("passed", f"{made.new.package}-0.1.0-py3-none-any.whl")
    with (made.folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.hatch.build]\nexclude = ["registry.toml", "loss.py"]\n')
    found = check_wheel(find_plugin(str(made.folder)))
    package = made.new.package
    assert (found.status, found.reason) == ("failed", f"it lacks {package}/registry.toml, {package}.loss")


def test_a_wheel_that_cannot_be_built_here_is_skipped(made: Made) -> None:
    plugin = find_plugin(str(made.folder))
    made.monkeypatch.setitem(sys.modules, "build", None)
    assert check_wheel(plugin).reason == "not installed: build; pip install build"
    made.monkeypatch.undo()
    made.edit("pyproject.toml", 'requires = ["hatchling>=1.26"]', 'requires = ["no-such-backend"]')
    pytest.importorskip("build")
    found = check_wheel(plugin)
    assert (found.status, found.reason) == (
        "skipped",
        "not installed: no-such-backend, which builds the wheel",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file; give the folder of a plugin"),
        ("[project", "not valid TOML"),
        ("[project]\nversion = '1'", "has no name"),
        ("[project]\nname = 'x'\ndynamic = ['entry-points']", "entry points are dynamic"),
    ],
)
def test_a_folder_without_a_plugin_is_an_error(text: str | None, words: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        find_plugin(str(tmp_path))
    assert CliRunner().invoke(main, ["check-plugin", str(tmp_path)]).exit_code == 2


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(UserError, match="skinfw-nowhere: neither a folder nor an installed plugin"):
        find_plugin("skinfw-nowhere")


PLUGIN = Plugin("skinfw-x", "1.2", None, {})


def test_the_exit_code_says_whether_a_check_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    results = [Result("names", "a", "passed"), Result("wheel", "b", "skipped", "no build")]
    monkeypatch.setattr("skinfw.cli.check_plugin.find_plugin", lambda _: PLUGIN)
    monkeypatch.setattr("skinfw.cli.check_plugin.check_plugin", lambda *_: iter(results))
    done = CliRunner().invoke(main, ["check-plugin", "skinfw-x"])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "passed  names: a",
        "skipped wheel: b: no build",
        "skinfw-x 1.2: 1 passed, 0 failed, 1 skipped",
    ]
    results.append(Result("training", "c", "failed", "loss is nan"))
    done = CliRunner().invoke(main, ["check-plugin", "skinfw-x", "--json"])
    assert done.exit_code == 1
    value = json.loads(done.stdout)
    assert {key: value[key] for key in ("plugin", "version", "passed", "failed", "skipped")} == {
        "plugin": "skinfw-x", "version": "1.2", "passed": 1, "failed": 1, "skipped": 1,
    }  # fmt: skip
    assert value["checks"][2] == {
        "check": "training", "subject": "c", "status": "failed", "reason": "loss is nan",
        "meaning": MEANINGS["training"],
    }  # fmt: skip


@dataclass
class Processes:
    """Plays the processes of the checks."""

    phases: Mapping[str, Sequence[Result]]
    codes: Mapping[str, int]
    errors: str = ""
    commands: list[Sequence[str]] = field(default_factory=list)

    def __call__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        phase = command[2]
        if phase in self.phases:
            results = iter(self.phases[phase])
            module = type("Module", (), {phase: staticmethod(lambda _: results)})
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(worker, "import_module", lambda _: module)
                worker.main(*command[2:])
        return subprocess.CompletedProcess([], self.codes.get(phase, 0), "", self.errors)


SPEC = Result("spec", "/x/spec.json", "passed")


@pytest.mark.parametrize(
    ("light", "full", "codes", "errors", "expected"),
    [
        # it trains with the plugin's spec
        ([], [SPEC], {}, "", "passed"),
        ([], [SPEC], {"run": 1}, "line\nError: loss is nan\n", "loss is nan"),
        ([], [SPEC], {}, "Warning: hook plugin skinfw-x 1.2 failed\n", "hook plugin skinfw-x 1.2 failed"),
        ([], [SPEC], {}, "Warning: hook plugin skinfw-y 1.2 failed\n", "passed"),
        ([], [Result("spec", "s", "failed", "no")], {}, "", "its spec cannot be used"),
        ([], [Result("spec", "s", "skipped", "no")], {}, "", "it has no spec.json"),
        # what the plugin does to its process is a failure
        ([], [], {"full_checks": -11}, "", "the process that imports it failed: exit code -11"),
        # without a valid manifest nothing else is tried
        ([Result("manifest", "m", "failed", "bad")], [], {}, "", "skinfw does not load the plugin"),
    ],
)  # fmt: skip
def test_training_follows_the_other_checks(
    light: list[Result], full: list[Result], codes: dict[str, int], errors: str, expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    processes = Processes({"light_checks": light, "full_checks": full}, codes, errors)
    monkeypatch.setattr(check, "_run", processes)
    found = list(check.check_plugin(PLUGIN, steps=7))
    assert expected in [result.reason or result.status for result in found if result.check != "wheel"]
    trained = [command for command in processes.commands if command[2] == "run"]
    assert all("--set=training.steps=7" in command for command in trained)
    assert bool(trained) == (SPEC in full)


def test_an_installed_plugin_is_checked_and_trained(tmp_path: Path) -> None:
    new = new_plugin("installed_edge", "loss", tmp_path / "made")
    site = tmp_path / "site"
    pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([sys.executable, *pip, "--target", str(site), str(tmp_path / "made")], check=True)
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "skinfw", "check-plugin", new.distribution, "--json", "--steps", "2"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    checks = {each["check"]: each["status"] for each in json.loads(done.stdout)["checks"]}
    assert checks == {**LIGHT, **COMPONENT, "wheel": "skipped", "training": "passed"}
