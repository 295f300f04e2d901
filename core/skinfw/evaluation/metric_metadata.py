"""The metadata shown with a table of metrics, so that they can be compared. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping

from skinfw.components.registry import TRAINED
from skinfw.errors import counted
from skinfw.evaluation.metric_tables import Cell, Table, metric_label, value_label
from skinfw.evaluation.results import Evaluation


def images_text(evaluation: Evaluation, key: str) -> str:
    """Return how many images a value of the trained generator covers."""
    values = evaluation.per_image[TRAINED].get(key)
    if values is None:
        names = "1 image" if len(evaluation.names) == 1 else f"all {len(evaluation.names)} images"
        return f"over {names} at once"
    known = sum(value is not None for value in values)
    return f"mean of {counted(known, 'image')}"


def versions_text(versions: Mapping[str, str]) -> str:
    """Return names and versions in one line."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def merged(cards: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the combined metadata by label; where they differ, each value with its source.

    Args:
        cards: the metadata by source, for example a region or a run.
    """
    labels = dict.fromkeys(label for card in cards.values() for label in card)
    return {
        label: _merged({owner: card[label] for owner, card in cards.items() if label in card}, len(cards))
        for label in labels
    }


def _merged(texts: Mapping[str, str], owners: int) -> str:
    if len(texts) == owners and len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{owner}: {text}" for owner, text in texts.items())


def metadata_table(evaluations: Mapping[str, Evaluation]) -> Table:
    """Return the metadata of each value: region, number of images, and its metric's metadata.

    Args:
        evaluations: the results by the run's name; where they differ, each is listed.
    """
    keys = dict.fromkeys(key for each in evaluations.values() for key in each.metrics)
    cards = {key: merged(_cards(evaluations, key)) for key in keys}
    labels = list(dict.fromkeys(label for card in cards.values() for label in card))
    rows = [
        (metric_label(key), [Cell(key.partition("/")[0]), *(Cell(card.get(label, "")) for label in labels)])
        for key, card in cards.items()
    ]
    return Table("metric", ["region", *labels], rows)


def metadata_lines(evaluations: Mapping[str, Evaluation]) -> list[str]:
    """Return the metadata of the values as text, one line for all values with the same metadata.

    Args:
        evaluations: as for `metadata_table`.
    """
    keys = dict.fromkeys(key for each in evaluations.values() for key in each.metrics)
    owners: dict[str, list[str]] = {}
    for key in keys:
        card = merged(_cards(evaluations, key))
        text = "; ".join(value if label == "images" else f"{label}: {value}" for label, value in card.items())
        owners.setdefault(text, []).append(value_label(key))
    return [f"{', '.join(labels)}: {text}" for text, labels in owners.items()]


def _cards(evaluations: Mapping[str, Evaluation], key: str) -> dict[str, Mapping[str, str]]:
    return {
        name: {"images": images_text(each, key), **each.metrics[key].metadata}
        for name, each in evaluations.items()
        if key in each.metrics
    }
