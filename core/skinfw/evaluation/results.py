"""The results of an evaluation, as stored in ``metrics.json``."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from skinfw.components.direction import Direction, is_better
from skinfw.components.registry import TRAINED

SplitName = Literal["validation", "test", "all"]
"""Which samples are measured: a part of a split, or all of a data set."""


@dataclass(frozen=True)
class MetricInfo:
    """How to read a metric.

    Attributes:
        unit: its unit, empty for a plain number.
        direction: whether more, less or nearer to 0 is better.
        metadata: what you need to know to compare it, by label: backbone, resizing, warnings.
        parameters: the metric's name and its configuration, without the regions.
    """

    unit: str
    direction: Direction
    metadata: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def better(self, value: float, other: float) -> bool:
        """Return whether ``value`` is better than ``other``."""
        return is_better(value, other, self.direction)


@dataclass(frozen=True)
class SkinTone:
    """The skin tone of an image; see `skinfw.evaluation.skin_tone`.

    Attributes:
        ita: individual typology angle in degrees; larger for lighter skin.
        monk: the nearest of the ten Monk skin tones, 1 (lightest) to 10.
        lightness: L*, 0 to 100; None if it was not measured.
    """

    ita: float
    monk: int
    lightness: float | None = None


@dataclass(frozen=True)
class Cost:
    """What a generator took; None for what was not measured.

    Attributes:
        seconds_per_image: time of its pass.
        peak_memory: bytes that it took at most, with its weights.
        stated: whether somebody else measured them, as its configuration says.
    """

    seconds_per_image: float | None
    peak_memory: int | None
    stated: bool = False

    @classmethod
    def of_all(cls, costs: Iterable[Cost]) -> Cost:
        """Return the mean time and the largest memory of the costs that were measured."""
        found = list(costs)
        seconds = [each.seconds_per_image for each in found if each.seconds_per_image is not None]
        peaks = [each.peak_memory for each in found if each.peak_memory is not None]
        stated = any(each.stated for each in found)
        return cls(fmean(seconds) if seconds else None, max(peaks, default=None), stated)


@dataclass(frozen=True)
class Evaluation:
    """The results of one evaluation.

    Attributes:
        split: which samples were measured: a part of the split, or all of a data set.
        step: training steps of the weights.
        names: the samples, in order.
        metrics: unit and direction of each metric, by ``region/name``.
        values: by generator (``trained`` or a baseline's name) and ``region/name``; None for no value.
        per_image: the same per sample, in the order of ``names``; absent for metrics defined only over a set.
        violations: changed pixels outside the mask, by generator.
        seconds_per_image: time of the generator's pass, by generator; if its images were only read, what its
            configuration says, or None.
        unavailable: why something has no value: by the name of a failed baseline, or by
            ``generator/region/name``.
        tones: the skin tone of each real image, in the order of ``names``, None for one without skin; empty
            if not measured.
        task: the run's task; a segmenter's values are by ``class/name``, and it keeps no pixels.
        source: the data that were measured, if not those that the run was trained on.
        computed_masks: the number of samples whose masks were computed, by what computed them; those with
            label maps from files are not counted.
        peak_memory: bytes that the generator's pass over the first batch took at most, with its weights; if
            its images were only read, what its configuration says, or None; None also where memory is not
            measured, as for validation.
        device: on what time and memory were measured; empty if the record does not say.
        stated: the generators whose time and memory were not measured, but are what their configurations say.
    """

    split: SplitName
    step: int
    names: Sequence[str]
    metrics: Mapping[Annotated[str, Field(max_length=300)], MetricInfo]
    values: Mapping[str, Mapping[str, float | None]]
    per_image: Mapping[str, Mapping[str, Sequence[float | None]]]
    violations: Mapping[str, int]
    seconds_per_image: Mapping[str, float | None]
    unavailable: Mapping[str, str] = field(default_factory=dict)
    tones: Sequence[SkinTone | None] = ()
    task: Literal["inpainting", "segmentation"] = "inpainting"
    source: str = ""
    computed_masks: Mapping[str, int] = field(default_factory=dict)
    peak_memory: Mapping[str, int | None] = field(default_factory=dict)
    device: str = ""
    stated: Sequence[str] = ()

    def cost(self, inpainter: str) -> Cost:
        """Return what a generator took."""
        seconds, peak = self.seconds_per_image.get(inpainter), self.peak_memory.get(inpainter)
        return Cost(seconds, peak, inpainter in self.stated)

    def counts(self) -> dict[str, int]:
        """Return the number of images with a value of each metric; all for a metric over the set."""
        found = self.per_image[TRAINED]
        return {
            key: sum(value is not None for value in found[key]) if key in found else len(self.names)
            for key in self.metrics
        }

    def image_values(self, inpainter: str, key: str) -> dict[str, float | None]:
        """Return a generator's value of each image by name; empty for a metric over the set."""
        values = self.per_image.get(inpainter, {}).get(key)
        return {} if values is None else dict(zip(self.names, values, strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Evaluation:
        """Return the evaluation that `to_json` wrote.

        Raises:
            ValueError: it is not such an evaluation.
        """
        # as JSON, where a list is a sequence and nothing else is converted; names need not be UTF-8
        _RESULTS.validate_json(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), strict=True)
        if not (TRAINED in value["values"] and TRAINED in value["per_image"]):
            raise ValueError(f"it has no values for {TRAINED!r}")
        count = len(value["names"])
        columns = [column for of in value["per_image"].values() for column in of.values()]
        if any(len(column) != count for column in (*columns, *filter(None, [value.get("tones")]))):
            raise ValueError(f"a metric does not have one value for each of the {count} names")
        metrics = {key: MetricInfo(**info) for key, info in value["metrics"].items()}
        tones = tuple(None if tone is None else SkinTone(**tone) for tone in value.get("tones", ()))
        return cls(**{**value, "metrics": metrics, "tones": tones, "stated": tuple(value.get("stated", ()))})

    def __str__(self) -> str:
        """Return the table that ``skinfw evaluate`` prints, and the summary below it."""
        # these modules are built on this one
        from skinfw.evaluation.metric_tables import evaluation_table
        from skinfw.evaluation.summary import summary
        from skinfw.evaluation.table_text import table_text

        return f"{table_text(evaluation_table(self))}\n{summary(self)}"

    def _repr_html_(self) -> str:
        """Return the same for a notebook."""
        from skinfw.evaluation.metric_tables import evaluation_table
        from skinfw.evaluation.summary import summary
        from skinfw.evaluation.table_text import table_html

        return f"{table_html(evaluation_table(self))}<p>{html.escape(summary(self))}</p>"

    def unavailable_by_reason(self) -> dict[str, list[str]]:
        """Return what has no value, by reason: one reason often applies to every generator."""
        found: dict[str, list[str]] = {}
        for what, why in self.unavailable.items():
            found.setdefault(why, []).append(what)
        return found

    def monitored_metric(self) -> str | None:
        """Return the report's first metric, by ``region/name``.

        It is the first one measured, on skin if it has a value there; None if nothing was measured.
        """
        values = self.values[TRAINED]
        measured = (key for key in self.metrics if values.get(key) is not None)
        first = next(measured, None)
        if first is None:
            return None
        on_skin = f"skin/{first.partition('/')[2]}"
        return on_skin if values.get(on_skin) is not None else first


_RESULTS = TypeAdapter(Evaluation)


def plain(value: float) -> float | None:
    """Return a value for JSON: None for NaN and infinity."""
    return value if math.isfinite(value) else None
