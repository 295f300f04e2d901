"""Environment variables in paths: they stay in what a run stores, and are expanded where it is used."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from skinfw.ablation.process import Job, _environment
from skinfw.assembly.assemble import build_dataset
from skinfw.cli import main
from skinfw.components.config import ComponentConfig
from skinfw.components.reference import use
from skinfw.components.variables import STORED, VariablePath, variables_of
from skinfw.errors import RunError, SpecError
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.create import create_run
from skinfw.runs.folder import open_run
from skinfw.specs.differences import spec_differences
from skinfw.specs.spec import Spec, parse_spec
from skinfw.tasks.evaluate_run import evaluate_run
from skinfw_plugins.datasets.config import FolderConfig, ShardsConfig
from skinfw_plugins.networks.smp_config import SmpConfig
from skinfw_plugins.segmenters.config_networks import HuggingfaceConfig

PLACE = "SKINFW_TEST_PLACE"


def stored(config: ComponentConfig) -> dict[str, Any]:
    return config.model_dump(mode="json", context={STORED: True})


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(PLACE, str(tmp_path / "place"))
    return tmp_path / "place"


@pytest.mark.parametrize(
    ("given", "kept", "resolved"),
    [
        (f"${PLACE}/a", f"${PLACE}/a", "{place}/a"),
        (f"${{{PLACE}}}/a", f"${{{PLACE}}}/a", "{place}/a"),
        ("photos", "/spec/photos", "/spec/photos"),
        ("/photos", "/photos", "/photos"),
        ("sets/$SKINFW_TEST_SET", "/spec/sets/$SKINFW_TEST_SET", "/spec/sets/street"),
        # a relative value depends on the spec's folder, which the stored spec does not know
        ("$SKINFW_TEST_SET/a", "/spec/street/a", "/spec/street/a"),
    ],
)
def test_a_stored_path_keeps_its_variables(
    given: str, kept: str, resolved: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINFW_TEST_SET", "street")
    config = FolderConfig.model_validate({"root": given}, context={"folder": Path("/spec")})
    assert config.root == Path(resolved.format(place=place))
    assert stored(config)["root"] == kept
    assert config.model_dump(mode="json")["root"] == resolved.format(place=place)
    assert FolderConfig.model_validate(stored(config)) == config


def test_text_that_may_be_a_path_keeps_its_variables(place: Path) -> None:
    smp = SmpConfig(encoder_weights=f"${PLACE}/w.safetensors")
    hub = HuggingfaceConfig(model=f"${PLACE}/model", labels="lip")
    assert smp.encoder_weights == str(place / "w.safetensors") and hub.model == str(place / "model")
    assert stored(smp)["encoder_weights"] == f"${PLACE}/w.safetensors"
    assert stored(hub)["model"] == f"${PLACE}/model"
    assert stored(SmpConfig())["encoder_weights"] is None
    assert stored(HuggingfaceConfig(model="owner/name", labels="lip"))["model"] == "owner/name"


@pytest.mark.parametrize(
    ("given", "kept", "resolved"),
    [
        ("s3://bucket/$shards", "s3://bucket/$shards", "s3://bucket/$shards"),
        ("simplecache::s3://bucket/~", "simplecache::s3://bucket/~", "simplecache::s3://bucket/~"),
        ("$SKINFW_TEST_STORE/shards", "$SKINFW_TEST_STORE/shards", "https://host/shards"),
        (f"${PLACE}/shards", f"${PLACE}/shards", "{place}/shards"),
        ("shards", "/spec/shards", "/spec/shards"),
        ("$SKINFW_TEST_UNSET/shards", "$SKINFW_TEST_UNSET/shards", "$SKINFW_TEST_UNSET/shards"),
    ],
)
def test_a_place_is_an_address_or_a_path(
    given: str, kept: str, resolved: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINFW_TEST_STORE", "https://host")
    context = {"folder": Path("/spec"), STORED: "UNSET" in given}
    for value in (given, Path(given)) if "://" not in given else (given,):
        config = ShardsConfig.model_validate({"root": value}, context=context)
        assert config.root == resolved.format(place=place)
        assert stored(config)["root"] == kept
        assert pickle.loads(pickle.dumps(config)) == config
    if "UNSET" in given:
        with pytest.raises(ValueError, match="SKINFW_TEST_UNSET is not set"):
            ShardsConfig.model_validate({"root": given})


def test_a_copy_and_another_process_keep_the_variables(place: Path) -> None:
    root = FolderConfig(root=Path(f"${PLACE}/a")).root
    assert isinstance(root, VariablePath)
    for other in (copy.deepcopy(root), pickle.loads(pickle.dumps(root))):
        assert other == root and other.given == f"${PLACE}/a"
    assert (root / "b").given is None and root / "b" == place / "a" / "b"


def test_an_unset_variable_is_an_error_of_a_spec_but_not_of_a_stored_one() -> None:
    value = {"root": "$SKINFW_TEST_UNSET/a"}
    with pytest.raises(ValueError, match="SKINFW_TEST_UNSET is not set"):
        FolderConfig.model_validate(value)
    config = FolderConfig.model_validate(value, context={STORED: True})
    assert stored(config) | value == stored(config)
    hub = HuggingfaceConfig.model_validate(
        {"model": "$SKINFW_TEST_UNSET/m", "labels": "lip"}, context={STORED: True}
    )
    assert hub.model == "$SKINFW_TEST_UNSET/m"


def test_a_folder_that_looks_like_a_variable_is_an_error() -> None:
    """A run that records the path would expand it."""
    context = {"folder": Path("/a/$HOME b")}
    with pytest.raises(ValueError, match=r"the spec's folder is /a/\$HOME b, in which \$HOME would mean"):
        FolderConfig.model_validate({"root": "photos"}, context=context)
    assert FolderConfig.model_validate({"root": "/photos"}, context=context).root == Path("/photos")


@pytest.fixture
def run(make_run: Callable[..., Any], write_samples: Callable[..., Any], place: Path, tmp_path: Path) -> Any:
    """A run on samples below a place that a variable names."""
    write_samples(place / "samples", [f"p{number}" for number in range(6)])
    dataset = {"type": "folder", "root": f"${PLACE}/samples"}
    data = {"dataset": dataset, "size": [32, 32], "test_fraction": 0.5, "validation_fraction": 0}
    return make_run(tmp_path / "run", data=data, baselines=[])


def test_a_run_moves_between_machines(
    run: Any, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = evaluate_run(run)
    spec = json.loads(run.spec_path.read_text(encoding="utf-8"))
    assert spec["data"]["dataset"]["root"] == f"${PLACE}/samples"
    assert read_checkpoint(run.checkpoint()).about["spec"] == spec
    page = run.report_path.read_text(encoding="utf-8")
    assert f"${PLACE}/samples" in page and str(place) not in page
    assert parse_spec(spec) == run.spec
    # the same run and data elsewhere
    shutil.move(place, tmp_path / "elsewhere")
    run.folder.rename(tmp_path / "moved")
    monkeypatch.setenv(PLACE, str(tmp_path / "elsewhere"))
    after = evaluate_run(open_run(tmp_path / "moved"))
    assert after.values == before.values and not caplog.messages


def test_only_what_needs_the_path_needs_the_variable(
    run: Any, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PLACE)
    done = CliRunner().invoke(main, ["evaluate", str(run.folder), "--device", "cpu"])
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line == (
        f"Error: dataset 'folder', $.root: '${PLACE}/samples' needs the environment variable {PLACE}, which "
        "is not set; set it to the place on this machine"
    )
    arguments = ["generate", str(run.folder), str(place / "samples"), str(tmp_path / "out")]
    done = CliRunner().invoke(main, [*arguments, "--device", "cpu"])
    assert done.exit_code == 0, done.output


def test_a_run_resumes_with_its_variable_or_the_same_path(
    run: Any, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = run.spec.to_json()

    def changes(root: str) -> list[str]:
        data = {**value["data"], "dataset": {**value["data"]["dataset"], "root": root}}
        return spec_differences(open_run(run.folder).spec, parse_spec({**value, "data": data}))

    assert not changes(f"${PLACE}/samples") and not changes(str(place / "samples"))
    assert changes(f"${PLACE}/others") == ["$.data.dataset.root"]
    monkeypatch.setenv(PLACE, str(tmp_path / "elsewhere"))
    assert not changes(f"${PLACE}/samples")
    assert changes(str(place / "samples")) == ["$.data.dataset.root"]
    spec = parse_spec(value)
    assert create_run(spec, run.folder, resume=True).spec == spec


def test_a_run_of_an_ablation_takes_the_variables_along(run: Any, place: Path, tmp_path: Path) -> None:
    variables = variables_of(run.spec.to_json())
    assert variables == {PLACE: str(place)}
    job = Job("a run", run.spec.to_json(), tmp_path / "x", False, 1, variables)
    assert _environment(job)[PLACE] == str(place)


def test_a_component_is_not_built_without_its_variable(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PLACE)
    spec = open_run(run.folder).spec
    assert isinstance(spec, Spec)
    with pytest.raises(RunError, match=f"needs the environment variable {PLACE}"):
        build_dataset(spec)
    with pytest.raises(SpecError, match=f"{PLACE} is not set"):
        use("dataset", "folder", root=f"${PLACE}/samples")
