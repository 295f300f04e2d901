"""The report's published values, for comparison. Light: no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from skinfw.evaluation.results import MetricInfo

NOTE = (
    "Measured on DeepFashion by the report, at 512x512 and over the whole image: different images, so the "
    "values are not comparable, but the order of the variants is."
)


PUBLISHED_METRICS = {
    "image/mse": MetricInfo("", "lower"),
    "image/ssim": MetricInfo("", "higher"),
    "image/psnr": MetricInfo("dB", "higher"),
    "image/fid": MetricInfo("", "lower"),
}
"""Units and directions of the report's values, by ``region/name``."""


@dataclass(frozen=True)
class PublishedTable:
    """One of the report's tables.

    Attributes:
        section: the report's section.
        title: the table's title.
        rows: the report's name of each row, by key.
        values: the report's values by row key and ``region/name`` of the metric.
    """

    section: str
    title: str
    rows: Mapping[str, str]
    values: Mapping[str, Mapping[str, float]]

    def value(self, row: str, key: str) -> float | None:
        """Return one value of a row by ``region/name``; None if the report has none."""
        return self.values.get(row, {}).get(key)


@cache
def published_tables() -> Mapping[str, PublishedTable]:
    """Return the report's tables by name."""
    text = resources.files("skinfw.ablation").joinpath("published.json").read_text(encoding="utf-8")
    return {
        name: PublishedTable(
            section=table["section"],
            title=table["title"],
            rows={row: facts["label"] for row, facts in table["rows"].items()},
            values={row: facts["values"] for row, facts in table["rows"].items()},
        )
        for name, table in json.loads(text)["tables"].items()
    }
