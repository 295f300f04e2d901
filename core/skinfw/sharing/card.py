"""The model card of a shared run, from its ``metrics.json``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from skinfw.components.reference import numbered
from skinfw.components.registry import TRAINED
from skinfw.evaluation.bootstrap import MIN_IMAGES, MeanInterval
from skinfw.evaluation.examples import RANKS, rank_text, ranking_metric
from skinfw.evaluation.metric_metadata import versions_text
from skinfw.evaluation.metric_tables import (
    Cell,
    Table,
    evaluation_table,
    masks_note,
    measured_images,
    value_heading,
    value_label,
    value_text,
)
from skinfw.evaluation.results import Evaluation, MetricInfo
from skinfw.evaluation.summary import summary
from skinfw.evaluation.tone_groups import ENOUGH, Scheme, group_intervals, group_sizes, metrics_on_skin
from skinfw.licenses.ledger import Ledger
from skinfw.reporting.tables import markdown_table
from skinfw.reporting.tones import FEW_NOTE, TITLES, short_tone_table, tone_name
from skinfw.sharing.results import SharedResults
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import AnySpec

TEMPLATE = Path(__file__).with_name("card.md.jinja")

_SCHEMES: tuple[Scheme, ...] = ("fifths", "ita", "monk")
_BLANK_LINES = re.compile(r"\n{3,}")
_OTHER = "other"
"""What the hub calls a license that it does not list."""

_ON_HUB = frozenset(
    {
        "afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bsd-2-clause", "bsd-3-clause",
        "bsd-3-clause-clear", "bsl-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-nc-2.0",
        "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0",
        "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0",
        "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0", "ecl-2.0", "epl-1.0", "epl-2.0",
        "etalab-2.0", "eupl-1.1", "eupl-1.2", "gpl-2.0", "gpl-3.0", "isc", "lgpl-2.1", "lgpl-3.0",
        "lppl-1.3c", "mit", "mpl-2.0", "ms-pl", "ncsa", "ofl-1.1", "osl-3.0", "postgresql", "unlicense",
        "wtfpl", "zlib",
    }
)  # fmt: skip
"""SPDX names, in lower case and without ``-only``, of the licenses that the hub lists:
https://huggingface.co/docs/hub/repositories-licenses."""


def model_card(
    spec: AnySpec,
    results: SharedResults,
    repo: str,
    *,
    license_expression: str | None,
    exported: bool,
    images: Sequence[str] = (),
) -> str:
    """Return the text of a model card: Markdown with YAML in front.

    Args:
        spec: the spec of the run.
        results: its results.
        repo: its name on the hub, ``ORG/NAME``.
        license_expression: the license of the weights, a normalized SPDX expression; None for none.
        exported: whether the ONNX file is there too.
        images: files of sample images, relative to the card.
    """
    evaluation, ledger = results.evaluation, results.ledger
    segments = isinstance(spec, SegmentationSpec)
    height, width = spec.data.size
    card = ModelCard.from_template(
        _front(spec, evaluation, ledger, license_expression),
        template_path=str(TEMPLATE),
        name=spec.name,
        repo=repo,
        segments=segments,
        summary=summary(evaluation),
        images=images,
        ranks=[rank_text(rank, ranking_metric(evaluation)) for rank in RANKS],
        exported=exported,
        training=markdown_table(_training(spec, results.record)),
        size=f"{height}x{width}",
        measured=measured_images(evaluation),
        results=markdown_table(evaluation_table(evaluation)),
        violations=None if segments else sum(evaluation.violations.values()),
        masks=masks_note(evaluation),
        tones={TITLES[scheme]: markdown_table(_tones(evaluation, scheme)) for scheme in _schemes(evaluation)},
        baselines_by_tone=_short(evaluation),
        few=FEW_NOTE,
        enough=ENOUGH,
        min_images=MIN_IMAGES,
        license=license_expression,
        verdict=ledger.summary,
        ledger=markdown_table(ledger_table(ledger)),
        versions=versions_text(results.record.get("versions", {})),
    )
    return _BLANK_LINES.sub("\n\n", str(card)).rstrip() + "\n"


