import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from skinfw.components.kinds import KINDS
from skinfw.components.manifest import INTERFACE, MANIFEST
from skinfw.components.registry import Registry, load_registry
from skinfw.errors import RegistryError

ROOT = Path(__file__).parents[3]

ROW = """
[[component]]
kind = "{kind}"
name = "{name}"
target = "{module}:Thing"
config = "{module}:ThingConfig"
summary = "A thing."
"""


def row(kind: str = "loss", name: str = "thing", module: str = "thing_module") -> str:
    return ROW.format(kind=kind, name=name, module=module)


@pytest.fixture
def registry() -> Registry:
    made = Registry()
    made.add_manifest(row(), "first 1.0")
    assert not made.problems
    return made


def test_every_built_in_component_is_found_and_imports() -> None:
    rows = tomllib.loads((ROOT / MANIFEST).read_text(encoding="utf-8"))["component"]
    found = load_registry()
    assert not found.problems
    for entry in rows:
        kind, name = entry["kind"], entry["name"]
        assert name in found.names(kind)
        assert found.entry(kind, name).provider.startswith("skinfw ")
        assert found.config_class(kind, name).__name__ == entry["config"].partition(":")[2]
        if not entry.get("extra"):
            assert found.component_class(kind, name).__name__ == entry["target"].partition(":")[2]


def test_names_are_sorted_and_defaults_in_manifest_order() -> None:
    made = Registry()
    made.add_manifest(
        "".join(row("metric", name) + 'default_for = "metrics"\n' for name in ("zeta", "alpha")), "x 1"
    )
    assert made.names("metric") == ["alpha", "zeta"]
    assert made.defaults("metrics") == ["zeta", "alpha"]
    assert made.defaults("baselines") == []


def test_a_plugin_for_a_later_interface_is_left_out_by_name(registry: Registry) -> None:
    # its other fields may have another form
    registry.add_manifest(f"interface = {INTERFACE + 1}\n[future]\n" + row(name="other"), "second 2.0")
    (problem,) = registry.problems
    assert str(problem).startswith(
        f"second 2.0: not loaded, as it was written for interface {INTERFACE + 1} "
    )
    assert list(registry.entries) == [("loss", "thing")]


@pytest.mark.parametrize("interface", range(1, INTERFACE + 1))
def test_a_plugin_for_a_known_interface_is_loaded(registry: Registry, interface: int) -> None:
    registry.add_manifest(f"interface = {interface}\n" + row(name="other"), "second 2.0")
    assert not registry.problems
    assert registry.names("loss") == ["other", "thing"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('interface = "1"' + row(), "interface must be a number from 1"),
        ("interface = 0" + row(), "interface must be a number from 1"),
        ("interface = true" + row(), "interface must be a number from 1"),
        ("[[component]", "broken manifest: "),
        ("", "no [[component]]"),
        ("component = 3", "no [[component]]"),
        ("component = [3]", "broken manifest: "),
        ("[component]\nkind = 'loss'", "no [[component]]"),
        ("[[components]]\nkind = 'loss'", "unknown table 'components'"),
        (row("los"), "unknown kind 'los'; did you mean 'loss'?"),
        (row(name="Thing"), "name: must match"),
        (row(module="no-module"), "target: must match"),
        (row() + 'sumary = "twice"', "sumary: unknown field; did you mean 'summary'?"),
        (row() + 'default_for = "metric"', "default_for: must be"),
        (row(name="a") + row(name="a"), "loss 'a' is declared twice"),
        (row("generator", "trained"), "generator 'trained': the name is reserved"),
        (row("input", "alpha"), "input 'alpha': the name is reserved"),
        (row("input", "target"), "input 'target': the name is reserved"),
        # the fields and regions that every sample has
        (row("input", "body"), "input 'body': the name is reserved"),
        (row("input", "keypoints"), "input 'keypoints': the name is reserved"),
        (row("input", "skin"), "input 'skin': the name is reserved"),
        (
            row("input", "a") + row("generator", "a"),
            "an input and a generator are both named 'a'; rename one",
        ),
        (
            row("generator", "a") + row("input", "a"),
            "an input and a generator are both named 'a'; rename one",
        ),
        ('[[component]]\nkind = "loss"', "name: is required"),
    ],
)
def test_a_broken_manifest_is_left_out_whole_and_told(registry: Registry, text: str, words: str) -> None:
    registry.add_manifest(text, "second 2.0")
    (problem,) = registry.problems
    assert problem.provider == "second 2.0"
    assert words in str(problem)
    assert list(registry.entries) == [("loss", "thing")]
    assert registry.entry("loss", "thing").provider == "first 1.0"


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (row(), row(name="fresh") + row(), "loss 'thing' already comes from first 1.0"),
        (row("input", "a"), row("generator", "a"), "generator 'a': the name of the input of first 1.0"),
    ],
)
def test_a_name_clash_names_both_packages_and_what_to_do(first: str, second: str, words: str) -> None:
    made = Registry()
    made.add_manifest(first, "first 1.0")
    made.add_manifest(second, "second 2.0")
    (problem,) = made.problems
    advice = "rename it in the manifest of second 2.0, or uninstall one of the two"
    assert str(problem) == f"second 2.0: not loaded: {words}; {advice}"
    assert problem.remedy == advice
    assert len(made.entries) == 1


