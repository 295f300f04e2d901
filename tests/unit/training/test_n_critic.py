from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from skinfw import Pipeline, hookimpl
from skinfw.errors import DataError, SpecError
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.specs.spec import parse_spec
from skinfw.specs.training_spec import TrainingSpec
from skinfw.tasks.inpainting.networks import Networks
from skinfw.training.pace import LOG_RECORDS, log_interval
from skinfw.training.step_losses import StepLosses

MakeSpec = Callable[..., dict[str, Any]]


@pytest.fixture
def critic_spec(tiny_spec: MakeSpec) -> MakeSpec:
    """A run of WGAN-GP with three steps of the critic to one of the generator."""

    def make(**training: Any) -> dict[str, Any]:
        spec = tiny_spec(losses=["l1", "wgan_gp"], baselines=[])
        spec["discriminator"]["norm"] = "instance"
        spec["training"] |= {"epochs": None, "steps": 7, "n_critic": 3, **training}
        return spec

    return make


def learned(network: torch.nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def test_the_discriminator_learns_every_step_and_the_generator_every_third(
    tmp_path: Path, critic_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[tuple[bool, bool]] = []
    told: list[set[str]] = []
    real = Networks.train_step

    def spy(self: Networks, *args: Any) -> StepLosses:
        pair = (self.discriminator, self.generator)
        before = [learned(network) for network in pair if network is not None]
        values = real(self, *args)
        after = [learned(network) for network in pair if network is not None]
        changes = [
            any(not torch.equal(one, other) for one, other in zip(*weights, strict=True))
            for weights in zip(before, after, strict=True)
        ]
        moved.append((changes[0], changes[1]))
        told.append(set(values))
        return values

    monkeypatch.setattr(Networks, "train_step", spy)
    Pipeline(critic_spec(), output=tmp_path / "run").fit()
    third = [step % 3 == 0 for step in range(1, 8)]
    assert moved == [(True, generator) for generator in third]
    both = {"l1", "wgan_gp", "discriminator/wgan_gp"}
    assert told == [both if generator else {"discriminator/wgan_gp"} for generator in third]


def test_logged_steps_have_all_losses_but_for_an_odd_last_one(tmp_path: Path, critic_spec: MakeSpec) -> None:
    run = Pipeline(critic_spec(), output=tmp_path / "run").fit().run
    logged = {record["step"]: set(record["losses"]) for record in run.read_log() if record["event"] == "step"}
    assert list(logged) == [3, 6, 7]
    assert logged[3] == logged[6] == {"l1", "wgan_gp", "discriminator/wgan_gp"}
    assert logged[7] == {"discriminator/wgan_gp"}


@pytest.mark.parametrize("total", [7, 3 * LOG_RECORDS, 10 * LOG_RECORDS + 1])
def test_the_log_interval_is_a_multiple_of_the_critics_steps(total: int) -> None:
    interval = log_interval(TrainingSpec(steps=total, n_critic=3), total)
    assert interval % 3 == 0
    assert total / interval <= 2 * LOG_RECORDS


def test_a_run_interrupted_between_steps_of_the_generator_ends_as_if_it_had_not_been(
    tmp_path: Path, critic_spec: MakeSpec
) -> None:
    class Interrupter:
        @hookimpl
        def step_ended(self, step: int) -> None:
            if step == 4:
                os.kill(os.getpid(), signal.SIGINT)

    whole = Pipeline(critic_spec(), output=tmp_path / "whole").fit().run
    parts = Pipeline(critic_spec(), output=tmp_path / "parts", hooks=[Interrupter()])
    with pytest.raises(KeyboardInterrupt, match="step 4 is saved"):
        parts.fit()
    again = Pipeline(critic_spec(), output=tmp_path / "parts", resume=True).fit().run
    one, other = (read_checkpoint(run.checkpoint("last")).tensors for run in (whole, again))
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_steps_of_a_discriminator_that_is_not_there_are_refused(tiny_spec: MakeSpec) -> None:
    spec = tiny_spec(losses=["l1"])
    spec.pop("discriminator")
    spec["training"]["n_critic"] = 5
    with pytest.raises(SpecError, match=r"\$\.training\.n_critic: 5 steps, but there is no discriminator"):
        parse_spec(spec)


def test_a_run_in_which_the_generator_is_never_trained_is_refused(critic_spec: MakeSpec) -> None:
    with pytest.raises(SpecError, match="in 2 steps the generator would never be trained"):
        parse_spec(critic_spec(steps=2))


def test_critic_steps_and_accumulation_are_refused(critic_spec: MakeSpec) -> None:
    with pytest.raises(SpecError, match="cannot be combined"):
        parse_spec(critic_spec(gradient_accumulation=2))


def test_a_run_too_short_to_train_its_generator_is_refused(
    tiny_spec: Callable[..., Any], tmp_path: Path
) -> None:
    training = {"epochs": 1, "batch_size": 10, "n_critic": 50, "device": "cpu"}
    with pytest.raises(DataError, match="the generator would never be trained"):
        Pipeline(tiny_spec(training=training), output=tmp_path / "run").fit()
