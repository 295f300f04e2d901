"""New plugins: each works as it is, and nothing is written halfway."""

from __future__ import annotations

import inspect
import runpy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from skinfw import testing
from skinfw.cli import main
from skinfw.components.registry import ENTRY_POINT_GROUP, installed
from skinfw.errors import RunError, UserError
from skinfw.plugin_kit.new import HOOK, SUMMARIES, NewPlugin, new_plugin
from skinfw.runs.environment import components_of
from skinfw.specs.spec import load_spec


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    yield
    installed.cache_clear()


def usable(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> NewPlugin:
    """Write a plugin, and make it importable and registered without an installation."""
    plugin = new_plugin(f"try_{kind}", kind, folder)
    monkeypatch.syspath_prepend(folder)
    if kind != HOOK:
        monkeypatch.setenv("SKINFW_REGISTRIES", str(folder / plugin.package / "registry.toml"))
    installed.cache_clear()
    return plugin


@pytest.mark.parametrize("kind", SUMMARIES)
def test_each_kind_works_as_it_is(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = usable(kind, tmp_path / "made", monkeypatch)
    project = tomllib.loads((tmp_path / "made" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if kind == HOOK:
        assert project["entry-points"] == {"skinfw.hooks": {"try_hook": "skinfw_try_hook.hooks"}}
        testing.check_hooks(import_module("skinfw_try_hook.hooks"))
    else:
        assert project["entry-points"] == {ENTRY_POINT_GROUP: {plugin.name: plugin.package}}
        testing.check_component(installed(), kind, plugin.name)
    spec = load_spec(tmp_path / "made" / plugin.spec)
    used = {(each.kind, each.name) for each in components_of(spec)}
    assert (kind, plugin.name) in used or kind == HOOK
    assert spec.training.steps == 20
    tests = runpy.run_path(str(tmp_path / "made" / "tests" / f"test_{plugin.name}.py"))
    found = [each for name, each in tests.items() if name.startswith("test_")]
    assert tests["test_contract"] in found and len(found) >= 2
    for index, test in enumerate(found):
        folder = tmp_path / str(index)
        folder.mkdir()
        test(**({"tmp_path": folder} if inspect.signature(test).parameters else {}))


def test_the_templates_pass_ruff(tmp_path: Path) -> None:
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        pytest.skip("ruff is not installed")
    for kind in SUMMARIES:
        new_plugin("any_name", kind, tmp_path / kind)
    options = ["--isolated", "--no-cache", "--select", "E,F,I,B,UP,SIM,RUF,PTH", "--ignore", "E501"]
    options += ["--config", f"src = {[str(tmp_path / kind) for kind in SUMMARIES]}"]
    done = subprocess.run([ruff, "check", *options, "."], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("Edge", "loss", "not a name for a package"),
        ("edge-loss", "loss", "not a name for a package"),
        ("edge_", "loss", "not a name for a package"),
        ("3d", "loss", "not a name for a package"),
        ("../edge", "loss", "not a name for a package"),
        ("plugins", "loss", "a package skinfw_plugins is already installed"),
        ("l1", "loss", "loss 'l1' already comes from skinfw"),
        ("line", "generator", "generator 'line': the name of the input of skinfw"),
        ("body", "input", "input 'body': the name is reserved"),
        ("loss", "loss", "skinfw already has a class LossConfig"),
    ],
)
def test_a_name_that_cannot_be_used_is_rejected(name: str, kind: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words) as caught:
        new_plugin(name, kind, tmp_path / "made")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "made").exists()


def test_a_name_of_another_kind_is_free(tmp_path: Path) -> None:
    new_plugin("l1", "metric", tmp_path / "made")


def test_only_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(UserError, match="not an empty folder"):
            new_plugin("edge", "loss", folder)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    (tmp_path / "empty").mkdir()
    new_plugin("edge", "loss", tmp_path / "empty")
    found = sorted(path.name for path in (tmp_path / "empty").iterdir())
    assert found == ["README.md", "pyproject.toml", "skinfw_edge", "tests"]


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("method", ["write_bytes", "rename"])
def test_a_failure_leaves_nothing_behind(
    exists: bool, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "made"
    if exists:
        folder.mkdir()
    real, calls = getattr(Path, method), []

    def failing(path: Path, argument: bytes | Path) -> object:
        calls.append(path)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return real(path, argument)

    monkeypatch.setattr(Path, method, failing)
    with pytest.raises(RunError, match="made: cannot be written: No space left on device"):
        new_plugin("edge", "loss", folder)
    assert folder.exists() == exists
    assert not list(folder.glob("*"))


def test_the_command_names_what_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["new-plugin", "skin_edge", "--kind", "loss"])
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1:] == [
        "  pip install -e skinfw-skin-edge",
        "  pytest skinfw-skin-edge",
        "  skinfw run skinfw-skin-edge/skinfw_skin_edge/spec.json",
    ]
    assert (tmp_path / "skinfw-skin-edge" / "skinfw_skin_edge" / "spec.json").is_file()
    again = CliRunner().invoke(main, ["new-plugin", "skin_edge", "--kind", "loss"])
    assert again.exit_code == 2
    assert again.stderr.startswith("Error: skinfw-skin-edge: already exists")
    assert CliRunner().invoke(main, ["new-plugin", "edge", "--kind", "lens"]).exit_code == 2
