from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from skinfw import Pipeline
from skinfw.components.trust import named_outside
from skinfw.data.split import Split
from skinfw.errors import RunError, SpecError
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run
from skinfw.runs.split_record import read_split, write_split
from skinfw.specs.data_spec import DataSpec
from skinfw.specs.spec import parse_spec
from skinfw.testing import example_condition, example_generator_io
from skinfw_plugins.generators.config_architectures import TwoStageConfig
from skinfw_plugins.generators.two_stage import COARSE, TwoStageGenerator

INPUTS = ("apparel_head_foot", "line", "segmentation_skin", "face", "mask")
SIZE = (16, 16)
PIX2PIX = {"type": "pix2pix", "base_channels": 2, "depth": 2}
MakeSpec = Callable[..., dict[str, Any]]


def build(inputs: tuple[str, ...] = INPUTS, **fields: object) -> TwoStageGenerator:
    torch.manual_seed(0)
    config = TwoStageConfig.model_validate({"coarse": PIX2PIX, "refiner": PIX2PIX, **fields})
    return TwoStageGenerator(config, example_generator_io(SIZE, inputs))


def state(network: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def learn(network: TwoStageGenerator, steps: int = 2) -> None:
    """Train towards black."""
    optimizer = torch.optim.Adam([each for each in network.parameters() if each.requires_grad], lr=0.01)
    for seed in range(steps):
        optimizer.zero_grad()
        network.train()(example_condition(INPUTS, 2, SIZE, seed)).square().mean().backward()
        optimizer.step()


def refiner_that_paints(network: TwoStageGenerator, value: float) -> None:
    """Make the refiner paint one value, whatever it sees."""
    refiner: Any = network.refiner
    with torch.no_grad():
        refiner.up[-1][-1].weight.zero_()
        refiner.up[-1][-1].bias.fill_(torch.atanh(torch.tensor(2 * value - 1)))


@pytest.mark.parametrize("coarse", ["mean_color", PIX2PIX])
def test_untrained_it_paints_nearly_the_coarse_image(coarse: object) -> None:
    network = build(coarse=coarse, refiner={"type": "pix2pix", "base_channels": 32}).train()
    condition = example_condition(INPUTS, 2, SIZE)
    with torch.no_grad():
        painted, first = network(condition), network.coarse(network.coarse_condition(condition))
    assert 0 < (painted - first).abs().mean() < 0.1


def test_the_refiner_changes_a_value_by_the_scale_at_most() -> None:
    network = build(scale=0.25).eval()
    condition = example_condition(INPUTS, 2, SIZE)
    coarse = network.coarse(condition)
    for painted, change in [(0.0, -0.25), (0.5, 0.0), (0.8, 0.15), (1.0, 0.25)]:
        refiner_that_paints(network, painted)
        expected = (coarse + change).clamp(0, 1)
        assert torch.allclose(network(condition), expected, atol=1e-6)


def test_white_of_the_coarse_image_can_still_learn() -> None:
    network = build(coarse="mean_color")
    refiner_that_paints(network, 0.9)
    white = torch.ones(1, 15, *SIZE)
    white[:, 6:] = 0  # neither skin nor face, and nothing to paint
    painted = network(white)
    assert torch.equal(painted, torch.ones_like(painted))
    painted.sum().backward()
    bias: Any = network.refiner.up[-1][-1].bias  # type: ignore[union-attr, index]
    # d/db of 0.5 * tanh(b), where tanh(b) is 2 * 0.9 - 1, at every pixel
    assert bias.grad.tolist() == pytest.approx([16 * 16 * 0.5 * (1 - 0.8**2)] * 3, rel=1e-3)


def test_the_refiner_sees_the_condition_and_the_coarse_image() -> None:
    network = build(coarse="mean_color").eval()
    seen: list[Tensor] = []
    network.refiner.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    condition = example_condition(INPUTS, 2, SIZE)
    network(condition)
    # apparel_head_foot, face, segmentation_skin, mask
    required = condition[:, [0, 1, 2, 9, 10, 11, 6, 7, 8, 12, 13, 14]]
    assert tuple(network.coarse.io.inputs) == ("apparel_head_foot", "face", "segmentation_skin", "mask")
    assert torch.equal(seen[0], torch.cat([condition, network.coarse(required)], dim=1))
    assert tuple(network.refiner.io.inputs) == (*INPUTS, COARSE)


def test_inputs_of_any_number_of_channels_reach_the_coarse_generator() -> None:
    network = build(coarse="mean_color", inputs=("heatmaps", *INPUTS)).eval()
    condition = example_condition(("heatmaps", *INPUTS), 2, SIZE)
    seen: list[Tensor] = []
    network.coarse.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    network(condition)
    shown = condition[:, 25:]
    assert torch.equal(
        seen[0], torch.cat([shown[:, :3], shown[:, 9:12], shown[:, 6:9], shown[:, 12:]], dim=1)
    )
    assert network.refiner.io.condition_channels == 25 + 5 * 3 + 3


def test_both_parts_are_shown_the_target() -> None:
    network = build()
    seen: list[Tensor] = []
    for part in (network.coarse, network.refiner):
        part.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[2]))
    target = torch.rand(2, 3, *SIZE)
    network(example_condition(INPUTS, 2, SIZE), None, target)
    assert len(seen) == 2
    assert all(each is target for each in seen)


