"""Models on the Hugging Face hub: ``hub:ORG/NAME@REVISION`` wherever a run folder may be named."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from skinfw.components.outside import HUB
from skinfw.components.trust import reject_connection
from skinfw.components.weights import file_sha256
from skinfw.errors import RunError, UserError, first_line, listed
from skinfw.models.checkpoint_file import checkpoint_file
from skinfw.system.folders import cache_folder
from skinfw.system.leftovers import replacing_folder

SPEC, WEIGHTS = "spec.json", checkpoint_file(Path()).as_posix()
CARD, METRICS, LICENSES, ONNX, BOM = (
    "README.md",
    "metrics.json",
    "licenses.json",
    "model.onnx",
    "bom.cdx.json",
)

FILES = (SPEC, WEIGHTS, CARD, METRICS, LICENSES, ONNX)
"""What is downloaded of a shared run, if it is there; nothing else ever is, so nothing pickled."""

_FORM = f"{HUB}ORG/NAME@REVISION"
_ADDRESS = re.compile(rf"{HUB}(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")

COMMITS = "SKINFW_COMMITS"
"""Environment variable with the commits that an ablation looked up for its runs: a JSON object with the names
with commits, by the names that were given."""

logger = logging.getLogger("skinfw")


def is_on_hub(path: str | os.PathLike[str]) -> bool:
    """Return whether a model's name is one on the hub."""
    return os.fspath(path).startswith(HUB)


def local_model(path: str | Path) -> Path:
    """Return where a model is on this machine: a path as it is, one on the hub after downloading it.

    A commit that was downloaded before needs no connection. A branch, a tag or no revision is looked up once
    per process; a warning says which commit it means.

    Args:
        path: a path, or a name as in `HUB`'s form.

    Raises:
        UserError: the name is malformed, or the hub cannot be reached or does not have the model.
        TrustError: connections are forbidden, as a run that somebody else trained names it.
    """
    return _fetched(path.as_posix() if isinstance(path, Path) else path) if is_on_hub(path) else Path(path)


def pinned(path: Path) -> Path:
    """Return a model's name on the hub with its commit, which other processes open too; a path as it is.

    Raises:
        UserError: as `local_model`.
        TrustError: as `local_model`.
    """
    if not is_on_hub(path):
        return path
    known = json.loads(os.environ.get(COMMITS, "{}")).get(path.as_posix())
    if known is not None:
        return Path(known)
    repo, _ = repository(path.as_posix())
    return Path(f"{HUB}{repo}@{local_model(path).parent.name}")


def moves(name: str) -> bool:
    """Return whether a name on the hub has no commit of 40 digits, so that it may mean another model later.

    Example:
        >>> moves("hub:org/name"), moves("hub:org/name@main"), moves("hub:org/name@" + 40 * "0")
        (True, True, False)
    """
    found = _ADDRESS.fullmatch(name)
    return found is not None and not _COMMIT.fullmatch(found["revision"] or "")


def repository(name: str) -> tuple[str, str | None]:
    """Return the repository ``ORG/NAME`` and the revision, or None, of a name on the hub.

    Raises:
        UserError: it is malformed.
    """
    found = _ADDRESS.fullmatch(name)
    if found is None:
        raise UserError(f"{name}: not a model on the hub; write {_FORM}, with a commit as the revision")
    return repository_name(found["repo"]), found["revision"]


def repository_name(name: str) -> str:
    """Return a repository's name as it is.

    Raises:
        UserError: it is not of the form ``ORG/NAME``, or the hub does not allow it.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # imported for others

    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise UserError(f"{name}: not a repository of the hub: {first_line(error)}") from error
    if name.count("/") != 1:
        raise UserError(f"{name}: not a repository of the hub; write ORG/NAME")
    return name


def hub_folder(repo: str) -> Path:
    """Return the folder for the downloaded commits of a repository; each has its own folder."""
    return _downloads() / repo.partition("/")[0]


def _downloads() -> Path:
    return cache_folder() / "hub"


def reject_downloaded(folder: Path, instead: str = "give another place with --output") -> None:
    """Reject to write into the folder of a downloaded model, which stays as its commit is.

    Args:
        folder: the folder.
        instead: what to do instead.

    Raises:
        RunError: it is one.
    """
    if folder.absolute().is_relative_to(_downloads().absolute()):
        raise RunError(f"{folder}: a model from a hub, which stays as it is; {instead}")


def _place(repo: str, commit: str) -> Path:
    """Return the folder of a commit; its name is the model's, as that of a run folder is."""
    return hub_folder(repo) / commit / repo.partition("/")[2]


