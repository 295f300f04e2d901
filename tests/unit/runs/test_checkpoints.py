from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from skinfw.assembly.assemble import build_generator
from skinfw.components.registry import installed
from skinfw.errors import RegistryError, RunError
from skinfw.runs.checkpoint_header import Progress
from skinfw.runs.checkpoint_networks import load_generator, load_optimizer, optimizer_tensors
from skinfw.runs.checkpoints import read_checkpoint, savable, save_checkpoint
from skinfw.specs.spec import Spec, parse_spec
from skinfw.specs.training_spec import TrainingSpec
from skinfw.training.accelerator import make_accelerator
from skinfw.training.optimized import OptimizedModule

PROGRESS = Progress(step=3, epoch=1, batches=2, data="abc")


@pytest.fixture
def spec(tiny_spec: Callable[..., dict[str, Any]]) -> Spec:
    return parse_spec(tiny_spec())


def write(path: Path, spec: Spec) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    weights = {f"generator.{key}": value for key, value in build_generator(spec).state_dict().items()}
    save_checkpoint(path, weights, spec, PROGRESS, best={"value": 1.5})
    return weights


def test_a_checkpoint_describes_itself(tmp_path: Path, spec: Spec) -> None:
    write(tmp_path / "last.safetensors", spec)
    found = read_checkpoint(tmp_path / "last.safetensors")
    assert found.spec == spec
    assert found.progress == PROGRESS
    assert found.about["best"] == {"value": 1.5}
    assert found.about["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert found.about["components"]["generator/pix2pix"].startswith("skinfw ")
    assert found.about["components"]["dataset/mannequins"].startswith("skinfw ")


def test_the_generator_comes_back_bit_for_bit(tmp_path: Path, spec: Spec) -> None:
    weights = write(tmp_path / "last.safetensors", spec)
    generator = load_generator(read_checkpoint(tmp_path / "last.safetensors"), torch.device("cpu"))
    assert not generator.training
    for key, value in generator.state_dict().items():
        assert torch.equal(value, weights[f"generator.{key}"]), key


def test_an_optimizer_goes_on_as_if_it_had_never_stopped() -> None:
    def train(steps: int, reload_after: int | None) -> torch.Tensor:
        torch.manual_seed(0)
        weight = torch.nn.Parameter(torch.ones(4))
        optimizer = torch.optim.Adam([weight], lr=0.1, fused=True)
        for step in range(steps):
            (weight**2 * torch.arange(4.0)).sum().backward()
            optimizer.step()
            optimizer.zero_grad()
            if step == reload_after:
                kept = {key: value.clone() for key, value in optimizer_tensors("o", optimizer).items()}
                optimizer = torch.optim.Adam([weight], lr=0.1, fused=True)
                load_optimizer(optimizer, {key.removeprefix("o."): value for key, value in kept.items()})
        return weight.detach()

    assert torch.equal(train(6, None), train(6, 2))


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none\.safetensors: no such checkpoint"):
        read_checkpoint(tmp_path / "none.safetensors")
    (tmp_path / "last.safetensors").touch()
    with pytest.raises(RunError, match=r"best\.safetensors: no such checkpoint; .*--checkpoint last"):
        read_checkpoint(tmp_path / "best.safetensors")


def test_a_damaged_checkpoint_is_named(tmp_path: Path, spec: Spec) -> None:
    path = tmp_path / "last.safetensors"
    write(path, spec)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(RunError, match=r"last\.safetensors: not a readable skinfw checkpoint"):
        read_checkpoint(path)


def test_foreign_weights_are_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(RunError, match="not a readable skinfw checkpoint"):
        read_checkpoint(tmp_path / "foreign.safetensors")


def test_a_missing_plugin_is_named(tmp_path: Path, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.safetensors"
    write(path, spec)
    entry = installed().entry("generator", "pix2pix")
    monkeypatch.delitem(installed().entries, ("generator", "pix2pix"))
    with pytest.raises(RunError, match=f"generator pix2pix of {entry.provider}, which is not installed"):
        read_checkpoint(path)


def test_weights_of_another_network_are_refused(tmp_path: Path, spec: Spec) -> None:
    other = spec.model_copy(
        update={"generator": parse_spec({**spec.to_json(), "generator": "pix2pix"}).generator}
    )
    weights = {f"generator.{key}": value for key, value in build_generator(spec).state_dict().items()}
    save_checkpoint(tmp_path / "x.safetensors", weights, other, PROGRESS)
    with pytest.raises(RunError, match="its weights do not fit its spec"):
        load_generator(read_checkpoint(tmp_path / "x.safetensors"), torch.device("cpu"))


def test_a_failed_write_leaves_the_old_checkpoint(
    tmp_path: Path, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.safetensors"
    write(path, spec)
    before = path.read_bytes()

    def fail(*arguments: object, **keywords: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("skinfw.runs.checkpoints.save_file", fail)
    with pytest.raises(RunError, match="No space left on device"):
        write(path, spec)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


class Tied(torch.nn.Module):
    """Two layers with one weight, and a buffer that is a part of it."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
        self.other.weight = self.one.weight
        self.register_buffer("row", self.one.weight.detach()[1])


def test_tied_weights_are_saved_loaded_and_stay_tied(tmp_path: Path, spec: Spec) -> None:
    torch.manual_seed(0)
    network = Tied()
    assert savable(network.state_dict()) is None
    state = {f"generator.{name}": value for name, value in network.state_dict().items()}
    save_checkpoint(tmp_path / "tied.safetensors", state, spec, PROGRESS)
    again = Tied()
    again.load_state_dict(read_checkpoint(tmp_path / "tied.safetensors").part("generator"))
    for name, value in again.state_dict().items():
        assert torch.equal(value, network.state_dict()[name])
    assert again.one.weight is again.other.weight


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"images": 3}, "has the type dict, not a tensor"),
        (torch.eye(3).to_sparse(), "not a dense tensor"),
        (torch.zeros(3, device="meta"), "not a dense tensor"),
    ],
)
def test_what_no_checkpoint_can_hold_is_refused_before_training(value: Any, reason: str) -> None:
    assert reason in str(savable({"fine": torch.ones(2), "odd": value}))

    class Odd(torch.nn.Linear):
        def state_dict(self, *_: Any, **__: Any) -> Any:
            return {"odd": value}

    training = TrainingSpec(steps=1, device="cpu")
    with pytest.raises(RegistryError, match=f"generator Odd cannot be trained.*{reason}"):
        OptimizedModule("generator", Odd(2, 2), 1e-3, training, make_accelerator(training))
