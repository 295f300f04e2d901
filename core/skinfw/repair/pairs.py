"""Pairs of a photo and a try-on system's result, in the folders that the systems write or listed in a CSV."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skinfw.data.image_formats import IMAGE_SUFFIXES, is_image_name
from skinfw.data.layouts import Layout
from skinfw.errors import DataError, listed
from skinfw.preparation.source import photos_below
from skinfw.system.json_file import read_text
from skinfw.system.paths_below import composed, on_disk, path_to_read, without_suffix

COLUMNS = ("person", "result")
"""The columns of a CSV of pairs: paths below the folders of photos and results."""

_OOTDIFFUSION = re.compile(r"out_(hd|dc)_\d+")

Sources = Callable[[Path], Sequence[Path]]
"""Returns the files that belong to a photo, such as its label map."""


@dataclass(frozen=True)
class PairOfFiles:
    """A photo and its result.

    Attributes:
        name: the result's path below the folder of results, with forward slashes, without suffix.
        person: the photo's file.
        result: the result's file.
        person_names: names that the photo's label map may have in a folder of them, best first: the photo's
            path below its folder, without suffix, and its bare name if no other photo has it.
        result_names: those of the result's label map.
    """

    name: str
    person: Path
    result: Path
    person_names: Sequence[str] = ()
    result_names: Sequence[str] = ()


@dataclass(frozen=True)
class Pairing:
    """The pairs of two folders, and everything that has no partner.

    Attributes:
        pairs: the pairs, sorted by name.
        photos: paths of photos without a result, below their folder.
        results: paths of results without a photo, below their folder.

    Raises:
        DataError: two results have the same name, so that one would replace the other.
    """

    pairs: Sequence[PairOfFiles]
    photos: Sequence[str]
    results: Sequence[str]

    def __post_init__(self) -> None:
        found: dict[str, PairOfFiles] = {}
        for pair in self.pairs:
            other = found.setdefault(composed(pair.name), pair)
            if other is not pair:
                raise DataError(
                    f"{pair.result}: {other.result.name} has the same name; rename one of them, or list the "
                    "pairs in a CSV (--pairs)"
                )

    def unmatched(self) -> str:
        """Return a message that counts and names what has no partner; empty if nothing."""
        parts = [
            f"{len(names)} {what}: {listed(names, 5)}"
            for what, names in (
                ("photos have no result", self.photos),
                ("results have no photo", self.results),
            )
            if names
        ]
        return "; ".join(parts)


def find_pairs(person: Path, result: Path, layout: Layout, sources: Sources) -> Pairing:
    """Pair the photos below one folder with the results below another.

    Args:
        person: the folder of photos, or one photo.
        result: the folder of results, or one result.
        layout: which result belongs to which photo; it does not matter for two files.
        sources: returns the files that belong to a photo, which are neither photos nor results.

    Raises:
        DataError: a folder does not exist or has no image, two photos or two results have the same name, or
            no result has a photo.
    """
    if person.is_file() and result.is_file():
        return Pairing([PairOfFiles(result.stem, person, result, (person.stem,), (result.stem,))], (), ())
    photos, photo_root = _images(person, sources)
    results, root = _images(result, sources)
    if len(photos) == 1 and person.is_file() and layout == "ootdiffusion":
        owner: Mapping[Path, Path] = {
            each: photos[0] for each in results if _OOTDIFFUSION.fullmatch(each.stem)
        }
    else:
        by_name = _by_name(photos, photo_root)
        owner = {each: by_name[name] for each in results if (name := _owner(each, root, layout, by_name))}
    used = set(owner.values())
    photo_paths = {each: each.relative_to(photo_root).as_posix() for each in photos}
    paths = {each: each.relative_to(root).as_posix() for each in results}
    pairing = Pairing(
        _named([(photo, each) for each, photo in owner.items()], photo_paths, paths),
        [path for each, path in photo_paths.items() if each not in used],
        [path for each, path in paths.items() if each not in owner],
    )
    _check(pairing, person, result, layout)
    return pairing


def _named(
    pairs: Sequence[tuple[Path, Path]], photos: Mapping[Path, str], results: Mapping[Path, str]
) -> list[PairOfFiles]:
    """Return pairs of a photo and a result, sorted by name.

    Args:
        pairs: the files.
        photos: all photos, with their paths below their folder.
        results: all results, with their paths below their folder.
    """
    of_photos, of_results = _map_names(photos), _map_names(results)
    named = (
        PairOfFiles(of_results[result][0], person, result, of_photos[person], of_results[result])
        for person, result in pairs
    )
    return sorted(named, key=lambda pair: pair.name)


def _map_names(pictures: Mapping[Path, str]) -> dict[Path, Sequence[str]]:
    """Return the names that the label map of each picture may have; see `PairOfFiles`."""
    names = {picture: without_suffix(path, IMAGE_SUFFIXES) for picture, path in pictures.items()}
    bare = {picture: name.rpartition("/")[2] for picture, name in names.items()}
    times = Counter(map(composed, bare.values()))
    return {
        picture: (name,)
        if bare[picture] == name or times[composed(bare[picture])] > 1
        else (name, bare[picture])
        for picture, name in names.items()
    }


def _images(path: Path, sources: Sources) -> tuple[list[Path], Path]:
    """Return the images below a folder, or one image, and the folder that they are named from."""
    if path.is_file():
        return [path], path.parent
    return photos_below(path, sources), path


def _by_name(photos: Sequence[Path], root: Path) -> dict[str, Path]:
    """Return photos by the name that results refer to: the path without suffix, and the bare name."""
    found: dict[str, Path] = {}
    stems: dict[str, list[Path]] = {}
    for photo in photos:
        name = composed(without_suffix(photo.relative_to(root).as_posix(), IMAGE_SUFFIXES))
        if name in found:
            raise DataError(f"{photo}: {found[name].name} has the same name; rename one of them")
        found[name] = photo
        stems.setdefault(composed(photo.stem), []).append(photo)
    return found | {
        stem: several[0] for stem, several in stems.items() if len(several) == 1 and stem not in found
    }


def _owner(result: Path, root: Path, layout: Layout, photos: Mapping[str, Path]) -> str | None:
    """Return the name of the photo that a result belongs to, or None."""
    within = composed(without_suffix(result.relative_to(root).as_posix(), IMAGE_SUFFIXES))
    stem = within.rpartition("/")[2]
    if layout == "ootdiffusion":
        if not _OOTDIFFUSION.fullmatch(stem):
            return None
        folders = within.split("/")[:-1]
        return next((name for name in reversed(folders) if name in photos), None)
    if layout == "hr_viton":
        # names contain underscores themselves: the longest photo's name counts
        cuts = [place for place, letter in enumerate(stem) if letter == "_"]
        return next((stem[:cut] for cut in reversed(cuts) if stem[:cut] in photos), None)
    return next((name for name in (within, stem) if name in photos), None)


def read_pairs(path: Path, person: Path, result: Path) -> Pairing:
    """Read a CSV of pairs: a header with the columns `COLUMNS`, then paths below the two folders.

    Args:
        path: the CSV file, in UTF-8.
        person: the folder of photos.
        result: the folder of results.

    Raises:
        DataError: a column or a path is missing, a path leads out of its folder or is not an image, a result
            is listed twice, or no pair is listed; the message says which line.
        SpecError: as `skinfw.system.json_file.read_text`.
    """
    for root in (person, result):
        if not root.is_dir():
            raise DataError(f"{root}: no such folder; give the folders that the paths of --pairs are below")
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    absent = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if absent:
        raise DataError(f"{path}: no column {absent[0]!r}; the first line must be: person,result")
    pairs: dict[str, tuple[Path, Path]] = {}
    photos: dict[Path, str] = {}
    results: dict[Path, str] = {}
    try:
        for row in reader:
            where = f"{path}: line {reader.line_num}"
            photo, made = (
                _listed(row[name], root, where) for name, root in zip(COLUMNS, (person, result), strict=True)
            )
            photos[photo], results[made] = str(row["person"]), str(row["result"])
            name = without_suffix(results[made], IMAGE_SUFFIXES)
            if name in pairs:
                raise DataError(f"{where}: the result {name!r} is listed twice")
            pairs[name] = photo, made
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: {error}") from None
    if not pairs:
        raise DataError(f"{path}: no pairs in it")
    return Pairing(_named(list(pairs.values()), photos, results), (), ())


def _listed(value: str | None, root: Path, where: str) -> Path:
    if not value:
        raise DataError(f"{where}: a path is missing; each line has a photo and a result")
    if not is_image_name(value):
        raise DataError(f"{where}: {value} is not an image; give names with suffix")
    path = on_disk(path_to_read(root, value))
    if not path.is_file():
        raise DataError(f"{where}: {path}: no such file")
    return path


def _check(pairing: Pairing, person: Path, result: Path, layout: Layout) -> None:
    if not pairing.pairs:
        raise DataError(
            f"{result}: no result belongs to a photo in {person} (layout {layout}): {pairing.unmatched()}; "
            "choose another --layout, or list the pairs in a CSV (--pairs)"
        )
