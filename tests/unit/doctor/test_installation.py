"""Checks of the installation, each with something broken."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from skinfw.cli import main
from skinfw.components.manifest import Entry
from skinfw.components.registry import Problem, Registry, installed
from skinfw.doctor import installation, installed_devices, installed_packages, installed_plugins
from skinfw.doctor.installation import Check, Installation, State, check_installation
from skinfw.doctor.installed_devices import device_checks
from skinfw.doctor.installed_files import folder_checks, weights_checks
from skinfw.doctor.installed_packages import extra_checks, package_checks, python_checks, requirements
from skinfw.doctor.installed_plugins import component_checks, hook_checks

BODYPIX = "mobilenet_v1_050_stride8.onnx"


def by_name(checks: Iterator[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def package(folder: Path, name: str, version: str, code: str = "") -> None:
    """Write an installed package with one module."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    about = folder / f"{name}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (about / "RECORD").write_text(f"{name}.py,,\n{about.name}/METADATA,,\n{about.name}/RECORD,,\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for packages."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture
def needs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace what skinfw requires, by extra."""

    def replace(**extras: list[str]) -> None:
        needed = {name.replace("always", ""): [Requirement(each) for each in extras[name]] for name in extras}
        monkeypatch.setattr(installed_packages, "requirements", lambda: needed)

    return replace


def test_the_versions_of_python_and_skinfw(monkeypatch: pytest.MonkeyPatch) -> None:
    found = by_name(python_checks())
    assert found["Python"].text.startswith(".".join(map(str, sys.version_info[:3])))
    assert found["skinfw"].text == metadata.version("skinfw")
    monkeypatch.setattr(installed_packages.platform, "python_version", lambda: "3.8.1")
    assert by_name(python_checks())["Python"].state == "error"


def test_required_packages_that_are_missing_old_or_broken(site: Path, needs: Callable[..., None]) -> None:
    package(site, "skinfw_old", "1.0")
    package(site, "skinfw_broken", "2.0", "raise OSError('libfoo.so: cannot open')")
    package(site, "skinfw_exits", "2.0", "raise SystemExit('bye')")
    package(site, "skinfw_good", "2.0")
    names = ["skinfw_old>=1.5", "skinfw_broken", "skinfw_exits", "skinfw_good>=2", "skinfw_absent<9"]
    needs(always=names)
    found = by_name(package_checks())
    assert found["skinfw_old"].text == "is 1.0, but >=1.5 is needed"
    assert found["skinfw_broken"].text == "cannot be imported: OSError: libfoo.so: cannot open"
    assert found["skinfw_exits"].text == "cannot be imported: SystemExit: bye"
    assert found["skinfw_absent"].text == "is not installed"
    assert found["skinfw_absent"].remedy == "pip install --force-reinstall 'skinfw_absent<9'"
    assert found["packages"].text == "1 of 5 required packages work"
    assert [name for name, check in found.items() if check.state == "error"] == [
        "skinfw_old", "skinfw_broken", "skinfw_exits", "skinfw_absent",
    ]  # fmt: skip


def test_extras_are_optional(site: Path, needs: Callable[..., None]) -> None:
    package(site, "skinfw_good", "2.0")
    needs(always=[], serve=["skinfw_absent"], onnx=["skinfw_good>=2"], dev=["skinfw_absent"])
    found = by_name(extra_checks())
    assert (found["extra serve"].state, found["extra serve"].remedy) == (
        "absent", "pip install 'skinfw[serve]'",
    )  # fmt: skip
    assert (found["extra onnx"].state, found["extra onnx"].text) == ("ok", "skinfw_good 2.0")
    assert "extra dev" not in found


def test_requirements_are_those_of_the_distribution() -> None:
    found = requirements()
    assert {"torch", "pydantic"} <= {each.name for each in found[""]}
    assert [each.name for each in found["transformers"]] == ["transformers"]


def entry(name: str, provider: str, **fields: str) -> Entry:
    target = {"target": f"{name}:None_", "config": f"{name}:None_", "summary": "s", **fields}
    return Entry(kind="loss", name=name, provider=provider, **target)


def test_broken_plugins_do_not_stop_skinfw_but_broken_components_do(
    monkeypatch: pytest.MonkeyPatch, needs: Callable[..., None]
) -> None:
    needs(always=[], fine=["skinfw_absent"])
    own = installed().entry("loss", "l1")
    rows = [
        own,
        own.model_copy(update={"name": "l1_again", "provider": "fine 3.0"}),
        entry("skinfw_foreign", "skinfw-lace 1.0"),
        entry("skinfw_own", own.provider),
        entry("skinfw_extra", own.provider, extra="fine"),
    ]
    problems = [Problem("other 2.0", "broken"), Problem("third 3.0", "clash", "rename it")]
    registry = Registry({(each.kind, each.name): each for each in rows}, problems)
    monkeypatch.setattr(installed_plugins, "load_registry", lambda: registry)
    checks = list(component_checks())
    assert [check.remedy for check in checks[:2]] == [installed_plugins.REPAIR, "rename it"]
    found = [(check.name, check.state, check.text) for check in checks]
    missing = "1 component cannot be imported: ModuleNotFoundError: No module named"
    assert found == [
        ("other 2.0", "warning", "broken"),
        ("third 3.0", "warning", "clash"),
        ("skinfw-lace 1.0", "warning", f"{missing} 'skinfw_foreign': loss skinfw_foreign"),
        (own.provider, "error", f"{missing} 'skinfw_own': loss skinfw_own"),
        ("fine 3.0", "ok", "1 component"),
    ]


@pytest.mark.parametrize(
    ("states", "summary"),
    [
        (["ok", "absent"], "nothing is wrong"),
        (["warning", "ok", "warning"], "2 warnings: skinfw works"),
        (["error", "warning", "error"], "2 errors, 1 warning: skinfw does not work"),
    ],
)
def test_the_last_line_says_how_much_is_wrong(states: list[State], summary: str) -> None:
    checks = tuple(Check("part", state, "text") for state in states)
    *_, last = Installation({"A": checks[:1], "B": checks[1:]}).lines()
    assert last == summary


def test_a_hook_plugin_that_cannot_be_imported(site: Path) -> None:
    package(site, "skinfw_hooked", "1.0", "raise ValueError('no')")
    about = site / "skinfw_hooked-1.0.dist-info" / "entry_points.txt"
    about.write_text("[skinfw.hooks]\nhooked = skinfw_hooked\n", encoding="utf-8")
    check = by_name(hook_checks())["hooks of skinfw_hooked 1.0"]
    assert (check.state, check.text) == ("warning", "cannot be imported: ValueError: no")


def test_without_torch_devices_and_weights_are_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "torch.hub", None)
    check = by_name(device_checks())["accelerator"]
    assert check.state == "warning" and "ModuleNotFoundError: import of torch" in check.text
    monkeypatch.delenv("SKINFW_WEIGHTS", raising=False)
    check = by_name(weights_checks())["vgg16-397923af.pth"]
    assert check.state == "warning" and "cannot be looked for" in check.text


def test_a_driver_without_a_gpu_for_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: None)
    monkeypatch.setattr(installed_devices.shutil, "which", lambda _: None)
    monkeypatch.setattr(installed_devices, "DRIVER", tmp_path / "none")
    assert by_name(device_checks())["accelerator"].state == "absent"
    monkeypatch.setattr(installed_devices, "DRIVER", tmp_path)
    check = by_name(device_checks())["accelerator"]
    assert check.state == "warning" and "pytorch.org" in check.remedy


def test_weights_that_are_found_missing_or_different(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SKINFW_WEIGHTS", "SKINFW_CACHE", "TORCH_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    check = by_name(weights_checks())[BODYPIX]
    assert check.state == "absent" and "license: Apache-2.0" in check.text
    assert "segmenter bodypix, pose encoder bodypix" in check.text
    assert "github.com/keijiro/BodyPixSentis" in check.remedy
    (tmp_path / "SKINFW_WEIGHTS").mkdir()
    (tmp_path / "SKINFW_WEIGHTS" / BODYPIX).write_bytes(b"other")
    check = by_name(weights_checks())[BODYPIX]
    assert check.state == "warning" and "its SHA-256 is" in check.text
    mediapipe = by_name(weights_checks())["segmenter mediapipe"]
    assert mediapipe.text == "needs model: MediaPipe's model selfie_multiclass_256x256.tflite"
    assert "storage.googleapis.com" in mediapipe.remedy


def test_folders_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path / "weights"))
    found = by_name(folder_checks())
    assert found["cache"].state == "ok" and str(tmp_path / "cache") in found["cache"].text
    assert found["SKINFW_WEIGHTS"].state == "warning"
    assert not (tmp_path / "cache").exists()
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "file" / "cache"))
    check = by_name(folder_checks())["cache"]
    assert check.state == "error" and "set SKINFW_CACHE to another folder" in check.remedy


def _damaged() -> Iterator[Check]:
    yield Check("first", "warning", "half", "repair it")
    raise ImportError("libbar.so")


def test_the_command_reports_what_cannot_be_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sections = {"Good": lambda: iter([Check("a", "ok", "1.0")]), "Bad": _damaged}
    monkeypatch.setattr(installation, "_sections", lambda: sections)
    done = CliRunner().invoke(main, ["doctor", "--installation", "--json", str(tmp_path / "found.json")])
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "Good",
        "  ok       a: 1.0",
        "Bad",
        "  warning  first: half",
        "           -> repair it",
        "  error    Bad: cannot be checked: ImportError: libbar.so",
        "           -> reinstall skinfw",
        "1 error, 1 warning: skinfw does not work",
    ]
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found["works"] is False
    assert found["sections"]["Good"] == [{"name": "a", "state": "ok", "text": "1.0", "remedy": ""}]
    del sections["Bad"]
    assert CliRunner().invoke(main, ["doctor", "--installation"]).exit_code == 0


def test_an_installation_that_works(monkeypatch: pytest.MonkeyPatch, needs: Callable[..., None]) -> None:
    needs(always=[])
    own = installed().entry("loss", "l1")
    monkeypatch.setattr(installed_plugins, "load_registry", lambda: Registry({("loss", "l1"): own}))
    found = check_installation()
    assert list(found.sections) == ["Versions", "Plugins", "Devices", "Weights and other files", "Folders"]
    assert found.works
    assert all(found.sections.values())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name DATA, the folder of the samples, or give --installation"),
        (["samples", "--installation"], "takes no DATA"),
        (["--installation", "--num-workers", "1"], "no option but --json"),
    ],
)
def test_samples_and_installation_are_separate(arguments: list[str], told: str) -> None:
    done = CliRunner().invoke(main, ["doctor", *arguments])
    assert done.exit_code == 2 and told in done.stderr