@cache
def _fetched(name: str) -> Path:
    repo, revision = repository(name)
    if revision is not None and _COMMIT.fullmatch(revision) and (known := _place(repo, revision)).is_dir():
        return known
    reject_connection(f"{name} (a model on a hub)")

    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(repo, revision=revision, files_metadata=True)
    except Exception as error:  # httpx, the library and the system raise their own
        raise _unreachable(name, repo, error) from error
    commit = str(info.sha)
    if not _COMMIT.fullmatch(commit):
        raise UserError(f"{name}: the hub returned {commit!r} instead of a commit")
    if revision is not None and _COMMIT.fullmatch(revision) and revision != commit:
        raise UserError(
            f"{name}: the hub offers the commit {commit} instead; check the name, and HF_ENDPOINT"
        )
    if revision != commit:
        logger.warning(
            "%s: %s, now at commit %s; name %s%s@%s for the same model later",
            name, "has no revision" if revision is None else "a branch or tag moves", commit,
            HUB, repo, commit,
        )  # fmt: skip
    place = _place(repo, commit)
    if not place.is_dir():
        hashes = {each.rfilename: each.lfs.sha256 if each.lfs else None for each in info.siblings or ()}
        missing = [file for file in (SPEC, WEIGHTS) if file not in hashes]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise UserError(
                f"{name}: is not a model that skinfw share uploaded: {' and '.join(missing)} {verb} missing; "
                "pickled weights, such as pytorch_model.bin, are never loaded"
            )
        _download(name, repo, commit, place, hashes)
    return place


def _download(name: str, repo: str, commit: str, place: Path, hashes: Mapping[str, str | None]) -> None:
    """Download a commit into its place, completely or not at all.

    Args:
        name: the model's name.
        repo: its repository.
        commit: the commit.
        place: the folder.
        hashes: the commit's files, with the SHA-256 of large ones.
    """
    from huggingface_hub import snapshot_download

    with replacing_folder(place) as folder:
        try:
            snapshot_download(repo, revision=commit, allow_patterns=list(FILES), local_dir=folder)
        except Exception as error:  # httpx, the library and the system raise their own
            raise _unreachable(name, repo, error) from error
        shutil.rmtree(folder / ".cache", ignore_errors=True)  # the library's notes on the download
        for file, sha256 in hashes.items():
            path = folder / file
            # the library compares sizes alone
            if file in FILES and not (path.is_file() and sha256 in (None, file_sha256(path))):
                raise UserError(
                    f"{name}: {file} arrived damaged; try again, and check HF_ENDPOINT if it stays so"
                )


def is_refused(error: Exception) -> bool:
    """Return whether the hub refuses a request without a login, or without the rights."""
    from huggingface_hub.errors import HfHubHTTPError

    return isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 403)


def _unreachable(name: str, repo: str, error: Exception) -> UserError:
    """Return the error for a model that cannot be fetched."""
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    why = f"{type(error).__name__}: {first_line(error)}"
    if isinstance(error, HfHubHTTPError) and error.response.status_code >= 500:
        return UserError(f"{name}: {constants.ENDPOINT} fails ({why}); try again later")
    if isinstance(error, HfHubHTTPError):
        login = ", and log in with hf auth login if it is private" if is_refused(error) else ""
        return UserError(
            f"{name}: {constants.ENDPOINT} does not give it ({why}); check name and revision{login}"
        )
    folder = hub_folder(repo)
    own = repo.partition("/")[2]
    known: list[Any] = sorted(each.parent.name for each in folder.glob(f"*/{own}") if each.is_dir())
    there = f"holds the commits {listed(known)}: name one" if known else "does not hold it"
    return UserError(
        f"{name}: {constants.ENDPOINT} cannot be reached or fails ({why}), and the cache {folder} {there}; "
        f"connect, or copy {folder.name}/COMMIT/{own} there from another machine"
    )