def test_a_joint_coarse_generator_learns() -> None:
    network = build()
    before = state(network.coarse)
    learn(network)
    changed = [name for name, value in network.coarse.state_dict().items() if not value.equal(before[name])]
    assert set(changed) == set(before)


def test_a_frozen_coarse_generator_stays_as_it_is() -> None:
    network = build(train_coarse=False, coarse_run="runs/coarse")
    before, refiner = state(network.coarse), state(network.refiner)
    assert not any(parameter.requires_grad for parameter in network.coarse.parameters())
    learn(network)
    assert network.training
    assert not any(module.training for module in network.coarse.modules())
    for name, value in network.coarse.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert any(not value.equal(refiner[name]) for name, value in network.refiner.state_dict().items())


def test_noise_is_split_between_those_that_take_it() -> None:
    channel = {**PIX2PIX, "noise": "channel"}
    dropout = {**PIX2PIX, "depth": 3, "noise": "dropout", "dropout": 0.5}
    assert build().noise_shape(SIZE) == ()
    assert build(coarse=channel).noise_shape(SIZE) == (256,)
    assert build(refiner=dropout).noise_shape(SIZE) == (1,)
    network = build(coarse=channel, refiner=dropout).eval()
    assert network.noise_shape(SIZE) == (257,)
    seen: dict[str, Tensor] = {}
    for name in ("coarse", "refiner"):
        part = getattr(network, name)
        part.register_forward_pre_hook(lambda _, given, name=name: seen.update({name: given[1]}))
    noise = torch.randn(2, 257)
    network(example_condition(INPUTS, 2, SIZE), noise)
    assert torch.equal(seen["coarse"], noise[:, :256].reshape(2, 1, 16, 16))
    assert torch.equal(seen["refiner"], noise[:, 256:])


def test_requirements_are_those_of_both() -> None:
    refiner = {**PIX2PIX, "depth": 3, "condition": "tone"}
    config = TwoStageConfig.model_validate({"coarse": {**PIX2PIX, "depth": 4}, "refiner": refiner})
    assert config.required_inputs == ("apparel_head_foot", "face")
    assert config.size_requirement((32, 32)).multiple_of == 16
    bound = TwoStageConfig.model_validate({"coarse": "fcnn", "refiner": PIX2PIX})
    assert bound.size_requirement((20, 24)).exactly == (20, 24)
    assert "multiples of 4" in str(bound.size_requirement((20, 25)).error((20, 25)))
    tone = TwoStageConfig.model_validate({"coarse": "mean_color", "refiner": refiner})
    assert tone.required_inputs == ("apparel_head_foot", "face", "segmentation_skin", "mask")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"coarse": PIX2PIX, "train_coarse": False}, "$.generator: train_coarse false needs a coarse_run"),
        (
            {"coarse": "opencv_inpaint", "coarse_run": "run"},
            "$.generator.coarse_run: 'opencv_inpaint' has nothing to",
        ),
        (
            {"coarse": PIX2PIX, "refiner": "opencv_inpaint"},
            "$.generator.refiner: 'opencv_inpaint' has nothing to",
        ),
        ({"coarse": "pix2pixx", "train_coarse": False}, "$.generator.coarse: "),
    ],
)
def test_parts_that_do_not_go_together_are_told(
    fields: dict[str, object], text: str, tiny_spec: MakeSpec
) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(tiny_spec(generator={"type": "two_stage", **fields}))
    assert len(caught.value.errors) == 1
    assert caught.value.errors[0].startswith(text)


