"""Distinguishes photos from label maps and drawn poses by their names."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from skinfw.assembly.build import build
from skinfw.components.reference import use_defaults
from skinfw.data.image_formats import is_image_name
from skinfw.interfaces import Segmenter
from skinfw.preparation.listing import Entry, Listing
from skinfw.system.paths_below import other_case, real_paths

_RENDERED, _KEYPOINTS = "_rendered", "_keypoints.json"
"""What OpenPose adds to a photo's name for the image in which it draws the pose, and for the pose."""

Sources = Callable[[Path], Sequence[Path]]
"""Returns the files that belong to a photo, such as its label map."""


def add_images(
    listing: Listing, images: Sequence[Path], rejected: Sequence[Path], root: Path, sources: Sources
) -> None:
    """Add images to what is in a source: photos, and their label maps and drawn poses, which are not photos.

    A pose that OpenPose drew is recognized by its name if its photo and its file of keypoints are there too.

    Args:
        listing: what is in the source, already with the files that are not images.
        images: the images.
        rejected: what cannot be read, such as photos; their label maps are not photos either.
        root: the source's folder.
        sources: returns the files that belong to a photo.
    """
    # label maps of the default segmenter are not photos for any other segmenter either
    defaults = [build(each, Segmenter).sources for each in use_defaults("segmenter", "segmenter")]
    every = [*images, *(path for path in rejected if is_image_name(path.name))]
    real = real_paths()
    places = {image: real(image) for image in every}
    known = set(places.values())

    def place(source: Path) -> str:
        there = real(source)
        other = there if there in known else real(other_case(source))
        return other if other in known else there

    owners = {place(source): image for image in every for of in (sources, *defaults) for source in of(image)}
    # named like a label map except for the format: of a.jpg and a.png, either may be the photo
    alike = {
        stem: (source, image)
        for source, image in owners.items()
        if (stem := _stem(source)) != _stem(places[image])
    }
    drawn = _renderings(images, listing.others)
    endings = _endings(owners, places, {places[image] for image in images})
    for image in images:
        name, path = image.relative_to(root).as_posix(), places[image]
        if path in owners:
            listing.add_other(image, name, "not a photo", f"the label map of {owners[path].name}")
        elif image in drawn:
            listing.add_other(
                image, name, "not a photo", f"the pose of {drawn[image].name}, drawn by OpenPose"
            )
        elif (stem := _stem(path)) in alike:
            source, owner = alike[stem]
            detail = f"named like the label map of {owner.name}, which must be {Path(source).name}"
            listing.add_other(image, name, "not a photo", detail)
        elif ending := next((each for each in endings if image.name.endswith(each)), ""):
            detail = f"named like a label map (*{ending}) whose photo is missing"
            listing.add_other(image, name, "not a photo", detail)
        else:
            listing.entries.append(Entry(name, image))


def _renderings(images: Iterable[Path], others: Iterable[Path]) -> dict[Path, Path]:
    """Return images in which OpenPose drew a pose, each with its photo."""
    photos = {image.stem: image for image in images}
    posed = {each.name.removesuffix(_KEYPOINTS) for each in others if each.name.endswith(_KEYPOINTS)}
    shown = {image: image.stem.removesuffix(_RENDERED) for image in images if image.stem.endswith(_RENDERED)}
    return {image: photos[name] for image, name in shown.items() if name in photos and name in posed}


def _stem(place: str) -> str:
    """Return a path without its extension."""
    return os.path.splitext(place)[0]  # noqa: PTH122  # a Path takes several times as long


def _endings(owners: Mapping[str, Path], places: Mapping[Path, str], images: Collection[str]) -> list[str]:
    """Return what the names of label maps beside their photos have in place of a photo's extension.

    Only names that differ from the photo's by more than the extension count.

    Args:
        owners: photos by the places of their label maps.
        places: the places of photos.
        images: the places of all images.
    """
    found = {  # that of a label map in a folder below has a slash, so no name ends with it
        source.removeprefix(start)
        for source, owner in owners.items()
        if source in images and source.startswith(start := _stem(places[owner]))
    }
    return sorted(ending for ending in found if Path(f"a{ending}").stem != "a")
