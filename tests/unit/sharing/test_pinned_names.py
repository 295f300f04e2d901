"""Names of models on a hub that may move: a run records the commit that it used."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from local_hub import LocalHub

from skinfw.ablation.ablate import run_plan
from skinfw.ablation.engine import Engine, Running
from skinfw.ablation.plan import Plan, make_plan
from skinfw.ablation.process import Job
from skinfw.ablation.runner import run_missing
from skinfw.cli.components import component_option
from skinfw.components.reference import ComponentSpec
from skinfw.errors import RunError
from skinfw.inference import finders
from skinfw.inference.open_model import OpenModel
from skinfw.models import hub as names
from skinfw.pipeline import Pipeline
from skinfw.runs.create import recorded_commits
from skinfw.runs.folder import Run
from skinfw.sharing.stage import stage
from skinfw.sharing.upload import upload
from skinfw.specs.pinning import pinned_spec
from skinfw.specs.spec import parse_spec

REPO = "me/tiny"
MOVING = f"hub:{REPO}"


@pytest.fixture
def share(run: Run, hub: LocalHub, tmp_path: Path) -> Callable[[], str]:
    """Move the branch on to a new commit with the run; return the run's name with that commit."""
    (tmp_path / "shared").mkdir()
    commit = upload(stage(run, tmp_path / "shared", REPO, export=False)).partition("@")[2]
    repository = hub.repositories[REPO]
    return lambda: f"{MOVING}@{repository.commit(repository.commits[commit])}"


@pytest.fixture
def spec(run: Run) -> Callable[..., dict[str, Any]]:
    """Make a spec that starts from a model on the hub."""

    def make(model: str = MOVING, **training: Any) -> dict[str, Any]:
        value = run.spec.to_json()
        value["training"] |= {"epochs": None, "steps": 1, "initial_weights": model, **training}
        return {**value, "baselines": []}

    return make


def recorded(run: Run) -> str:
    return str(json.loads(run.spec_path.read_text(encoding="utf-8"))["training"]["initial_weights"])


