"""Two looks at a photo: one at all of it to find the person, and a closer one at the person."""

from __future__ import annotations

from collections.abc import Callable

from skinfw.components.config import Size
from skinfw.data.segmentation import LabelMap, Mask
from skinfw.preparation.view import View


def two_looks(
    photo: Size,
    size: Size,
    margin: float,
    look: Callable[[View], LabelMap],
    person: Callable[[LabelMap], Mask],
) -> LabelMap:
    """Return a photo's label map, uint8 ``(H, W)``: the closer look around the person, the first elsewhere.

    Args:
        photo: height and width of the photo.
        size: height and width of the network's image.
        margin: the margin around the person, see `View.of_person`.
        look: labels what a view shows, at the photo's resolution.
        person: where a label map shows the person.
    """
    labels = look(View.of_photo(photo, size))
    closer = View.of_person(person(labels), margin, size)
    if closer is not None:
        labels[closer.shown.slices] = look(closer)
    return labels