@pytest.fixture
def coarse_run(tmp_path: Path, make_run: Callable[..., Run]) -> Run:
    """A run whose generator can be the coarse one of `job`."""
    return make_run(tmp_path / "coarse", generator=PIX2PIX)


@pytest.fixture
def job(tiny_spec: MakeSpec) -> MakeSpec:
    """Make a spec that trains a refined generator for three steps."""

    def make(coarse_run: Run, **fields: object) -> dict[str, Any]:
        generator = {"type": "two_stage", "coarse": PIX2PIX, "refiner": PIX2PIX, **fields}
        spec = tiny_spec(
            generator={**generator, "coarse_run": str(coarse_run.folder)}, losses=["l1"], baselines=[]
        )
        spec.pop("discriminator")
        spec["training"] = {"steps": 3, "batch_size": 4, "checkpoint_every": 1, "device": "cpu"}
        return spec

    return make


def coarse_weights(path: Path) -> dict[str, Tensor]:
    return read_checkpoint(path).part("generator.coarse")


@pytest.mark.parametrize("train_coarse", [True, False])
def test_weights_of_a_run_are_taken_and_kept_or_trained_on(
    tmp_path: Path, coarse_run: Run, job: MakeSpec, train_coarse: bool
) -> None:
    given = read_checkpoint(coarse_run.checkpoint("best")).part("generator")
    spec = job(coarse_run, train_coarse=train_coarse)
    spec["training"]["generator_lr"] = 1e-6
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    found = coarse_weights(run.checkpoint("last"))
    assert found.keys() == given.keys()
    weights = [name for name in given if name.endswith("weight")]
    # three steps of Adam move no weight further than three times the learning rate, or hardly
    assert all(torch.allclose(found[name], given[name], atol=1e-5) for name in weights)
    assert all(torch.equal(found[name], given[name]) for name in given) != train_coarse


def test_a_checkpoint_needs_no_coarse_run(tmp_path: Path, coarse_run: Run, job: MakeSpec) -> None:
    spec = job(coarse_run, train_coarse=False)
    pipeline = Pipeline(spec, output=tmp_path / "run").fit()
    given = read_checkpoint(coarse_run.checkpoint("best")).part("generator")
    shutil.rmtree(coarse_run.folder)
    loaded = load_generator(read_checkpoint(pipeline.run.checkpoint("best")), torch.device("cpu"))
    assert isinstance(loaded, TwoStageGenerator)
    for name, value in loaded.coarse.state_dict().items():
        assert torch.equal(value, given[name]), name
    assert pipeline.evaluate().values
    spec["training"]["steps"] = 4
    resumed = Pipeline(spec, output=tmp_path / "run", resume=True).fit().run
    assert read_checkpoint(resumed.checkpoint("last")).progress.step == 4
    assert coarse_weights(resumed.checkpoint("last")).keys() == given.keys()


def test_a_coarse_run_may_be_a_checkpoint_or_a_name(coarse_run: Run, tiny_spec: MakeSpec) -> None:
    network = build(coarse_run=str(coarse_run.checkpoint("best")), inputs=INPUTS[:3])
    network.prepare_training(DataSpec(size=(32, 32)))
    given = read_checkpoint(coarse_run.checkpoint("best")).part("generator")
    assert all(torch.equal(value, given[name]) for name, value in state(network.coarse).items())
    generator = {"type": "two_stage", "coarse": PIX2PIX, "coarse_run": "hub:me/coarse@v1"}
    spec = parse_spec(tiny_spec(generator=generator))
    assert [each.kind for each in named_outside(spec.generator, training=True)] == ["hub"]
    assert named_outside(spec.generator) == []
    with pytest.raises(SpecError, match=r"\$.generator.coarse_run: hub:me: not a model on the hub"):
        parse_spec(tiny_spec(generator={**generator, "coarse_run": "hub:me"}))