def test_a_name_clash_with_a_built_in_component_does_not_advise_to_uninstall_skinfw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SKINFW_NO_PLUGINS", "1")
    made = load_registry()
    made.add_manifest(row(name="l1"), "second 2.0")
    (problem,) = made.problems
    assert problem.remedy == "rename it in the manifest of second 2.0"


def test_a_third_party_cannot_change_what_silent_specs_mean() -> None:
    made = Registry()
    made.add_manifest(row(), "first 1.0")
    made.add_manifest(row("metric", "other") + 'default_for = "metrics"\n', "second 2.0")
    assert list(made.entries) == [("loss", "thing")]
    assert made.defaults("metrics") == []
    assert "default_for is for built-in components only" in str(made.problems[0])


def test_a_manifest_cannot_pose_as_another_distribution(registry: Registry) -> None:
    registry.add_manifest(row(name="other") + 'provider = "skinfw 0.1.0"', "second 2.0")
    assert registry.entry("loss", "other").provider == "second 2.0"


def test_unknown_names_and_kinds_are_told_with_the_nearest(registry: Registry) -> None:
    with pytest.raises(
        RegistryError, match=r"unknown loss 'thign'; did you mean 'thing'\? \(installed: thing"
    ):
        registry.entry("loss", "thign")
    with pytest.raises(RegistryError, match="unknown kind 'los'; did you mean 'loss'"):
        registry.entry("los", "thing")
    with pytest.raises(RegistryError, match="installed: none"):
        registry.entry("metric", "thing")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "raise RuntimeError('operator torchvision::nms does not exist')",
            "RuntimeError: operator torchvision",
        ),
        ("import no_such_module", "ModuleNotFoundError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("this is no Python", "SyntaxError"),
        ("Thing = object", "has no attribute 'ThingConfig'"),
        ("ThingConfig = 3", "is not a subclass of LossConfig"),
        ("class ThingConfig: pass", "is not a subclass of LossConfig"),
        (
            "from skinfw.components.config import MetricConfig as ThingConfig",
            "is not a subclass of LossConfig; derive it from skinfw.components.config.LossConfig",
        ),
    ],
)
def test_whatever_an_import_does_is_told_with_its_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, words: str
) -> None:
    module = f"thing_{abs(hash(body))}"
    (tmp_path / f"{module}.py").write_text(body, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    made = Registry()
    made.add_manifest(row(module=module), "third-party 2.1")
    with pytest.raises(RegistryError) as caught:
        made.config_class("loss", "thing")
    assert "third-party 2.1" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("provider", "words"),
    [("skinfw-lace 1.0", "pip install 'skinfw-lace[fine]'"), ("/x/my registry.toml", "pip install 'fine'")],
)
def test_an_import_that_fails_names_the_extra_to_install(provider: str, words: str) -> None:
    made = Registry()
    made.add_manifest(row(module="no_such_module") + 'extra = "fine"', provider)
    with pytest.raises(RegistryError) as caught:
        made.component_class("loss", "thing")
    assert words in str(caught.value)


