"""Comparison of results across skin tones. Light: no torch.

Images are grouped by classes of the individual typology angle, by the nearest Monk skin tone, and into fifths
by lightness. A group's mean is over its images' values; images without a value do not count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from skinfw.components.direction import badness
from skinfw.components.registry import TRAINED
from skinfw.evaluation.bootstrap import MIN_IMAGES, MeanInterval, difference_interval, mean_interval
from skinfw.evaluation.results import Evaluation, SkinTone

Scheme = Literal["fifths", "ita", "monk"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)

FIFTHS = ("lightest fifth", "lighter fifth", "middle fifth", "darker fifth", "darkest fifth")
"""Equal parts of an evaluation's images, by the lightness of the true skin."""

ITA_CLASSES: Mapping[str, float] = {
    "very light": 55.0,
    "light": 41.0,
    "intermediate": 28.0,
    "tan": 10.0,
    "brown": -30.0,
    "dark": -math.inf,
}
"""The classes, lightest first, with the angle in degrees that a member exceeds (Chardon et al. 1991; Del Bino
et al. 2006)."""

MONK_SHADES: tuple[str, ...] = (
    "#f6ede4",
    "#f3e7db",
    "#f7ead0",
    "#eadaba",
    "#d7bd96",
    "#a07e56",
    "#825c43",
    "#604134",
    "#3a312a",
    "#292420",
)
"""The Monk Skin Tone scale, tones 1 to 10, lightest first, in sRGB, as published at https://skintone.google."""

MONK_TONES = len(MONK_SHADES)

ENOUGH = 5
"""A mean over fewer images is marked as unreliable."""


@dataclass(frozen=True)
class GroupMean:
    """A value over one group.

    Attributes:
        mean: the mean over the images with a value.
        images: the number of these images.
    """

    mean: float
    images: int


@dataclass(frozen=True)
class ToneGap:
    """The largest difference of the trained generator between classes of skin tone.

    Attributes:
        metric: the metric, ``region/name``.
        best: the class with the best results.
        worst: the class with the worst results.
        difference: the difference of the two means, at least 0, in the metric's unit.
        clear: whether the 95 % interval of the difference (an unpaired bootstrap) excludes 0.
    """

    metric: str
    best: str
    worst: str
    difference: float
    clear: bool


def ita_class(ita: float) -> str:
    """Return the class of an individual typology angle in degrees; a limit belongs to the darker class."""
    return next((name for name, limit in ITA_CLASSES.items() if ita > limit), "dark")


def image_groups(tones: Sequence[SkinTone | None], scheme: Scheme) -> list[str | None]:
    """Return the name of each image's group; None for an image without a tone.

    Example:
        >>> image_groups([SkinTone(20.0, 5, 55.0), None, SkinTone(50.0, 3, 80.0)], "ita")
        ['tan', None, 'light']
    """
    if scheme == "fifths":
        return _fifths([None if tone is None else tone.lightness for tone in tones])
    if scheme == "ita":
        return [None if tone is None else ita_class(tone.ita) for tone in tones]
    return [None if tone is None else str(tone.monk) for tone in tones]


def _fifths(lightness: Sequence[float | None]) -> list[str | None]:
    known = [(-value, place) for place, value in enumerate(lightness) if value is not None]
    found: list[str | None] = [None] * len(lightness)
    for rank, (_, place) in enumerate(sorted(known)):
        found[place] = FIFTHS[rank * len(FIFTHS) // len(known)]
    return found


def groups(scheme: Scheme) -> list[str]:
    """Return the names of all groups, lightest first."""
    if scheme == "fifths":
        return list(FIFTHS)
    return list(ITA_CLASSES) if scheme == "ita" else [str(tone) for tone in range(1, MONK_TONES + 1)]


def group_sizes(evaluation: Evaluation, scheme: Scheme) -> dict[str, int]:
    """Return the number of images of each nonempty group, lightest first."""
    members = image_groups(evaluation.tones, scheme)
    return {name: members.count(name) for name in groups(scheme) if name in members}


def metrics_on_skin(evaluation: Evaluation) -> list[str]:
    """Return the metrics on skin that have a value per image."""
    known = evaluation.per_image[TRAINED] if evaluation.tones else {}
    return [key for key in evaluation.metrics if key in known and key.startswith("skin/")]


def group_means(
    evaluation: Evaluation, key: str, scheme: Scheme, inpainter: str = TRAINED
) -> dict[str, GroupMean]:
    """Return one generator's value for each group that has one, lightest first."""
    values = _group_values(evaluation, key, scheme, inpainter)
    return {name: GroupMean(math.fsum(each) / len(each), len(each)) for name, each in values.items() if each}


def _group_values(evaluation: Evaluation, key: str, scheme: Scheme, inpainter: str) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {name: [] for name in groups(scheme)}
    per_image = evaluation.per_image[inpainter].get(key, ())
    for group, value in zip(image_groups(evaluation.tones, scheme), per_image, strict=False):
        if group is not None and value is not None:
            values[group].append(value)
    return values


def compared_metric(evaluation: Evaluation) -> str | None:
    """Return the metric that compares skin tones: the monitor, or the first on skin with values per image."""
    known = metrics_on_skin(evaluation)
    monitored = evaluation.monitored_metric()
    return monitored if monitored in known else next(iter(known), None)


def group_intervals(evaluation: Evaluation, key: str, scheme: Scheme) -> dict[str, MeanInterval]:
    """Return the trained generator's mean with its interval for each group that has a value."""
    values = _group_values(evaluation, key, scheme, TRAINED)
    found = {name: mean_interval(each) for name, each in values.items()}
    return {name: interval for name, interval in found.items() if interval is not None}


def tone_gap(evaluation: Evaluation) -> ToneGap | None:
    """Compare the classes of the typology angle that have `MIN_IMAGES` images by `compared_metric`.

    Returns:
        the gap; None if there are fewer than two such classes.
    """
    key = compared_metric(evaluation)
    if key is None:
        return None
    values = _group_values(evaluation, key, "ita", TRAINED)
    means = {name: math.fsum(each) / len(each) for name, each in values.items() if len(each) >= MIN_IMAGES}
    if len(means) < 2:
        return None
    direction = evaluation.metrics[key].direction
    worse = {name: badness(mean, direction) for name, mean in means.items()}
    best, worst = min(worse, key=worse.__getitem__), max(worse, key=worse.__getitem__)
    low, high = difference_interval(values[best], values[worst])
    return ToneGap(key, best, worst, abs(means[best] - means[worst]), clear=not low <= 0 <= high)


def tones_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return the values by skin tone for ``metrics.json``."""
    gap = tone_gap(evaluation)
    return {
        "gap": None if gap is None else asdict(gap),
        **{
            scheme: {
                key: {
                    inpainter: {
                        name: asdict(each)
                        for name, each in group_means(evaluation, key, scheme, inpainter).items()
                    }
                    for inpainter in evaluation.per_image
                }
                for key in metrics_on_skin(evaluation)
            }
            for scheme in SCHEMES
        },
    }
