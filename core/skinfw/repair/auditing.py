"""Audits a try-on system: how far its results change skin, over many pairs and by skin tone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from skinfw.data.photo import Photo
from skinfw.errors import DataError, counted
from skinfw.evaluation.bootstrap import DRAWS, LEVEL, MeanInterval, mean_interval
from skinfw.evaluation.tone_groups import ITA_CLASSES, ita_class
from skinfw.preparation.finders import on_disk
from skinfw.repair.alignment import MIN_CORRELATION
from skinfw.repair.failures import recorded
from skinfw.repair.measure import (
    CHANGED,
    EXCHANGED,
    METRICS,
    SAME_GARMENT,
    PairMeasures,
    measure_pair,
    mirrored_segmentation,
)
from skinfw.repair.pairs import Pairing, PairOfFiles
from skinfw.repair.parsing import Parser
from skinfw.runs.environment import versions

logger = logging.getLogger("skinfw")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Audit:
    """The measures of a set of results.

    Attributes:
        pairs: the measures of each pair, by name.
        files: the files of each pair, photo and result, by name.
        failed: why other pairs were not measured, by name.
        unmatched_photos: photos without a result.
        unmatched_results: results without a photo.
        segmenter_error_unknown: for how many pairs the segmenter's own error was not measured, and why; empty
            if it was for all.
    """

    pairs: dict[str, PairMeasures]
    files: Mapping[str, tuple[str, str]]
    failed: dict[str, str]
    unmatched_photos: Sequence[str] = ()
    unmatched_results: Sequence[str] = ()
    segmenter_error_unknown: str = ""

    def groups(self) -> dict[str, list[str]]:
        """Return the names of the pairs of each nonempty class of the typology angle, lightest first."""
        members: dict[str, list[str]] = {name: [] for name in ITA_CLASSES}
        for name, pair in self.pairs.items():
            if pair.tone is not None:
                members[ita_class(pair.tone.ita)].append(name)
        return {name: found for name, found in members.items() if found}

    def interval(self, metric: str, group: str | None = None) -> MeanInterval | None:
        """Return the mean of a metric with its interval, over all pairs or a group; None without a value."""
        names = self.pairs if group is None else self.groups().get(group, ())
        return mean_interval([self.pairs[name].values[metric] for name in names])

    def segmenter_error(self, metric: str, group: str | None = None) -> float | None:
        """Return the mean change of a metric when the pictures are mirrored and enlarged before segmentation.

        None if no pair has both values.
        """
        names = self.pairs if group is None else self.groups().get(group, ())
        changes = []
        for name in names:
            value, again = self.pairs[name].values[metric], (self.pairs[name].mirrored or {}).get(metric)
            if value is not None and again is not None:
                changes.append(abs(again - value))
        return float(np.mean(changes)) if changes else None

    def to_json(self) -> dict[str, Any]:
        """Return the audit as JSON values, with the counts first."""
        groups = self.groups()
        return {
            "counts": {
                "measured": len(self.pairs),
                "failed": len(self.failed),
                "unmatched_photos": len(self.unmatched_photos),
                "unmatched_results": len(self.unmatched_results),
            },
            "metrics": {
                name: {
                    "unit": metric.unit,
                    "meaning": metric.meaning,
                    "all": self._metric_json(name, None),
                    "by_tone": {group: self._metric_json(name, group) for group in groups},
                }
                for name, metric in METRICS.items()
            },
            "settings": {
                "changed": CHANGED,
                "same_garment": SAME_GARMENT,
                "exchanged": EXCHANGED,
                "min_correlation": MIN_CORRELATION,
                "bootstrap": {"draws": DRAWS, "level": LEVEL},
            },
            "segmenter_error_unknown": self.segmenter_error_unknown,
            "pairs": {
                name: {"person": self.files[name][0], "result": self.files[name][1], **asdict(pair)}
                for name, pair in self.pairs.items()
            },
            "failed": self.failed,
            "unmatched_photos": list(self.unmatched_photos),
            "unmatched_results": list(self.unmatched_results),
            "versions": versions(),
        }

    def _metric_json(self, metric: str, group: str | None) -> dict[str, Any] | None:
        found = self.interval(metric, group)
        return (
            None
            if found is None
            else {**asdict(found), "segmenter_error": self.segmenter_error(metric, group)}
        )


def audit(pairing: Pairing, parser: Parser, *, progress: Progress | None = None) -> Audit:
    """Measure how far results change skin that they should not change.

    Pairs that cannot be measured are named in the audit.

    Args:
        pairing: the pairs.
        parser: finds skin, garments and pose; without a pose encoder, hands are measured only if the label
            map has a class of them, and sleeves are not.
        progress: called with the number of finished pairs and the total.

    Raises:
        DataError: no pair could be measured.
    """
    measured: dict[str, PairMeasures] = {}
    failed: dict[str, str] = {}
    for number, pair in enumerate(pairing.pairs, 1):
        with recorded(failed, pair.name):
            photo, result = Photo.read(pair.person), Photo.read(pair.result)
            parse, pose = parser.of_person(photo, pair.person_names)
            parses = parse, parser.of_result(result, pair.result_names)
            mirrored = None
            if not _reads_labels(parser, pair):
                mirrored = (
                    mirrored_segmentation(parser.segmenter, photo),
                    mirrored_segmentation(parser.segmenter, result),
                )
            measured[pair.name] = measure_pair(photo, result, parses, pose, mirrored)
        if progress is not None:
            progress(number, len(pairing.pairs))
    if not measured:
        first = next(iter(failed.values()))
        raise DataError(f"none of the {len(pairing.pairs)} pairs could be measured; the first: {first}")
    read = sum(_reads_labels(parser, pair) for pair in pairing.pairs if pair.name in measured)
    return Audit(
        measured,
        {pair.name: (pair.person.as_posix(), pair.result.as_posix()) for pair in pairing.pairs},
        failed,
        pairing.photos,
        pairing.results,
        f"for {read} of {counted(len(measured), 'pair')}: label maps were read from files, so mirroring and "
        "enlarging the pictures does not change them"
        if read
        else "",
    )


def _reads_labels(parser: Parser, pair: PairOfFiles) -> bool:
    """Return whether a label map of a pair is read from a file."""
    if parser.person is not None or parser.result is not None:
        return True
    return any(on_disk(parser.segmenter, picture) for picture in (pair.person, pair.result))
