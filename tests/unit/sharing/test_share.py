"""Sharing a run to a hub on this machine, and using it from there."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from local_hub import TOKEN, Answer, LocalHub, Refused
from PIL import Image

from skinfw.cli import main
from skinfw.components.reference import use
from skinfw.components.trust import connections, named_outside
from skinfw.errors import RunError, TrustError, UserError
from skinfw.inference.generate import generate_folder
from skinfw.models.hub import FILES, hub_folder, local_model, repository
from skinfw.pipeline import Pipeline
from skinfw.runs.folder import Run, open_run

REPO = "me/tiny"


def share(run: Run, *options: str) -> Any:
    arguments = ["share", str(run.folder), "--to", REPO, "--no-onnx", *options]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done


def shared(run: Run, *options: str) -> str:
    """Share a run; return its name with the commit."""
    last = share(run, *options).stdout.splitlines()[-1]
    assert last.startswith("Shared: hub:me/tiny@")
    return str(last.removeprefix("Shared: "))


def test_a_shared_run_is_the_same_run(run: Run, hub: LocalHub, write_samples: Any, tmp_path: Path) -> None:
    name = shared(run)
    folder = local_model(name)
    assert folder.name == "tiny"
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == set(FILES) - {"model.onnx"}
    for own in ("checkpoints/best.safetensors", "spec.json", "metrics.json"):
        assert (folder / own).read_bytes() == (run.folder / own).read_bytes()

    (sample,) = write_samples(tmp_path / "samples", ["anna"])
    (ours,) = generate_folder(run, sample, tmp_path / "ours")
    (theirs,) = generate_folder(open_run(name), sample, tmp_path / "theirs")
    assert ours.read_bytes() == theirs.read_bytes()


def test_a_photo_is_painted_from_the_hub(
    run: Run, hub: LocalHub, write_photo: Callable[..., Path], tmp_path: Path
) -> None:
    photo, mask = write_photo(tmp_path / "photo.png", 5, (96, 64)), tmp_path / "mask.png"
    marked = np.zeros((96, 64), bool)
    marked[30:60, 10:20] = True
    Image.fromarray(marked).save(mask)
    painted = []
    for model in (str(run.folder), shared(run)):
        output = tmp_path / f"painted{len(painted)}.png"
        arguments = ["paint", model, str(photo), "--mask", str(mask), "-o", str(output), "--device", "cpu"]
        done = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
        painted.append(np.asarray(Image.open(output)))
    assert np.array_equal(*painted)
    assert (painted[0] != np.asarray(Image.open(photo))).any(axis=2)[marked].any()


def test_a_commit_is_downloaded_once_and_then_offline(run: Run, hub: LocalHub) -> None:
    from skinfw.models import hub as names

    name = shared(run)
    place = local_model(name)
    names._fetched.cache_clear()
    hub.requests.clear()
    assert local_model(name) == place == hub_folder(REPO) / name.partition("@")[2] / "tiny"
    assert hub.requests == []


@pytest.mark.parametrize(("revision", "says"), [("", "has no revision"), ("@main", "a branch or tag moves")])
def test_what_moves_is_pinned_with_a_warning(
    run: Run, hub: LocalHub, caplog: pytest.LogCaptureFixture, revision: str, says: str
) -> None:
    name = shared(run)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "skinfw"):
        place = local_model(f"hub:{REPO}{revision}")
        assert local_model(f"hub:{REPO}{revision}") == place
    assert place == local_model(name)
    (warning,) = [each.getMessage() for each in caplog.records]
    assert says in warning and warning.endswith(f"name {name} for the same model later")


def test_nothing_pickled_is_downloaded(run: Run, hub: LocalHub) -> None:
    name = shared(run)
    repository = hub.repositories[REPO]
    files = repository.commits[name.partition("@")[2]]
    bad = {"pytorch_model.bin": b"pickled", "code.py": b"x", "checkpoints/other.safetensors": b"x"}
    commit = repository.commit({**files, **bad})
    folder = local_model(f"hub:{REPO}@{commit}")
    assert not any((folder / each).exists() for each in bad)

    hub.create("me/pickles", **{"spec.json": b"{}", "pytorch_model.bin": b"pickled"})
    with pytest.raises(
        UserError,
        match=r"not a model .* uploaded: checkpoints/best.safetensors is missing; pi",
    ):
        local_model("hub:me/pickles")
    assert not any("pytorch_model.bin" in request for request in hub.requests)


def test_without_a_connection_the_error_names_the_cache(run: Run, hub: LocalHub) -> None:
    from skinfw.models import hub as names

    name = shared(run)
    local_model(name)
    names._fetched.cache_clear()
    hub.port = 0  # nobody listens there
    from huggingface_hub import constants

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
        with pytest.raises(UserError) as caught:
            local_model(f"hub:{REPO}")
        assert str(hub_folder(REPO)) in str(caught.value)
        assert f"holds the commits {name.partition('@')[2]}" in str(caught.value)
        with pytest.raises(UserError, match="does not hold it"):
            local_model("hub:me/other")


def test_what_the_hub_does_not_have(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.create("me/private", private=True)
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    for name in ("hub:me/missing", "hub:me/private"):
        with pytest.raises(UserError, match=f"{name}: http.* does not give it .*check name and revision"):
            local_model(name)
    hub.create("me/open")
    with pytest.raises(UserError, match=r"RevisionNotFound.*check name and revision$"):
        local_model("hub:me/open@0000000")


MODEL = {"spec.json": b"{}", "checkpoints/best.safetensors": b"weights"}


def fail(*_: object) -> None:
    raise Refused(503, "Maintenance")


def damage(answer: Answer, body: bytes, oid: str) -> None:
    answer._send(b"WEIGHTS", ETag=f'"{oid}"')


@pytest.mark.parametrize(
    ("method", "faulty", "message"),
    [
        ("_stored", damage, r"best\.safetensors arrived damaged; try again"),
        ("_stored", fail, r"fails \(.*503 .*\); try again later$"),
        ("_info", fail, r"fails \(.*503 .*\); try again later$"),
    ],
)
def test_what_arrives_damaged_or_not_at_all_is_not_kept(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch, method: str, faulty: Any, message: str
) -> None:
    commit = hub.create("me/model", **MODEL).branches["main"]
    with monkeypatch.context() as patch:
        patch.setattr(Answer, method, faulty)
        with pytest.raises(UserError, match=message):
            local_model(f"hub:me/model@{commit}")
    path = local_model(f"hub:me/model@{commit}") / "checkpoints" / "best.safetensors"
    assert path.read_bytes() == b"weights"


def test_a_hub_that_gives_another_commit_is_an_error(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = hub.create("me/model", **MODEL).branches["main"]
    info = Answer._info
    monkeypatch.setattr(Answer, "_info", lambda answer, body, repo, revision: info(answer, body, repo))
    with pytest.raises(UserError, match=f"the hub offers the commit {commit} instead"):
        local_model(f"hub:me/model@{'1' * 40}")


@pytest.mark.parametrize(
    "name", ["hub:", "hub:name", "hub:a/b/c", "hub:../b", "hub:a/b@", "hub:a/b--c", "hub:a/b@x y"]
)
def test_malformed_names(name: str) -> None:
    with pytest.raises(UserError, match="not a"):
        repository(f"hub:{name}")


def test_the_foreign_rules_apply(run: Run, hub: LocalHub) -> None:
    config = use("segmenter", "parser", path="hub:me/parser@main")
    assert str(config.config.path) == "hub:me/parser@main"
    (named,) = named_outside(config)
    assert (named.kind, named.value) == ("hub", "hub:me/parser@main")
    with connections(False), pytest.raises(TrustError, match="hub:me/parser@main"):
        local_model("hub:me/parser@main")
    assert hub.requests == []


def test_a_full_disk_is_one_error(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("skinfw.sharing.stage.write_text", full)
    output = tmp_path / "staged"
    arguments = ["share", str(run.folder), "--to", REPO, "--no-onnx", "--dry-run", "-o", str(output)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == f"Error: {output}: cannot be written: No space left on device"
    assert list(tmp_path.glob("*staged*")) == []


def test_a_dry_run_uploads_nothing(run: Run, hub: LocalHub, tmp_path: Path) -> None:
    done = share(run, "--dry-run", "-o", str(tmp_path / "staged"))
    assert hub.requests == []
    sizes = {path: int(size.replace(",", "")) for size, path in map(str.split, done.stdout.splitlines()[:8])}
    staged = {
        path.relative_to(tmp_path / "staged").as_posix(): path.stat().st_size
        for path in (tmp_path / "staged").rglob("*")
        if path.is_file()
    }
    assert sizes == staged
    assert set(staged) == {
        "README.md", "checkpoints/best.safetensors", "images/best.webp", "images/median.webp",
        "images/worst.webp", "licenses.json", "metrics.json", "spec.json",
    }  # fmt: skip


def test_sharing_again_replaces_what_was_there(run: Run, hub: LocalHub) -> None:
    first = shared(run, "--private", "--bom")
    assert hub.repositories[REPO].private
    second = shared(run)
    assert first != second
    commits = hub.repositories[REPO].commits
    assert "bom.cdx.json" in commits[first.partition("@")[2]]
    assert "bom.cdx.json" not in commits[second.partition("@")[2]]


def test_files_of_others_stay(run: Run, hub: LocalHub) -> None:
    first = shared(run, "--bom").partition("@")[2]
    repository = hub.repositories[REPO]
    own = {"config.json": b"{}", "other.onnx": b"x", "images/logo.webp": b"x"}
    repository.commit({**repository.commits[first], **own})
    files = repository.commits[shared(run).partition("@")[2]]
    assert own.items() <= files.items() and "bom.cdx.json" not in files

    theirs = hub.create(REPO, **{"config.json": b"{}", "README.md": b"# ours"})
    before = dict(theirs.branches)
    done = CliRunner().invoke(main, ["share", str(run.folder), "--to", REPO, "--no-onnx"])
    assert done.exit_code == 2
    assert "holds something else than a shared run (README.md, config.json)" in done.stderr
    assert theirs.branches == before


def test_a_downloaded_run_is_used_but_not_trained(run: Run, hub: LocalHub) -> None:
    pipeline = Pipeline.from_run(shared(run), overrides={"training.epochs": 9})
    assert pipeline.run.checkpoint().read_bytes() == run.checkpoint().read_bytes()
    with pytest.raises(RunError, match=r"a model from a hub, .*training.initial_weights"):
        pipeline.fit()


def test_an_upload_without_rights_is_one_error(
    run: Run, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    arguments = ["share", str(run.folder), "--to", REPO, "--no-onnx"]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 2
    assert "me/tiny: cannot be uploaded to" in done.stderr and "hf auth login" in done.stderr
    assert TOKEN not in done.stderr and "hf_other" not in done.stderr


def test_nothing_is_written_into_a_downloaded_model(run: Run, hub: LocalHub) -> None:
    name = shared(run)
    before = {path: path.read_bytes() for path in local_model(name).rglob("*") if path.is_file()}
    done = CliRunner().invoke(main, ["evaluate", name, "--device", "cpu"], catch_exceptions=False)
    assert done.exit_code == 2
    assert "a model from a hub, which stays as it is; give another place with --output" in done.stderr
    assert {path: path.read_bytes() for path in local_model(name).rglob("*") if path.is_file()} == before
