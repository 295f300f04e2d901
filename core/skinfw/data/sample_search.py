"""Finds sample folders on disk."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from glob import has_magic
from pathlib import Path, PurePosixPath

from skinfw.data.excluded import EXCLUDED_FILE, excluded, excluded_among
from skinfw.data.sample_folder import RECORD_FILE, is_sample_folder
from skinfw.data.shard_lines import INDEX_FILE
from skinfw.errors import DataError, counted, listed
from skinfw.system.paths_below import composed
from skinfw.system.walk import walk

logger = logging.getLogger("skinfw")


def find_samples(root: Path) -> tuple[Path, list[str]]:
    """Find all sample folders that are not excluded; see `all_samples` for arguments and result.

    Raises:
        DataError: as `all_samples`, or every sample is excluded.
    """
    base, names = all_samples(root)
    return base, not_excluded(root, base, names)


def not_excluded(root: Path, base: Path, names: Sequence[str]) -> list[str]:
    """Return the samples that are not excluded; it warns about excluded names that no sample has.

    Args:
        root: what the samples were searched in, for errors.
        base: the folder that the names are relative to.
        names: all samples.

    Raises:
        DataError: every sample is excluded.
    """
    listed = excluded(base)
    gone = excluded_among(names, listed)
    unknown = sorted(listed - excluded_among(listed, names))
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        logger.warning("%s: no sample is called %r%s", base / EXCLUDED_FILE, unknown[0], more)
    left = [name for name in names if name not in gone]
    if not left:
        raise DataError(
            f"{root}: all {len(names)} samples are excluded; remove names from {base / EXCLUDED_FILE}"
        )
    _warn_of_other_lists(base, left)
    return left


def _warn_of_other_lists(base: Path, names: Sequence[str]) -> None:
    """Warn about samples that are used, although a list of a folder above or below excludes them."""
    forms = {composed(name): name for name in names}
    for folder, prefix, above in _other_places(base, names):
        with suppress(DataError):  # it is damaged
            named = [composed(name) for name in excluded(folder)]
            if above:
                start = composed(prefix)
                here = [name.removeprefix(start) for name in named if name.startswith(start)]
            else:
                here = [f"{composed(prefix)}{name}" for name in named]
            used = sorted({forms[name] for name in here if name in forms})
            if used:
                logger.warning(
                    "%s: excludes %s that %s used here, where only %s counts: %s; add such names there",
                    folder / EXCLUDED_FILE, counted(len(used), "sample"), "is" if len(used) == 1 else "are",
                    base / EXCLUDED_FILE, listed(used),
                )  # fmt: skip


def _other_places(base: Path, names: Sequence[str]) -> Iterator[tuple[Path, str, bool]]:
    """Yield folders that may have a list, how its names differ from those here, and whether it is above."""
    here = base.absolute()
    for folder in here.parents:
        yield folder, f"{here.relative_to(folder).as_posix()}/", True
    below = {parent for name in names for parent in PurePosixPath(name).parents}
    for each in sorted(below - {PurePosixPath()}):
        yield base / each, f"{each}/", False


def all_samples(root: Path) -> tuple[Path, list[str]]:
    """Find all sample folders, including excluded ones.

    Args:
        root: a folder, a glob of folders, or a single sample folder.

    Returns:
        the folder that names are relative to, and the names with forward slashes.

    Raises:
        DataError: the folder does not exist, cannot be read, or has no samples.
    """
    if root.exists() or not has_magic(str(root)):
        base, tops = root, [root]
    else:
        base = _fixed_part(root)
        if ".." in root.relative_to(base).parts:
            raise DataError(
                f"{root}: '..' after a wildcard leads out of {base}; write the pattern without it"
            )
        tops = [path for path in base.glob(str(root.relative_to(base))) if path.is_dir()]
        if not tops:
            raise DataError(f"{root}: no folder matches this pattern; check it, and quote it in the shell")
    if not base.is_dir():
        what = "a file, not a folder of samples" if base.exists() else "no such folder"
        raise DataError(f"{base}: {what}; check the path")
    folders = _sample_folders(tops)
    if not folders and (base / INDEX_FILE).is_file():
        raise DataError(
            f'{root}: it contains packed samples; use the data set {{"type": "shards", "root": ...}}, or '
            "unpack the .tar files"
        )
    if not folders:
        raise DataError(
            f"{root}: it contains no sample; a sample is a folder with apparel_head_foot.png or .jpg "
            "(skinfw prepare makes them from photos)"
        )
    if base in folders:
        base = base.parent
    return base, [folder.relative_to(base).as_posix() for folder in folders]


def _fixed_part(pattern: Path) -> Path:
    """Return the leading folders of a glob, without wildcards."""
    fixed = Path(pattern.anchor)
    for part in pattern.relative_to(pattern.anchor).parts:
        if has_magic(part):
            break
        fixed /= part
    return fixed


def _sample_folders(tops: Sequence[Path]) -> set[Path]:
    """Return the sample folders at or below the given ones; skips hidden folders, which are in progress."""
    found = set()
    links = []
    incomplete = []
    for folder in walk(tops):
        folder.below[:] = [name for name in folder.below if not name.startswith(".")]
        for skipped in folder.skipped:
            if skipped.kind == "folder":
                raise DataError(f"{skipped.path}: {skipped.detail}")
            links.append(skipped)
        if is_sample_folder(folder.files):
            found.add(folder.path)
        elif RECORD_FILE in folder.files:
            incomplete.append(folder.path)
    if incomplete:
        more = f", and {len(incomplete) - 1} more" if len(incomplete) > 1 else ""
        logger.warning(
            "skipping %s%s: prepared, but without apparel_head_foot; prepare the photo again",
            incomplete[0],
            more,
        )
    if links:
        more = f", and {len(links) - 1} more" if len(links) > 1 else ""
        logger.warning("skipping %s: %s%s", links[0].path, links[0].detail, more)
    return found