def test_a_run_records_the_commit_and_keeps_it(
    share: Callable[[], str], spec: Any, hub: LocalHub, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    first = share()
    with caplog.at_level(logging.WARNING, "skinfw"):
        done = Pipeline(spec(), output=tmp_path / "one").fit().run
    assert [first in each.getMessage() for each in caplog.records if MOVING in each.getMessage()] == [True]
    assert recorded(done) == first
    rows = json.loads(done.metrics_path.read_text(encoding="utf-8"))["licenses"]["rows"]
    (row,) = [each for each in rows if each["name"] == REPO]
    assert f"hub:{row['name']}@{row['revision']}" == first

    second = share()
    assert second != first
    names._fetched.cache_clear()  # a new process does not remember the branch
    hub.requests.clear()
    longer = Pipeline(spec(steps=2), output=tmp_path / "one", resume=True).fit().run
    assert recorded(longer) == first
    assert recorded(Pipeline(done.spec_path, output=tmp_path / "two").fit().run) == first
    assert hub.requests == []  # the commit is on disk
    assert recorded(Pipeline(spec(), output=tmp_path / "three").fit().run) == second


def test_the_card_of_a_run_says_which_commit_it_used(
    share: Callable[[], str], spec: Any, tmp_path: Path
) -> None:
    name = share()
    done = Pipeline(spec(f"{MOVING}@main"), output=tmp_path / "own").fit().run
    (tmp_path / "staged").mkdir()
    stage(done, tmp_path / "staged", "me/own", export=False)
    card = (tmp_path / "staged" / "README.md").read_text(encoding="utf-8")
    (line,) = [line for line in card.splitlines() if line.startswith(f"| {REPO} ")]
    assert f" {name.partition('@')[2]} " in line


def test_another_commit_is_another_spec(share: Callable[[], str], spec: Any, tmp_path: Path) -> None:
    share()
    Pipeline(spec(), output=tmp_path / "own").fit()
    with pytest.raises(RunError, match=r"\$.training.initial_weights changed"):
        Pipeline(spec(share()), output=tmp_path / "own", resume=True).fit()


def test_another_branch_is_another_spec(
    share: Callable[[], str], spec: Any, tmp_path: Path, hub: LocalHub
) -> None:
    share()
    done = Pipeline(spec(f"{MOVING}@main"), output=tmp_path / "own").fit().run
    again = Pipeline(spec(f"{MOVING}@main", steps=2), output=tmp_path / "own", resume=True).fit().run
    assert recorded(again) == recorded(done)
    for other in (MOVING, f"{MOVING}@v2"):
        with pytest.raises(RunError, match=r"\$.training.initial_weights changed"):
            Pipeline(spec(other), output=tmp_path / "own", resume=True).fit()


def test_a_variant_with_another_branch_is_not_done(
    share: Callable[[], str], spec: Any, tmp_path: Path
) -> None:
    share()

    def plan(model: str) -> Plan:
        file = {"name": "both", "question": "?", "base": spec(model), "variants": {"a": {}}}
        return make_plan(file, output=tmp_path / "both")

    (first,) = plan(f"{MOVING}@main").runs
    Pipeline(first.spec, output=first.folder).fit()
    assert first.state() == ("done", "")
    assert plan(f"{MOVING}@v2").runs[0].state() == ("changed", "$.training.initial_weights changed")


class Failing(Engine):
    """Starts nothing; another commit is shared meanwhile."""

    slots, threads = 1, 0

    def __init__(self, share: Callable[[], str]) -> None:
        self.share, self.started = share, list[str]()

    def start(self, job: Job) -> Running:
        moving = job.spec["training"]["initial_weights"]
        self.started.append(json.loads(job.variables[names.COMMITS])[moving])
        self.share()
        raise RunError("stops here")


def test_all_runs_of_an_ablation_use_one_commit(share: Callable[[], str], spec: Any, tmp_path: Path) -> None:
    first = share()
    plan = make_plan(
        {"name": "both", "question": "?", "base": spec(), "variants": {"a": {}, "b": {"losses": ["mse"]}}},
        output=tmp_path / "both",
    )
    engine = Failing(share)
    run_missing(plan.runs, engine, lambda _: None)
    assert engine.started == [first, first]


def test_later_runs_of_an_ablation_use_the_commit_of_the_first(
    share: Callable[[], str], spec: Any, tmp_path: Path
) -> None:
    first = share()
    plan = make_plan(
        {"name": "both", "question": "?", "base": spec(), "variants": {"a": {}, "b": {"losses": ["mse"]}}},
        output=tmp_path / "both",
    )
    Pipeline(plan.runs[0].spec, output=plan.runs[0].folder).fit()
    share()
    names._fetched.cache_clear()
    engine = Failing(share)
    result = run_plan(plan, engine)
    assert engine.started == [first]
    assert json.loads((plan.output / "ablation.json").read_text(encoding="utf-8"))["commits"] == {
        MOVING: first
    }
    assert first in result.page_path.read_text(encoding="utf-8")


def test_a_run_of_an_ablation_uses_the_commit_that_it_is_given(
    share: Callable[[], str], spec: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = share()
    share()
    monkeypatch.setenv(names.COMMITS, json.dumps({MOVING: first}))
    done = Pipeline(spec(), output=tmp_path / "own").fit().run
    assert recorded(done) == first
    assert recorded_commits(done) == {MOVING: first}


def test_components_of_commands_name_the_commit(share: Callable[[], str]) -> None:
    name = share()
    found = component_option("segmenter", json.dumps({"type": "parser", "path": MOVING}), "--segmenter")
    assert found.to_json()["path"] == name


def test_finders_in_python_name_the_commit(share: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    name = share()
    built: list[ComponentSpec] = []
    monkeypatch.setattr(finders, "build", lambda reference, _: built.append(reference))
    monkeypatch.setattr(finders, "_label", lambda reference: str(reference.name))
    moving = {"type": "parser", "path": MOVING}
    finders.build_finders(cast("OpenModel", None), moving, "bodypix")
    assert built[0].to_json()["path"] == name


def test_specs_without_moving_names_stay_as_they_are(hub: LocalHub, tiny_spec: Any) -> None:
    commit = "0123456789" * 4
    data = {
        "dataset": {
            "type": "photos",
            "root": "p",
            "segmenter": {"type": "parser", "path": f"{MOVING}@{commit}"},
        }
    }
    for value in (tiny_spec(), tiny_spec(data={**tiny_spec()["data"], **data})):
        spec = parse_spec(value)
        assert pinned_spec(spec) is spec
    assert hub.requests == []
