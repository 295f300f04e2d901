"""The moving average of the weights: its formula, and who uses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from skinfw import Pipeline
from skinfw.errors import SpecError
from skinfw.evaluation import evaluate_generator as evaluating
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run
from skinfw.specs.spec import parse_spec
from skinfw.tasks.inpainting import module as inpainting
from skinfw.tasks.segmentation.label import load_network
from skinfw.training.optimized import OptimizedModule
from skinfw.training.weight_average import WeightAverage

MakeSpec = Callable[..., dict[str, Any]]

DECAY = 0.75


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.norm = nn.Linear(3, 4), nn.BatchNorm1d(4)
        self.register_buffer("table", torch.zeros(2))

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = self.norm(self.layer(values))
        return found


def test_parameters_are_averaged_as_by_torch_and_statistics_with_them() -> None:
    torch.manual_seed(0)
    network = Small()
    average = WeightAverage(network, DECAY)
    nn.init.normal_(network.layer.weight)  # as if loaded from elsewhere before the first step
    average.start()
    mix = get_ema_multi_avg_fn(DECAY)  # type: ignore[no-untyped-call]
    expected = AveragedModel(network, multi_avg_fn=mix)
    expected.update_parameters(network)
    mean, variance = network.norm.running_mean.clone(), network.norm.running_var.clone()
    for step in range(4):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(torch.randn_like(parameter))
        network(torch.randn(5, 3) + step)
        network.table.fill_(step)
        average.start()
        average.update()
        expected.update_parameters(network)
        mean = DECAY * mean + (1 - DECAY) * network.norm.running_mean
        variance = DECAY * variance + (1 - DECAY) * network.norm.running_var
    found = average.network
    for own, other in zip(found.parameters(), expected.module.parameters(), strict=True):
        torch.testing.assert_close(own, other)
    torch.testing.assert_close(found.norm.running_mean, mean)
    torch.testing.assert_close(found.norm.running_var, variance)
    assert found.norm.num_batches_tracked == 4 and found.table.tolist() == [3, 3]
    assert not found.training and not any(each.requires_grad for each in found.parameters())
    assert network.training and all(each.requires_grad for each in network.parameters())


@pytest.mark.parametrize("ema", [0, 1, -0.5, "much"])
def test_a_decay_is_between_0_and_1(tiny_spec: MakeSpec, ema: Any) -> None:
    spec = tiny_spec()
    spec["training"]["ema"] = ema
    with pytest.raises(SpecError, match=r"\$\.training\.ema"):
        parse_spec(spec)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Tensor]]:
    """The weights before the first step, and after each."""
    found: list[dict[str, Tensor]] = []
    real = OptimizedModule.descend

    def descend(part: OptimizedModule[Any]) -> None:
        own = part.name != "discriminator"
        if own and not found:
            found.append({name: value.clone() for name, value in part.network.state_dict().items()})
        real(part)
        if own:
            found.append({name: value.clone() for name, value in part.network.state_dict().items()})

    monkeypatch.setattr(OptimizedModule, "descend", descend)
    return found


def averaged(steps: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    found = dict(steps[0])
    for state in steps[1:]:
        for name, value in state.items():
            found[name] = DECAY * found[name] + (1 - DECAY) * value if value.is_floating_point() else value
    return found


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def require_average(run: Run, network: str, steps: list[dict[str, Tensor]]) -> None:
    last, best = read_checkpoint(run.checkpoint("last")), read_checkpoint(run.checkpoint("best"))
    assert same(last.part(network), steps[-1])
    average = last.part(f"{network}_average")
    torch.testing.assert_close(average, averaged(steps))
    assert not same(average, last.part(network))
    assert {name.partition(".")[0] for name in best.tensors} == {network}
    torch.testing.assert_close(best.part(network), averaged(steps[: best.progress.step + 1]))


@pytest.mark.parametrize("accumulation", [1, 2])
def test_everything_but_training_uses_the_average(
    tmp_path: Path, tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch, steps: list[dict[str, Tensor]],
    accumulation: int,
) -> None:  # fmt: skip
    used: list[dict[str, Tensor]] = []
    for place in (evaluating, inpainting):
        real = place.inpaint_batches

        def watched(generator: nn.Module, *args: Any, real: Any = real, **options: Any) -> Any:
            used.append({name: value.clone() for name, value in generator.state_dict().items()})
            return real(generator, *args, **options)

        monkeypatch.setattr(place, "inpaint_batches", watched)
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"ema": DECAY, "generator_lr": 1e-2, "gradient_accumulation": accumulation}
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    require_average(run, "generator", steps)
    last = read_checkpoint(run.checkpoint("last"))
    assert same(load_generator(last, torch.device("cpu")).state_dict(), last.part("generator_average"))
    half = len(steps) // 2  # two epochs, each with a grid and an evaluation, and the test of the best
    for index, count in enumerate((half, half, len(steps) - 1, len(steps) - 1)):
        torch.testing.assert_close(used[index], averaged(steps[: count + 1]))
    assert same(used[4], read_checkpoint(run.checkpoint("best")).part("generator"))
    assert len(used) == 5


def test_a_parser_uses_the_average(
    tmp_path: Path, segmentation_spec: MakeSpec, write_labeled_photos: Callable[..., Any],
    steps: list[dict[str, Tensor]],
) -> None:  # fmt: skip
    write_labeled_photos(tmp_path / "photos", 24)
    spec = segmentation_spec(tmp_path / "photos")
    spec["training"] |= {"ema": DECAY, "epochs": None, "steps": 3}
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    require_average(run, "network", steps)
    last = read_checkpoint(run.checkpoint("last"))
    network, _ = load_network(last, torch.device("cpu"))
    assert same(network.state_dict(), last.part("network_average"))


def test_without_it_checkpoints_hold_no_average(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = tiny_spec(baselines=[])
    spec["training"] |= {"epochs": None, "steps": 1}
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    assert not [name for name in read_checkpoint(run.checkpoint("last")).tensors if "average" in name]
