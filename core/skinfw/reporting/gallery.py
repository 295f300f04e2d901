"""What a report shows of the test images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skinfw.components.direction import ARROWS
from skinfw.components.registry import TRAINED
from skinfw.evaluation.examples import Example, rank_text, ranking_metric
from skinfw.evaluation.gallery import SMALL, Gallery
from skinfw.evaluation.metric_tables import value_label, value_text
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.tone_groups import ITA_CLASSES, ita_class
from skinfw.reporting.data_uri import png_uri


def shown_examples(gallery: Gallery, evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return what a page shows of the best, median and worst images, which it contains."""
    places = {name: place for place, name in enumerate(gallery.files)}
    return [{"place": places[example.name], **_shown(example, evaluation)} for example in gallery.examples]


def _shown(example: Example, evaluation: Evaluation) -> dict[str, Any]:
    key = ranking_metric(evaluation)
    value = ""
    if key is not None:
        found = evaluation.per_image[TRAINED][key][list(evaluation.names).index(example.name)]
        info = evaluation.metrics[key]
        value = f"{value_label(key)} {value_text(found, info)} {info.unit}".rstrip()
    main, more = (
        {
            name: {"image": png_uri(part.image), "kind": part.kind}
            for name, part in example.parts.items()
            if part.main == wanted
        }
        for wanted in (True, False)
    )
    height, width = next(iter(example.parts.values())).image.shape[:2]
    return {
        "rank": example.rank and rank_text(example.rank, key),
        "name": example.name,
        "value": value,
        "small": max(height, width) < SMALL,
        "main": main,
        "more": more,
    }


def gallery_values(gallery: Gallery, evaluation: Evaluation, folder: Path) -> dict[str, Any]:
    """Return what the script of a page needs to show all images, as JSON.

    Args:
        gallery: the files of the images.
        evaluation: the values and skin tones.
        folder: the page's folder, above the files.
    """
    inpainters = list(evaluation.per_image)
    keys = list(evaluation.per_image[TRAINED])
    places = {name: place for place, name in enumerate(evaluation.names)}
    tones = evaluation.tones or [None] * len(evaluation.names)

    def values(place: int) -> list[list[float | None]]:
        found: list[Mapping[str, Any]] = [evaluation.per_image[each] for each in inpainters]
        return [[_short(each[key][place]) if key in each else None for each in found] for key in keys]

    return {
        "parts": [{"name": name, "kind": kind} for name, kind in gallery.parts.items()],
        "main": gallery.main,
        "size": gallery.size,
        "small": max(gallery.size) < SMALL,
        "inpainters": inpainters,
        "metrics": [
            {
                "label": value_label(key),
                "unit": evaluation.metrics[key].unit,
                "direction": evaluation.metrics[key].direction,
                "arrow": ARROWS[evaluation.metrics[key].direction],
            }
            for key in keys
        ],
        "ranking": keys.index(key) if (key := ranking_metric(evaluation)) is not None else None,
        "tones": list(ITA_CLASSES) if any(tones) else [],
        "samples": [
            {
                "name": name,
                "file": file.relative_to(folder).as_posix(),
                "ita": None if (tone := tones[places[name]]) is None else round(tone.ita, 1),
                "tone": None if tone is None else ita_class(tone.ita),
                "values": values(places[name]),
            }
            for name, file in gallery.files.items()
        ],
    }


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")
