"""Stand-ins for the models in the package: networks of a few steps, put in place as the real ones are."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).parents[2] / "tools"

NOTES = """
summary = "{summary}"
license = "Apache-2.0"
default_for = "{purpose}"
{more}
use = "skinfw list models"
data = "Drawn people, with the license of skinfw."
start = "Random weights."
limits = "It has seen nothing but drawings."
command = "skinfw run spec.json"
"""


def tool() -> Any:
    """Return the module of the tool that puts models into the package."""
    if "embed_model" not in sys.modules:
        sys.path.insert(0, str(TOOLS))  # its other module is beside it
        try:
            spec = importlib.util.spec_from_file_location("embed_model", TOOLS / "embed_model.py")
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules["embed_model"] = module
            spec.loader.exec_module(module)
        finally:
            sys.path.remove(str(TOOLS))
    return sys.modules["embed_model"]


@contextmanager
def models_in(folder: Path) -> Iterator[Path]:
    """Let the package have the models in a folder, and no others."""
    from skinfw.models import embedded

    folder.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "FOLDER", folder)
        yield folder


def embed(run: Path, name: str, purpose: str, folder: Path, more: str = "") -> Any:
    """Put a run into the package as a model; returns its record."""
    notes = folder.with_name(f"{name}.toml")
    notes.write_text(NOTES.format(summary=f"The stand-in {name}.", purpose=purpose, more=more), "utf-8")
    return tool().embed(run, name, notes)[0]


def make_stand_ins(folder: Path, tiny_spec: Callable[..., Any], parser_spec: Callable[..., Any]) -> None:
    """Train a parser, a painter and a painter of regions, and put them into the models of a folder."""
    import skinfw
    from skinfw.specs.spec import parse_spec

    work = folder.parent
    data = {
        "dataset": {"type": "mannequins", "count": 20},
        "size": [64, 32],
        "inputs": ["apparel_head_foot", "mask"],
        "test_fraction": 0.2,
        "validation_fraction": 0.2,
    }
    training = {"epochs": 1, "batch_size": 8, "device": "cpu", "threads": 1}
    plain = {
        "discriminator": None,
        "losses": ["l1"],
        "composite": "mask",
        "baselines": [],
        "training": training,
    }
    generator = {"type": "pix2pix", "base_channels": 4, "depth": 3}
    specs = {
        "street-parser": parser_spec(work / "photos"),
        "street-painter": tiny_spec(data=data, generator=generator, **plain),
        "street-region": tiny_spec(
            data=data,
            generator={**generator, "output": "rgba"},
            **{**plain, "losses": ["l1", "alpha_cross_entropy"], "metrics": ["alpha_iou", "psnr"]},
        ),
    }
    purposes = ("photos_without_label_maps", "painting", "painting_regions")
    with models_in(folder):
        for (name, value), purpose in zip(specs.items(), purposes, strict=True):
            skinfw.run(parse_spec(value), output=work / name)
            more = 'segmenter = { type = "parser" }' if name == "street-parser" else ""
            embed(work / name, name, purpose, folder, more)
