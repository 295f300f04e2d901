"""The command line is quick and loads nothing heavy; errors are texts, not tracebacks."""

import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from skinfw import cli
from skinfw.cli import COMMANDS, main
from skinfw.components.reference import use_default
from skinfw.errors import TrainingError, UserError

HEAVY = ("torch", "torchvision", "cv2", "torchmetrics", "accelerate", "matplotlib", "skimage", "kornia")
ALL_HEAVY = (*HEAVY, "numpy", "PIL", "onnx", "onnxruntime", "pooch", "requests", "scipy", "timm")
SKINFW = [sys.executable, "-m", "skinfw"]
SPEC: dict[str, Any] = {
    "name": "light",
    "data": {"size": [64, 64]},
    "generator": "pix2pix",
    "discriminator": {"type": "patchgan", "patch": 16},
    "losses": ["l1", "gan"],
    "training": {"epochs": 1},
}
LOOK = """
import json, sys
from skinfw.cli import main
heavy, found = set(json.loads(sys.argv[2])), {}
for arguments in json.loads(sys.argv[1]):
    main(arguments, standalone_mode=False)
    for name in heavy & set(sys.modules):
        found.setdefault(name, " ".join(arguments))
print(json.dumps(found), file=sys.stderr)
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(SPEC), encoding="utf-8")
    return path


def loaded(commands: list[list[str]], names: tuple[str, ...]) -> dict[str, str]:
    """Run commands in one process; return which of some libraries they load, and which command does first."""
    command = [sys.executable, "-c", LOOK, json.dumps(commands), json.dumps(names)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(done.stderr.splitlines()[-1])
    return found


def seconds(*commands: list[str], times: int) -> list[float]:
    """Return the least processor time of each command: what else the machine does counts for little then."""
    least = [float("inf")] * len(commands)
    for _ in range(times):
        for index, command in enumerate(commands):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            least[index] = min(least[index], spent)
    return least


def test_help_loads_click_alone() -> None:
    assert loaded([["--help"], ["--version"]], (*HEAVY, "pydantic", "rich", "numpy", "pluggy")) == {}


def test_without_a_command_skinfw_shows_its_help() -> None:
    bare, asked = CliRunner().invoke(main, []), CliRunner().invoke(main, ["--help"])
    assert (bare.exit_code, bare.stderr, bare.stdout) == (0, "", asked.stdout)


def test_light_commands_load_no_torch(spec: Path) -> None:
    commands = [
        ["validate", str(spec)],
        ["list"],
        ["list", "models"],
        ["show", "generator", "pix2pix"],
        ["schema"],
        ["run", "--help"],
        ["prepare", "--help"],
        ["benchmark-poses", "--help"],
        ["benchmark-segmenters", "--help"],
        ["repair", "--help"],
        ["audit", "--help"],
        ["new-plugin", "--help"],
        ["check-plugin", "--help"],
    ]
    assert loaded(commands, (*HEAVY, "numpy", "PIL")) == {}


@pytest.mark.parametrize(
    ("command", "option", "kind"),
    [
        ("benchmark-segmenters", "--truth", "segmenter"),
        ("benchmark-poses", "--truth", "pose_encoder"),
    ],
)
def test_help_names_the_component_that_is_taken_by_default(command: str, option: str, kind: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"], terminal_width=200)
    (line,) = [line for line in result.output.splitlines() if line.lstrip().startswith(f"{option} ")]
    assert line.endswith(f" Default: {use_default(kind).name}.")


@pytest.mark.parametrize(
    ("command", "option", "default"),
    [
        (
            "prepare",
            "--segmenter",
            "the label maps beside the photos; for other photos, the parser in skinfw",
        ),
        ("prepare", "--pose-encoder", "the poses beside the photos; without any, none"),
        ("audit", "--pose-encoder", "the poses beside the photos; for other photos, none"),
        ("repair", "--segmenter", "the label maps beside them; without them, the parser in skinfw"),
    ],
)
def test_help_says_what_is_taken_from_files(command: str, option: str, default: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"], terminal_width=300)
    (line,) = [line for line in result.output.splitlines() if line.lstrip().startswith(f"{option} ")]
    assert line.endswith(f" Default: {default}.")


def painting(**dataset: Any) -> dict[str, Any]:
    return {**SPEC, "data": {"dataset": dataset, "size": [64, 64]}}


def parsing(**network: Any) -> dict[str, Any]:
    return {
        "name": "light",
        "task": "segmentation",
        "data": {"root": "photos", "size": [64, 64]},
        "network": network,
        "training": {"epochs": 1},
    }


def test_validating_loads_neither_published_weights_nor_what_runs_them(tmp_path: Path) -> None:
    values = [
        painting(type="photos", root="photos", segmenter="skin_color", pose_encoder="bodypix"),
        painting(type="deepfashion_multimodal", root="photos"),
        parsing(type="smp", encoder="bodypix_050", encoder_depth=4, encoder_weights="bodypix"),
    ]
    commands = []
    for number, value in enumerate(values):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        commands.append(["validate", str(path)])
    assert loaded(commands, ALL_HEAVY) == {}


def test_validating_reads_the_licenses_of_other_runs_without_torch(
    tmp_path: Path, make_run: Callable[..., Any]
) -> None:
    run = make_run(tmp_path / "run")
    commands = []
    for number, name in enumerate([str(run.folder), "hub:owner/net@v1", "skinfw:street-painter"]):
        path = tmp_path / f"{number}.json"
        licenses = {"declared": {"mannequins": {"license": "MIT"}}}  # the ledger is made
        training = {"epochs": 1, "initial_weights": name}
        spec = {**SPEC, "training": training, "licenses": licenses}
        path.write_text(json.dumps(spec), encoding="utf-8")
        commands.append(["validate", str(path)])
    assert loaded(commands, ALL_HEAVY) == {}


def test_help_and_validate_are_nearly_as_quick_as_their_libraries(spec: Path) -> None:
    # compared with each other, as a busy machine makes everything slower
    click_alone, helped, both, validated = seconds(
        [sys.executable, "-c", "import click"],
        [*SKINFW, "--help"],
        [sys.executable, "-c", "import click, pydantic"],
        [*SKINFW, "validate", str(spec)],
        times=3,
    )
    assert helped < 2 * click_alone
    assert validated < 6 * both


def test_help_lists_every_command_with_its_own_line() -> None:
    result = CliRunner().invoke(main, ["--help"], terminal_width=200)
    for name, (module, line) in COMMANDS.items():
        assert f"{name} " in result.output
        assert line in result.output
        command = main.get_command(click.Context(main), name)
        assert command is not None
        assert command.name == name
        assert command.get_short_help_str(limit=200) == line
        assert (Path(cli.__file__).parent / f"{module}.py").is_file()


def test_the_version_is_told() -> None:
    done = subprocess.run([*SKINFW, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("skinfw 0.")


def test_the_installed_script_is_the_same_command() -> None:
    script = Path(sys.executable).with_name("skinfw")
    if not script.exists():
        pytest.skip("skinfw is on the path of this Python but not installed in its environment")
    done = subprocess.run([str(script), "--help"], check=True, capture_output=True, text=True)
    assert (
        done.stdout == subprocess.run([*SKINFW, "--help"], check=True, capture_output=True, text=True).stdout
    )


def test_an_unknown_command_is_told_with_the_nearest() -> None:
    result = CliRunner().invoke(main, ["validat"])
    assert result.exit_code == 2
    assert "no such command 'validat'; did you mean 'validate'?" in result.stderr
    assert CliRunner().invoke(main, ["--nonsense"]).exit_code == 2


@pytest.mark.parametrize(
    ("error", "code"), [(UserError("no [bold]such[/bold] {thing}"), 2), (TrainingError("loss is nan"), 1)]
)
def test_an_error_of_skinfw_is_a_plain_text_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    result = run_failing(monkeypatch, error)
    assert result.exit_code == code
    assert result.stderr == f"Error: {error}\n"
    assert result.stdout == ""


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "Permission denied", "a/b"), OSError("?")])
def test_a_path_that_cannot_be_looked_at_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    result = run_failing(monkeypatch, error)
    if error.filename is None:
        assert result.exception is error
    else:
        assert result.exit_code == 2
        assert result.stderr == "Error: a/b: Permission denied; check the path\n"


@pytest.mark.parametrize(
    "arguments",
    [["evaluate"], ["compare", "x"], ["generate", "x", "y"], ["prepare", "x"], ["doctor"], ["inspect"]],
)
def test_a_name_that_is_too_long_is_told(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, [arguments[0], "a" * 300, *arguments[1:]])
    assert result.exit_code == 2
    assert re.fullmatch(r"Error: \S*aaa\S*: File name too long; check the path\n", result.stderr)


def test_an_interrupt_exits_as_shells_expect(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_failing(monkeypatch, KeyboardInterrupt())
    assert result.exit_code == 128 + signal.SIGINT
    assert result.stderr == "Interrupted.\n"


def test_an_unexpected_exception_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_failing(monkeypatch, ZeroDivisionError("a bug"))
    assert isinstance(result.exception, ZeroDivisionError)


def run_failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Any:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(type(main), "get_command", lambda *_: failing)
    return CliRunner().invoke(main, ["validate"])


def test_a_reader_that_goes_away_leaves_no_traceback() -> None:
    process = subprocess.Popen([*SKINFW, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(timeout=300)


def test_a_broken_manifest_is_a_warning_and_the_rest_works(tmp_path: Path, spec: Path) -> None:
    manifest = tmp_path / "broken.toml"
    manifest.write_text("[[component]", encoding="utf-8")
    for arguments in (["list"], ["validate", str(spec)]):
        done = subprocess.run(
            [*SKINFW, *arguments],
            env={**os.environ, "SKINFW_REGISTRIES": str(manifest)},
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stderr.startswith(f"Warning: {manifest}: broken manifest: ")
        assert done.stderr.count("\n") == 1
        assert "pix2pix" in done.stdout


def test_preparing_photos_loads_no_torch(tmp_path: Path) -> None:
    """Every process of prepare would pay for it."""
    code = """
import sys
from pathlib import Path
import skinfw
from skinfw.preparation.prepare import prepare
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.preparer import PhotoPreparer
PhotoPreparer(
    Path("samples"), skinfw.use("segmenter", "deepfashion"),
    skinfw.use("pose_encoder", "openpose"), PrepareConfig(),
)
print([name for name in ("torch", "torchvision", "matplotlib", "ray", "requests") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"