def test_a_manifest_under_development_is_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(row(), encoding="utf-8")
    bad.write_bytes(b"\xff")
    paths = [good, bad, tmp_path / "none.toml", tmp_path]
    monkeypatch.setenv("SKINFW_REGISTRIES", os.pathsep.join(map(str, paths)))
    found = load_registry()
    assert found.entry("loss", "thing").provider == str(good)
    assert [problem.provider for problem in found.problems] == list(map(str, paths[1:]))
    assert all("SKINFW_REGISTRIES: unreadable" in problem.reason for problem in found.problems)
    monkeypatch.setenv("SKINFW_NO_PLUGINS", "1")
    found = load_registry()
    assert "thing" not in found.names("loss")
    assert found.names("generator")
    assert not found.problems


PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{distribution}"
version = "2.1"

[project.entry-points."skinfw.registries"]
parts = "{value}"

[tool.hatch.build.targets.wheel]
packages = ["{package}"]
"""

MODULE = """
from pydantic import Field
from skinfw.components.config import LossConfig

class ThingConfig(LossConfig):
    lace: int = Field(default=3, description="threads of lace")
"""

LOOK = """
import json, sys
from skinfw.components.registry import load_registry
registry = load_registry()
imported = "skinfw_lace" in sys.modules
found = "lace" in registry.names("loss")
print(json.dumps({
    "found": found,
    "imported": imported,
    "default": registry.config_class("loss", "lace")().lace if found else None,
    "provider": registry.entry("loss", "lace").provider if found else None,
    "problems": list(map(str, registry.problems)),
}))
"""


def install(folder: Path, target: Path, distribution: str, value: str, manifest: str | None) -> None:
    package = distribution.replace("-", "_")
    source = folder / distribution
    (source / package).mkdir(parents=True)
    text = PROJECT.format(distribution=distribution, value=value, package=package)
    (source / "pyproject.toml").write_text(text, encoding="utf-8")
    (source / package / "__init__.py").touch()
    (source / package / "things.py").write_text(MODULE, encoding="utf-8")
    if manifest is not None:
        (source / package / MANIFEST).write_text(manifest, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    command += ["--no-index", "--disable-pip-version-check", "--target", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True)


def look(target: Path, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        env={**os.environ, "PYTHONPATH": str(target), **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_an_installed_package_brings_components_and_a_broken_one_harms_nobody(tmp_path: Path) -> None:
    target = tmp_path / "site"
    manifest = row(name="lace", module="skinfw_lace.things")
    install(tmp_path, target, "skinfw-lace", "skinfw_lace", manifest)
    assert look(target) == {
        "found": True,
        "imported": False,
        "default": 3,
        "provider": "skinfw-lace 2.1",
        "problems": [],
    }
    assert look(target, SKINFW_NO_PLUGINS="1")["found"] is False

    install(tmp_path, target, "skinfw-torn", "skinfw_torn", None)
    install(tmp_path, target, "skinfw-deep", "skinfw_deep.things", manifest)
    report = look(target)
    assert report["found"] is True
    told = sorted(map(str, report["problems"]))
    assert len(told) == 2
    assert told[0].startswith("skinfw-deep 2.1: ")
    assert "must name a top-level package" in told[0]
    assert told[1].startswith("skinfw-torn 2.1: ")
    assert "registry.toml is missing" in told[1]


def test_every_kind_has_at_most_the_known_defaults() -> None:
    found = load_registry()
    single = {kind: kind for kind in ("dataset", "segmenter", "pose_encoder")}
    assert all(len(found.defaults(field)) == 1 for field in single)
    for field, kind in {**single, "metrics": "metric", "baselines": "generator"}.items():
        assert found.defaults(field)
        assert set(found.defaults(field)) <= set(found.names(kind))
    assert {kind for kind, _ in found.entries} <= set(KINDS)


def test_a_broken_manifest_names_the_component_and_every_error() -> None:
    made = Registry()
    made.add_manifest(row() + row(name="other").replace("name =", "nam ="), "second 2.0")
    problem = str(made.problems[0])
    assert "[[component]] number 2" in problem
    assert "name: is required" in problem
    assert "nam: unknown field; did you mean 'name'" in problem
