"""Near-duplicates: perceptual hashes, and groups of samples that must stay together in a split."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import imagehash
from PIL import Image

from skinfw.data.hash_index import HashIndex
from skinfw.data.person_id import person_id
from skinfw.data.photo import Photo
from skinfw.data.sample_folder import read_record
from skinfw.data.segmentation import RgbImage
from skinfw.data.split import position
from skinfw.errors import DataError
from skinfw.preparation.config import NEAR_DUPLICATE

_PHASH = re.compile(r"[0-9a-f]{16}")


def perceptual_hash(image: RgbImage) -> str:
    """Return the perceptual hash of an image as 16 hexadecimal digits.

    Its bits say which of the lowest 8x8 frequencies of the brightness are above their median (``phash`` of
    ImageHash): copies of other sizes and qualities differ in few of the 64 bits.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
    """
    return str(imagehash.phash(Image.fromarray(image)))


class SeenPhotos:
    """Photos by their perceptual hashes.

    Args:
        most: bits by which near-duplicates may differ.
    """

    def __init__(self, most: int) -> None:
        self._photos: list[str] = []
        self._index = HashIndex(most)

    def add(self, photo: str, phash: str) -> None:
        """Add a photo."""
        self._index.add(phash)
        self._photos.append(photo)

    def near_duplicate(self, phash: str) -> tuple[str, int] | None:
        """Return the first near-duplicate and the number of differing bits, or None."""
        near = self._index.near(phash)
        if not len(near):
            return None
        first = int(near[0])
        return self._photos[first], self._index.distance(first, phash)


class _Clusters:
    """Groups of keys (union-find)."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def top(self, key: str) -> str:
        while (above := self._above.get(key, key)) != key:
            # path halving keeps paths short
            self._above[key] = key = self._above.get(above, above)
        return key

    def join(self, one: str, other: str) -> None:
        # training samples stay there: a sample never moves from training to test
        low, high = sorted((self.top(one), self.top(other)), key=lambda key: (position(key), key))
        self._above[low] = high


def join_groups(
    keys: Sequence[str],
    hashes: Sequence[str | None],
    most: int,
    pairs: Iterable[tuple[str, str]] = (),
    mirrored: Sequence[str | None] | None = None,
) -> dict[str, str]:
    """Join groups of samples with near-duplicate photos.

    Args:
        keys: the group of each sample, for example its person.
        hashes: the perceptual hash of each sample's photo, None if unknown.
        most: bits by which near-duplicates may differ.
        pairs: groups that belong together anyway.
        mirrored: the perceptual hash of the mirror image of each sample's photo, None if unknown: mirrored
            copies are near-duplicates too. None if all are unknown.

    Raises:
        ValueError: the sequences have different lengths.

    Returns:
        for each key its new group: of the joined groups, the last one in the split, so that new samples never
        move older or unrelated ones from training to test.
    """
    clusters = _Clusters()
    for one, other in pairs:
        clusters.join(one, other)
    holders: dict[str, str] = {}
    for key, phash in zip(keys, hashes, strict=True):
        if phash is not None:
            clusters.join(key, holders.setdefault(phash, key))
    distinct = list(holders)
    index = HashIndex(most, distinct)
    for phash, first in zip(distinct, index.components().tolist(), strict=True):
        clusters.join(holders[phash], holders[distinct[first]])
    for key, phash in zip(keys, [None] * len(keys) if mirrored is None else mirrored, strict=True):
        for near in index.near(phash).tolist() if phash is not None else ():
            clusters.join(key, holders[distinct[near]])
    return {key: clusters.top(key) for key in keys}


def sample_groups(folders: Mapping[str, Path], person: Callable[[str], str], most: int) -> Mapping[str, str]:
    """Return the group that the split uses for each sample.

    It joins samples that show one person, have the same group in their records, or are near-duplicates.

    Args:
        folders: the samples' folders by name.
        person: the person in a sample, derived from its name.
        most: bits by which the perceptual hashes of near-duplicates may differ.

    Raises:
        DataError: a record is not a JSON object.
    """
    keys: list[str] = []
    hashes: list[str | None] = []
    mirrored: list[str | None] = []
    first: dict[str, str] = {}
    pairs: list[tuple[str, str]] = []
    for name, folder in folders.items():
        record = read_record(folder) or {}
        who = person(name)
        keys.append(str(record.get("group") or who))
        hashes.append(_phash(record, "phash"))
        mirrored.append(_phash(record, "mirrored_phash"))
        # one person in several groups joins them
        pairs.append((keys[-1], first.setdefault(who, keys[-1])))
    joined = join_groups(keys, hashes, most, pairs, mirrored)
    return {name: joined[key] for name, key in zip(folders, keys, strict=True)}


def photo_groups(root: Path, names: Sequence[str]) -> Mapping[str, str]:
    """Return the group of each photo: its person, if the name shows it, and its near-duplicates.

    Args:
        root: the folder of the photos.
        names: their paths below it, with forward slashes; the extension does not count.
    """
    people = [person_id(PurePosixPath(name).with_suffix("").as_posix()) for name in names]
    hashes, mirrored = zip(*(_hashes_of(root / name) for name in names), strict=True) if names else ((), ())
    joined = join_groups(people, hashes, NEAR_DUPLICATE, mirrored=mirrored)
    return {name: joined[person] for name, person in zip(names, people, strict=True)}


def _hashes_of(photo: Path) -> tuple[str | None, str | None]:
    """Return the perceptual hashes of a photo and of its mirror image."""
    try:
        pixels = Photo.read(photo).pixels
    except DataError:  # the loader reports it
        return None, None
    return perceptual_hash(pixels), perceptual_hash(pixels[:, ::-1])


def _phash(record: Mapping[str, Any], kind: str) -> str | None:
    """Return a perceptual hash in a sample's record; None if it was not prepared by skinfw."""
    facts = record.get("facts")
    found = facts.get(kind) if isinstance(facts, dict) else None
    return found if isinstance(found, str) and _PHASH.fullmatch(found) else None
