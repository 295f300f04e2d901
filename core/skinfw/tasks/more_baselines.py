"""Baselines that the user adds to a run when it is evaluated."""

from __future__ import annotations

from collections.abc import Sequence

from skinfw.components.reference import ComponentSpec
from skinfw.components.trust import Named, named_outside
from skinfw.errors import UserError
from skinfw.specs.spec import AnySpec, Spec, parse_spec


def add_baselines(spec: AnySpec, baselines: Sequence[ComponentSpec]) -> tuple[AnySpec, tuple[Named, ...]]:
    """Return a run's spec with more baselines, and what they name, which the user thereby allows.

    Raises:
        SpecError: one of them is not a baseline for this run.
        UserError: the run is not for inpainting.
    """
    if not baselines:
        return spec, ()
    if not isinstance(spec, Spec):
        raise UserError("a segmenter has no baselines; leave --baseline out")
    value = spec.to_json()
    own = value["baselines"]
    added = [each.to_json() for each in baselines]
    checked = parse_spec(
        {**value, "baselines": [*own, *added]}, source="--baseline, added to the run", stored=True
    )
    named = (
        each
        for index, baseline in enumerate(baselines, len(own))
        for each in named_outside(baseline, f"$.baselines[{index}]")
    )
    return checked, tuple(named)