def _front(
    spec: AnySpec, evaluation: Evaluation, ledger: Ledger, license_expression: str | None
) -> ModelCardData:
    segments = isinstance(spec, SegmentationSpec)
    data = next((row.name for row in ledger.rows if row.kind == "data"), "data")
    results = [
        EvalResult(
            task_type="image-segmentation" if segments else "image-to-image",
            dataset_type=data,
            dataset_name=data,
            dataset_split=evaluation.split,
            metric_type=key.partition("/")[2],
            metric_name=value_label(key),
            metric_value=value,
        )
        for key, value in evaluation.values[TRAINED].items()
        if value is not None
    ]
    license, license_name = _license(license_expression)
    return ModelCardData(
        model_name=spec.name,
        library_name="skinfw",
        license=license,
        license_name=license_name,
        pipeline_tag="image-segmentation" if segments else "image-to-image",
        tags=["skinfw", "virtual-try-on", "human-parsing" if segments else "inpainting"],
        eval_results=results,
    )


def _license(expression: str | None) -> tuple[str | None, str | None]:
    """Return the hub's name of a license, and for one that it does not list the license's own name."""
    if expression is None:
        return None, None
    name = expression.lower().removesuffix("-only")
    return (name, None) if name in _ON_HUB else (_OTHER, expression)


def _training(spec: AnySpec, record: dict[str, Any]) -> Table:
    """Return what the network was trained with."""
    steps = f"{record['checkpoint']['step']:,}"
    if isinstance(spec, SegmentationSpec):
        parts = {"network": spec.network.name, "losses": ", ".join(numbered(spec.losses))}
    else:
        parts = {
            "data set": spec.data.dataset.name,
            "inputs": ", ".join(spec.data.input_names),
            "generator": spec.generator.name,
            "discriminator": spec.discriminator.name if spec.discriminator else "none",
            "losses": ", ".join(numbered(spec.losses)),
            "composite": spec.composite,
        }
    height, width = spec.data.size
    more = {
        "size (height x width)": f"{height}x{width}",
        "steps of these weights": steps,
        "seed": str(spec.seed),
        "SHA-256 of the weights": record["checkpoint"]["sha256"],
    }
    return Table("trained with", [""], [(label, [Cell(text)]) for label, text in {**parts, **more}.items()])


def _schemes(evaluation: Evaluation) -> list[Scheme]:
    return [scheme for scheme in _SCHEMES if metrics_on_skin(evaluation) and group_sizes(evaluation, scheme)]


def _tones(evaluation: Evaluation, scheme: Scheme) -> Table:
    """Return the trained network's means with their intervals for each group, lightest first."""
    keys = metrics_on_skin(evaluation)
    found = {key: group_intervals(evaluation, key, scheme) for key in keys}
    rows = [
        (
            tone_name(group, scheme),
            [
                Cell(str(size)),
                *(Cell(_interval(found[key].get(group), evaluation.metrics[key])) for key in keys),
            ],
        )
        for group, size in group_sizes(evaluation, scheme).items()
    ]
    heads = [value_heading(key, evaluation.metrics[key]) for key in keys]
    return Table("skin tone", ["images", *heads], rows)


def _interval(found: MeanInterval | None, info: MetricInfo) -> str:
    if found is None:
        return value_text(None)
    mean = value_text(found.mean, info)
    if found.low is None:
        return mean
    return f"{mean} ({value_text(found.low, info)} to {value_text(found.high, info)})"


def _short(evaluation: Evaluation) -> str:
    """Return the table that compares the baselines by skin tone; empty without skin tones."""
    table = short_tone_table(evaluation) if evaluation.tones else None
    return "" if table is None or not table.rows else markdown_table(table)


def ledger_table(ledger: Ledger) -> Table:
    """Return the rows of a ledger as a table."""
    columns = ["kind", "license", "commercial use", "revision", "from", "SHA-256", "stated by", "note"]
    rows = [
        (
            row.name,
            [
                Cell(text)
                for text in (
                    row.kind,
                    row.license or "unknown",
                    row.commercial,
                    row.revision,
                    row.address,
                    row.sha256,
                    row.stated,
                    row.note,
                )
            ],
        )
        for row in ledger.rows
    ]
    return Table("name", columns, rows)
