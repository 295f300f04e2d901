from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor

import skinfw
from skinfw.assembly.assemble import build_losses
from skinfw.interfaces import DiscriminatorOutput, LossContext
from skinfw.specs.spec import parse_spec
from skinfw.testing import example_context
from skinfw.training.weighted_losses import WeightedLosses, mean_losses


def make_objective(*losses: Mapping[str, Any] | str) -> WeightedLosses:
    needs_judge = any((loss if isinstance(loss, str) else loss["type"]) == "gan" for loss in losses)
    spec = parse_spec(
        {
            "name": "objective",
            "data": {"size": [32, 32]},
            "generator": "pix2pix",
            "losses": list(losses),
            **({"discriminator": {"type": "patchgan", "patch": 16}} if needs_judge else {}),
            "training": {"steps": 1},
        }
    )
    return WeightedLosses(spec, build_losses(spec))


def make_context() -> LossContext:
    def discriminate(images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        return DiscriminatorOutput((torch.zeros(1, 1, 2, 2),))

    output, target = torch.full((1, 3, 32, 32), 0.25), torch.full((1, 3, 32, 32), 0.75)
    return example_context(output, target, discriminate=discriminate)


def test_total_is_the_weighted_sum_of_the_terms() -> None:
    weighted_losses = make_objective({"type": "l1", "weight": 10}, {"type": "mse", "weight": 2})
    terms = weighted_losses.generator_losses(make_context())
    assert {name: term.item() for name, term in terms.items()} == {"l1": 0.5, "mse": 0.25}
    assert weighted_losses.total(terms, step=1).item() == pytest.approx(10 * 0.5 + 2 * 0.25)


def test_a_weight_warms_up_linearly_to_its_full_value() -> None:
    weighted_losses = make_objective({"type": "l1", "weight": 8, "warmup": 4})
    terms = weighted_losses.generator_losses(make_context())
    totals = [weighted_losses.total(terms, step=step).item() for step in (1, 2, 4, 5, 100)]
    assert totals == pytest.approx([1.0, 2.0, 4.0, 4.0, 4.0])


def test_two_losses_of_one_type_keep_their_own_names_and_weights() -> None:
    weighted_losses = make_objective(
        {"type": "l1", "weight": 1}, {"type": "l1", "weight": 3, "region": "skin"}
    )
    terms = weighted_losses.generator_losses(make_context())
    assert list(terms) == ["l1", "l1_2"]
    assert weighted_losses.total(terms, step=1).item() == pytest.approx(0.5 + 3 * 0.5)


def test_only_adversarial_losses_have_a_term_for_the_discriminator() -> None:
    weighted_losses = make_objective("l1", {"type": "gan", "weight": 0.5})
    terms = weighted_losses.discriminator_losses(make_context())
    assert list(terms) == ["discriminator/gan"]
    # logits of 0 say one half: -log(1/2) for real and for painted images, halved
    assert terms["discriminator/gan"].item() == pytest.approx(0.693147, abs=1e-5)
    assert weighted_losses.total(terms, step=1).item() == pytest.approx(0.693147 / 2, abs=1e-5)


def test_the_losses_of_a_step_are_the_means_over_its_batches() -> None:
    terms = [
        {"l1": torch.tensor(0.5), "gan": torch.tensor(1.0)},
        {"l1": torch.tensor(1.5), "gan": torch.tensor(4.0)},
    ]
    assert mean_losses(terms, Accelerator(cpu=True)) == {"l1": 1.0, "gan": 2.5}


def test_use_names_the_same_component_as_json() -> None:
    assert (
        skinfw.use("loss", "l1", weight=2).config
        == make_objective({"type": "l1", "weight": 2}).losses["l1"].config
    )
    assert SimpleNamespace(**skinfw.use("loss", "l1").to_json()).type == "l1"
