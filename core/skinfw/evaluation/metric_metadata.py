"""What stands beside a table of figures, so that they can be compared with others. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping

from skinfw.components.registry import TRAINED
from skinfw.evaluation.metric_tables import Cell, Table, metric_label
from skinfw.evaluation.results import Evaluation


def images_text(evaluation: Evaluation, key: str) -> str:
    """Say how many images a figure of the trained generator is of."""
    values = evaluation.per_image[TRAINED].get(key)
    if values is None:
        return f"over all {len(evaluation.names)} images at once"
    known = sum(value is not None for value in values)
    return f"mean of {known} image{'' if known == 1 else 's'}"


def versions_text(versions: Mapping[str, str]) -> str:
    """Return names and versions in one line."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def merged(cards: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return what the metadata of several say, by label; where they differ, what each of them says.

    Args:
        cards: the metadata by whose they are, for instance a region's or a run's.
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
    """Return the metadata of each figure: region, number of images, and what its metric says.

    Args:
        evaluations: what was measured, by the run's name; where they differ, each says its own.
    """
    keys = dict.fromkeys(key for each in evaluations.values() for key in each.metrics)
    cards = {key: merged(_cards(evaluations, key)) for key in keys}
    labels = list(dict.fromkeys(label for card in cards.values() for label in card))
    rows = [
        (metric_label(key), [Cell(key.partition("/")[0]), *(Cell(card.get(label, "")) for label in labels)])
        for key, card in cards.items()
    ]
    return Table("figure", ["region", *labels], rows)


def _cards(evaluations: Mapping[str, Evaluation], key: str) -> dict[str, Mapping[str, str]]:
    return {
        name: {"images": images_text(each, key), **each.metrics[key].metadata}
        for name, each in evaluations.items()
        if key in each.metrics
    }
