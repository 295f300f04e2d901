"""Sentences that compare results. Light: no torch."""

from __future__ import annotations

from skinfw.components.registry import TRAINED
from skinfw.errors import counted
from skinfw.evaluation.bootstrap import MIN_IMAGES
from skinfw.evaluation.metric_tables import amount_text, measured_images, value_label, value_text
from skinfw.evaluation.paired import UNCLEAR, Verdict, image_means, paired_difference
from skinfw.evaluation.results import Evaluation, MetricInfo
from skinfw.evaluation.tone_groups import group_means, metrics_on_skin, tone_gap

VERDICT_NOTE = (
    "A result is called better or worse if both ends of the 95 % interval of the mean difference per image "
    "(a paired bootstrap) say so."
)


def summary(evaluation: Evaluation) -> str:
    """Summarize the trained generator against the baselines by two metrics, and across skin tones.

    See `VERDICT_NOTE`; fewer than `MIN_IMAGES` images do not show which of them is better.
    """
    where = f"On {measured_images(evaluation)}"
    key = evaluation.monitored_metric()
    if key is None or (value := evaluation.values[TRAINED].get(key)) is None:
        return f"{where} no metric has a value."
    info = evaluation.metrics[key]
    compared = [
        compared_text(value, other, info, inpainter, verdict_of(evaluation, evaluation, key, inpainter))
        for inpainter, values in evaluation.values.items()
        if inpainter != TRAINED and (other := values.get(key)) is not None
    ]
    network = "network" if evaluation.task == "segmentation" else "generator"
    text = f"{where} the trained {network} reaches {value_label(key)} {_with_unit(value, info)}"
    text += f"{': ' if compared else ''}{', '.join(compared)}."
    if compared:
        text += few_images(evaluation, key, network)
    return f"{text}{_second(evaluation, key)}{_tones(evaluation)}"


def _second(evaluation: Evaluation, monitored: str) -> str:
    """Add the values of the next metric over the same region, as one value alone can mislead."""
    region = monitored.partition("/")[0]
    others = [key for key in evaluation.metrics if key != monitored and key.startswith(f"{region}/")]
    if not others:
        return ""
    info = evaluation.metrics[others[0]]
    values = [
        f"{inpainter} {_with_unit(values.get(others[0]), info)}"
        for inpainter, values in evaluation.values.items()
    ]
    label = value_label(others[0])
    return f" {label[0].upper()}{label[1:]}: {', '.join(values)}."


def _tones(evaluation: Evaluation) -> str:
    """Add the largest difference of the trained generator between classes of skin tone."""
    if not metrics_on_skin(evaluation):
        return ""
    gap = tone_gap(evaluation)
    if gap is None:
        return f" Skin tones are not compared: fewer than two classes have {MIN_IMAGES} images."
    info = evaluation.metrics[gap.metric]
    means = group_means(evaluation, gap.metric, "ita")
    best, worst = (
        f"{name} skin ({_with_unit(means[name].mean, info)}, {counted(means[name].images, 'image')})"
        for name in (gap.best, gap.worst)
    )
    extremes = f"{best} and worst on {worst}: {_amount(gap.difference, info)} apart"
    unclear = "" if gap.clear else f", {UNCLEAR}"
    return f" By skin tone, {value_label(gap.metric)} is best on {extremes}{unclear}."


def _with_unit(value: float | None, info: MetricInfo) -> str:
    return f"{value_text(value, info)} {info.unit}".rstrip()


def _amount(value: float, info: MetricInfo) -> str:
    return f"{amount_text(value, info)} {info.unit}".rstrip()


def few_images(evaluation: Evaluation, key: str, what: str) -> str:
    """Return that too few images have a value of a metric to say which of several is better, or nothing."""
    if evaluation.counts()[key] >= MIN_IMAGES:
        return ""
    return f" Fewer than {MIN_IMAGES} images do not show which {what} is better."


def verdict_of(
    evaluation: Evaluation, other: Evaluation, key: str, inpainter: str = TRAINED
) -> Verdict | None:
    """Return how a trained generator compares to a generator of the same or of another evaluation.

    Args:
        evaluation: the results of the trained generator.
        other: those of the other one.
        key: the metric, ``region/name``.
        inpainter: the other one's name in its results.

    Returns:
        None if the metric has no value per image, or both for fewer than `MIN_IMAGES` images.
    """
    ours, theirs = evaluation.image_values(TRAINED, key), other.image_values(inpainter, key)
    difference = paired_difference(image_means([ours]), image_means([theirs]))
    return None if difference is None else difference.verdict(evaluation.metrics[key].direction)


def compared_text(value: float, other: float, info: MetricInfo, name: str, verdict: Verdict | None) -> str:
    """Return how a value lies to that of ``name``: ``1.80 dB below mean_color (worse)``.

    Args:
        value: the value.
        other: the value of ``name``.
        info: their unit and direction.
        name: what the value is compared to.
        verdict: what the difference per image shows; None for nothing.
    """
    looks_equal = value_text(value, info) == value_text(other, info)
    if looks_equal or amount_text(abs(value - other), info) == amount_text(0.0, info):
        return f"equal to {name}"
    side = "above" if value > other else "below"
    text = f"{_amount(abs(value - other), info)} {side} {name}"
    return text if verdict is None else f"{text} ({verdict})"