def test_the_average_of_the_weights_is_taken_from_any_checkpoint(tmp_path: Path, tiny_spec: MakeSpec) -> None:
    spec = tiny_spec(generator=PIX2PIX, losses=["l1"], baselines=[], discriminator=None)
    spec["training"] = {"steps": 2, "batch_size": 4, "ema": 0.9, "device": "cpu"}
    run = Pipeline(spec, output=tmp_path / "averaged").fit().run
    last = read_checkpoint(run.checkpoint("last"))
    network = build(coarse_run=str(last.path), inputs=INPUTS[:3])
    network.prepare_training(DataSpec(size=(32, 32)))
    average, trained = last.weights("generator"), last.part("generator")
    assert any(not torch.equal(average[name], value) for name, value in trained.items())
    assert all(torch.equal(value, average[name]) for name, value in state(network.coarse).items())


def test_a_run_that_may_have_seen_the_test_is_refused(tmp_path: Path, coarse_run: Run, job: MakeSpec) -> None:
    spec = job(coarse_run)
    spec["data"] = {**spec["data"], "test_fraction": 0.5}
    with pytest.raises(RunError, match=r"may have seen this run's test or validation images"):
        Pipeline(spec, output=tmp_path / "run").fit()


@pytest.mark.parametrize(
    ("trained_on", "used_for"), [("train", "test"), ("train", "validation"), ("validation", "test")]
)
def test_a_run_whose_recorded_split_overlaps_is_refused(
    tmp_path: Path, coarse_run: Run, job: MakeSpec, trained_on: str, used_for: str
) -> None:
    """In a small data set, or after samples were grouped in another way, the shares alone do not tell."""
    before = Pipeline(job(coarse_run), output=tmp_path / "before").fit().run
    ours = vars(read_split(before.folder))
    taken = ours[used_for][:1]
    write_split(coarse_run, Split(**{**dict.fromkeys(ours, ()), trained_on: taken}))
    with pytest.raises(RunError, match=f"1 test or validation samples .*for example '{taken[0]}'"):
        Pipeline(job(coarse_run), output=tmp_path / "run").fit()


def test_a_run_that_is_missing_is_told(tmp_path: Path, coarse_run: Run, job: MakeSpec) -> None:
    spec = job(coarse_run)
    shutil.rmtree(coarse_run.folder)
    with pytest.raises(RunError, match=r"coarse: no such folder; give a run folder"):
        Pipeline(spec, output=tmp_path / "run").fit()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"coarse": {**PIX2PIX, "depth": 3}}, "'depth': 2.*, but coarse is .*'depth': 3"),
        ({"inputs": ["apparel_head_foot", "segmentation_skin"]}, "this spec's data.inputs are apparel_head_"),
    ],
)
def test_a_run_that_does_not_fit_is_told(
    tmp_path: Path, coarse_run: Run, job: MakeSpec, change: dict[str, Any], text: str
) -> None:
    inputs = change.pop("inputs", None)
    spec = job(coarse_run, **change)
    if inputs is not None:
        spec["data"]["inputs"] = inputs
    with pytest.raises(RunError, match=text):
        Pipeline(spec, output=tmp_path / "run").fit()


def test_a_run_at_another_size_is_told(tmp_path: Path, make_run: Callable[..., Run], job: MakeSpec) -> None:
    by_size = {"type": "pix2pix", "base_channels": 2}
    spec = job(make_run(tmp_path / "coarse", generator=by_size), coarse=by_size)
    spec["data"]["size"] = [64, 64]
    with pytest.raises(RunError, match="trained at 32x32, do not fit a network for 64x64; train both at"):
        Pipeline(spec, output=tmp_path / "run").fit()


def test_a_refined_generator_can_be_refined(tmp_path: Path, coarse_run: Run, job: MakeSpec) -> None:
    inner = job(coarse_run)["generator"]
    network = build(coarse=inner, inputs=INPUTS[:3])
    network.prepare_training(DataSpec(size=(32, 32)))
    given = read_checkpoint(coarse_run.checkpoint("best")).part("generator")
    innermost: Any = network.coarse
    for name, value in innermost.coarse.state_dict().items():
        assert torch.equal(value, given[name]), name
    painted = network.eval()(example_condition(INPUTS[:3], 2, SIZE))
    assert painted.shape == (2, 3, *SIZE)
