"""The contract checks themselves: each refuses a component that breaks its contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import torch
from pydantic import Field
from torch import Tensor, nn

from skinfw import testing
from skinfw.components.config import (
    AugmentationConfig,
    ComponentConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    LossConfig,
    MetricConfig,
    PoseEncoderConfig,
    Size,
    SizeRequirement,
)
from skinfw.components.registry import Registry
from skinfw.data.batch import Batch
from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.data.redraw import with_pose
from skinfw.data.sample import APPAREL, FACE, HEATMAPS, LINE, SKIN, Sample
from skinfw.data.segmentation import Segmentation
from skinfw.interfaces import (
    AdversarialLoss,
    Augmentation,
    Dataset,
    DatasetIO,
    Discriminator,
    DiscriminatorIO,
    DiscriminatorOutput,
    Generator,
    GeneratorIO,
    Loss,
    LossIO,
    Metric,
    MetricIO,
    PoseEncoder,
    Segmenter,
    Step,
)


def fails(check: Callable[[], None], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check()


class GoodGenerator(Generator[GeneratorConfig]):
    def __init__(self, config: GeneratorConfig, io: GeneratorIO) -> None:
        super().__init__(config, io)
        self.layer = nn.Conv2d(io.condition_channels, 3, 1)

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        return torch.sigmoid(self.layer(condition))


class OutOfRange(GoodGenerator):
    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        return super().forward(condition) * 2


class WrongShape(GoodGenerator):
    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        return super().forward(condition)[..., 1:]


class OldPreparation(GoodGenerator):
    def prepare_training(self, data: object) -> None:  # type: ignore[override]
        pass


class NotFinite(GoodGenerator):
    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        return super().forward(condition) / 0 * 0


class Random(GoodGenerator):
    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        return super().forward(condition) * torch.rand(())


class MixesTheBatch(GoodGenerator):
    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        return super().forward(condition - condition.mean(dim=0, keepdim=True))


class UnusedParameter(GoodGenerator):
    def __init__(self, config: GeneratorConfig, io: GeneratorIO) -> None:
        super().__init__(config, io)
        self.idle = nn.Parameter(torch.zeros(1))


class ForgetsState(GoodGenerator):
    def __init__(self, config: GeneratorConfig, io: GeneratorIO) -> None:
        super().__init__(config, io)
        self.hidden = torch.rand(())

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        return super().forward(condition) * self.hidden


class TiesWeights(GoodGenerator):
    def __init__(self, config: GeneratorConfig, io: GeneratorIO) -> None:
        super().__init__(config, io)
        self.again = nn.Conv2d(3, 3, 1)
        self.twin = nn.Conv2d(3, 3, 1)
        self.twin.weight = self.again.weight
        self.register_buffer("part", self.again.weight.detach()[:1])

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        return self.twin(self.again(super().forward(condition))).sigmoid()  # type: ignore[no-any-return]


class KeepsAnObject(GoodGenerator):
    def get_extra_state(self) -> object:
        return {"pictures": 3}

    def set_extra_state(self, state: object) -> None:
        pass


class ChangesItsInput(GoodGenerator):
    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        return super().forward(condition.mul_(0.5))


class ClaimsUnconditional(GoodGenerator):
    conditional: ClassVar[bool] = False


class IgnoresNoise(GoodGenerator):
    def noise_shape(self, size: Size) -> tuple[int, ...]:
        return (2,)


class NeedsEvenSides(GoodGenerator):
    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        halved = nn.functional.avg_pool2d(super().forward(condition), 2)
        return nn.functional.interpolate(halved, scale_factor=2)


def test_a_good_generator_passes() -> None:
    testing.check_generator(GoodGenerator, GeneratorConfig(), (8, 12))


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (OutOfRange, r"not in \[0, 1\]"),
        (WrongShape, "has the shape"),
        (NotFinite, "not finite"),
        (OldPreparation, "must take the data and the split: too many positional"),
        (Random, "two different pictures"),
        (MixesTheBatch, "depends on the others"),
        (UnusedParameter, "idle gets no gradient"),
        (ForgetsState, "after the state dict was loaded"),
        (KeepsAnObject, "no checkpoint can be written: _extra_state of the state dict is of the type dict"),
        (ChangesItsInput, "changes the condition"),
        (ClaimsUnconditional, "conditional is False"),
        (IgnoresNoise, "other noise changes nothing"),
        (NeedsEvenSides, "accepts 1x2 pixels, but the network fails there: RuntimeError"),
    ],
)
def test_a_broken_generator_is_refused(component: type[GoodGenerator], message: str) -> None:
    fails(lambda: testing.check_generator(component, GeneratorConfig(), (8, 12)), message)


def test_tied_weights_pass() -> None:
    testing.check_generator(TiesWeights, GeneratorConfig(), (8, 12))


def test_a_configuration_that_is_wrong_about_training_is_refused() -> None:
    class SaysNothing(GeneratorConfig):
        trainable = False

        @property
        def required_inputs(self) -> tuple[str, ...]:
            return ("apparel_head_foot",)

    fails(
        lambda: testing.check_generator(GoodGenerator, SaysNothing(), (8, 12)),
        "trainable is False, but there is something to train",
    )


def test_a_size_that_the_configuration_refuses_is_told() -> None:
    class Even(GeneratorConfig):
        def size_requirement(self, size: Size) -> SizeRequirement:
            return SizeRequirement(minimum=2, multiple_of=2)

    testing.check_generator(NeedsEvenSides, Even(), (8, 12))
    fails(lambda: testing.check_generator(NeedsEvenSides, Even(), (7, 12)), "multiples of 2")


class GoodDiscriminator(Discriminator[DiscriminatorConfig]):
    def __init__(self, config: DiscriminatorConfig, io: DiscriminatorIO) -> None:
        super().__init__(config, io)
        self.layer = nn.Conv2d(3 + io.condition_channels, 1, 3, padding=1)

    @property
    def receptive_field(self) -> int:
        return 3

    def forward(self, picture: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        seen = picture if condition is None else torch.cat([picture, condition], dim=1)
        return DiscriminatorOutput((self.layer(seen),))


class OneLogitTooMany(GoodDiscriminator):
    def forward(self, picture: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return DiscriminatorOutput((super().forward(picture, condition).logits[0].expand(-1, 2, -1, -1),))


class BlindToTheCondition(GoodDiscriminator):
    def forward(self, picture: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return super().forward(picture, None if condition is None else torch.zeros_like(condition))


class WithoutGradient(GoodDiscriminator):
    def forward(self, picture: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return super().forward(picture.detach(), condition)


class NeedsTwoRows(GoodDiscriminator):
    def forward(self, picture: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return DiscriminatorOutput(
            (nn.functional.avg_pool2d(super().forward(picture, condition).logits[0], 2),)
        )


class FlatFeatures(GoodDiscriminator):
    def forward(self, picture: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return replace(super().forward(picture, condition), features=((picture.flatten(1),),))


class FeaturesOfAnotherNumberOfScales(GoodDiscriminator):
    def forward(self, picture: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return replace(super().forward(picture, condition), features=((picture,), (picture,)))


class Exaggerates(GoodDiscriminator):
    @property
    def receptive_field(self) -> int:
        return 5


def test_a_good_discriminator_passes() -> None:
    for conditional in (True, False):
        config = DiscriminatorConfig(conditional=conditional)
        testing.check_discriminator(GoodDiscriminator, config, (8, 12))
        testing.check_receptive_field(GoodDiscriminator, config)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (OneLogitTooMany, r"not \(1, 1, h, w\)"),
        (BlindToTheCondition, "another condition changes nothing"),
        (WithoutGradient, "no gradient reaches the picture"),
        (NeedsTwoRows, "accepts 1x2 pixels, but the network fails there: RuntimeError"),
        (FlatFeatures, r"not \(1, C, h, w\)"),
        (FeaturesOfAnotherNumberOfScales, "shown for 2 of 1 scales"),
    ],
)
def test_a_broken_discriminator_is_refused(component: type[GoodDiscriminator], message: str) -> None:
    fails(lambda: testing.check_discriminator(component, DiscriminatorConfig(), (8, 12)), message)


def test_a_wrong_receptive_field_is_refused() -> None:
    fails(
        lambda: testing.check_receptive_field(Exaggerates, DiscriminatorConfig()),
        "receptive_field is 5, but the height of the gradient's footprint is 3",
    )


class GoodLoss(Loss[LossConfig]):
    def generator_loss(self, step: Step) -> Tensor:
        return self.region_mean((step.output - step.target).abs(), step)


class AppliesItsWeight(GoodLoss):
    def generator_loss(self, step: Step) -> Tensor:
        return super().generator_loss(step) * self.config.weight


class OneTermAPicture(GoodLoss):
    def generator_loss(self, step: Step) -> Tensor:
        return (step.output - step.target).abs().mean(dim=(1, 2, 3))


class RewardsErrors(GoodLoss):
    def generator_loss(self, step: Step) -> Tensor:
        return -super().generator_loss(step)


class DividesByTheSkin(GoodLoss):
    def generator_loss(self, step: Step) -> Tensor:
        return ((step.output - step.target).abs() * step.skin).sum() / step.skin.sum()


class CountsEachBatch(GoodLoss):
    """Each batch's pixels of skin are counted on their own, as if batches were alike."""

    def generator_loss(self, step: Step) -> Tensor:
        values = (step.output - step.target).abs() * step.skin
        return values.sum() / (3 * step.skin.sum()).clamp(min=1)


class SpreadOverTheBatch(GoodLoss):
    def generator_loss(self, step: Step) -> Tensor:
        return super().generator_loss(step) + (step.output - step.target).mean((1, 2, 3)).var(correction=0)


class Detached(GoodLoss):
    def generator_loss(self, step: Step) -> Tensor:
        return super().generator_loss(step).detach()


class Trainable(GoodLoss):
    def __init__(self, config: LossConfig, io: LossIO) -> None:
        super().__init__(config, io)
        self.layer = nn.Conv2d(3, 3, 1)


class HasARootAtBlack(GoodLoss):
    def generator_loss(self, step: Step) -> Tensor:
        return super().generator_loss(step) + step.output.sqrt().mean()


class ReadsMemory(GoodLoss):
    def generator_loss(self, step: Step) -> Tensor:
        first = torch.as_strided(step.output, (step.output.numel() // 12,), (1,))
        return super().generator_loss(step) + first.mean()


class SaysItComparesNothing(GoodLoss):
    compares: ClassVar[bool] = False


class SmoothsOnly(GoodLoss):
    compares: ClassVar[bool] = False

    def generator_loss(self, step: Step) -> Tensor:
        return step.output.diff(dim=-1).abs().mean()


class OverflowsInHalves(AdversarialLoss[LossConfig]):
    """Its factor is above the largest float16."""

    def generator_loss(self, step: Step) -> Tensor:
        return -step.judge(step.output).logits[0].mean()

    def discriminator_loss(self, step: Step) -> Tensor:
        real, painted = (step.judge(picture).logits[0] for picture in (step.target, step.output))
        return (painted.mean() - real.mean()) * 1e8


class UpsideDown(AdversarialLoss[LossConfig]):
    def generator_loss(self, step: Step) -> Tensor:
        return -step.judge(step.output).logits[0].mean()

    def discriminator_loss(self, step: Step) -> Tensor:
        real, painted = (step.judge(picture).logits[0] for picture in (step.target, step.output))
        return real.mean() - painted.mean()


@pytest.mark.parametrize("region", ["picture", "skin"])
def test_a_good_loss_passes(region: str) -> None:
    testing.check_loss(GoodLoss, LossConfig.model_validate({"region": region}), (8, 12))


def test_a_loss_that_compares_nothing_passes_where_it_says_so() -> None:
    testing.check_loss(SmoothsOnly, LossConfig(), (8, 12))


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (AppliesItsWeight, "depends on the weight"),
        (OneTermAPicture, "not that of a scalar"),
        (RewardsErrors, "perfect picture costs more"),
        (DividesByTheSkin, "without any skin is not finite"),
        (Detached, "has no gradient"),
        (CountsEachBatch, "is not that of both together"),
        (SpreadOverTheBatch, "is not that of both together"),
        (Trainable, "nothing to train"),
        (UpsideDown, "costs no less than one that is wrong"),
        (HasARootAtBlack, "the gradient of black pictures is not finite"),
        (ReadsMemory, "channels-last"),
        (SaysItComparesNothing, "another target changes the term"),
        (OverflowsInHalves, "discriminator_loss under float16 autocast is not finite"),
    ],
)
def test_a_broken_loss_is_refused(component: type[Loss[LossConfig]], message: str) -> None:
    fails(lambda: testing.check_loss(component, LossConfig(), (8, 12)), message)


class GoodMetric(Metric[MetricConfig]):
    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def __init__(self, config: MetricConfig, io: MetricIO) -> None:
        super().__init__(config, io)
        self.seen: list[Tensor] = []

    def update(self, output: Tensor, target: Tensor, skin: Tensor) -> Tensor | None:
        errors = (output - target).abs().detach()
        region = skin if self.io.region == "skin" else torch.ones_like(skin)
        values = (errors * region).sum(dim=(1, 2, 3)) / region.sum(dim=(1, 2, 3))
        self.seen.append(values)
        return values

    def compute(self) -> float:
        return float(torch.cat(self.seen).nanmean()) if self.seen else float("nan")

    def reset(self) -> None:
        self.seen = []


class WrongDirection(GoodMetric):
    direction: ClassVar[Literal["higher", "lower"]] = "higher"


class Remembers(GoodMetric):
    def reset(self) -> None:
        self.seen = self.seen[:1]


class CountsBatches(GoodMetric):
    def compute(self) -> float:
        return super().compute() / max(len(self.seen), 1)


class ZeroWithoutSkin(GoodMetric):
    def update(self, output: Tensor, target: Tensor, skin: Tensor) -> Tensor | None:
        values = super().update(output, target, skin)
        return None if values is None else values.nan_to_num()


class MeanOfTheBatch(GoodMetric):
    def update(self, output: Tensor, target: Tensor, skin: Tensor) -> Tensor | None:
        values = super().update(output, target, skin)
        return None if values is None else values.mean()


def test_a_good_metric_passes() -> None:
    testing.check_metric(GoodMetric, MetricConfig(), (8, 12))


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (WrongDirection, "higher is better"),
        (Remembers, "picture by picture|after reset"),
        (CountsBatches, "picture by picture"),
        (ZeroWithoutSkin, "without skin must be NaN"),
        (MeanOfTheBatch, "not one value for each"),
    ],
)
def test_a_broken_metric_is_refused(component: type[GoodMetric], message: str) -> None:
    fails(lambda: testing.check_metric(component, MetricConfig(), (8, 12)), message)


class GoodDataset(Dataset[ComponentConfig]):
    def names(self) -> list[str]:
        return ["a", "b"]

    def load(self, name: str) -> Sample:
        picture = np.full((*self.io.size, 3), ord(name), np.uint8)
        mask = np.ones(self.io.size, bool)
        white = np.full_like(picture, 255)
        return Sample(name, {wanted: white for wanted in self.io.inputs}, picture, mask, mask)

    def fingerprint(self) -> str:
        return "0" * 64


class NamedTwice(GoodDataset):
    def names(self) -> list[str]:
        return ["a", "a"]


class WithoutSkin(GoodDataset):
    def load(self, name: str) -> Sample:
        return replace(super().load(name), skin=None)


class OwnSize(GoodDataset):
    def load(self, name: str) -> Sample:
        small = GoodDataset(self.config, DatasetIO((4, 4), self.io.inputs)).load(name)
        return replace(small, kept=super().load(name).kept, skin=super().load(name).skin)


class Flickers(GoodDataset):
    def load(self, name: str) -> Sample:
        sample = super().load(name)
        noise = np.random.default_rng().integers(0, 256, sample.target.shape, np.uint8)
        return replace(sample, target=noise)


class GrayMask(GoodDataset):
    def load(self, name: str) -> Sample:
        sample = super().load(name)
        return replace(sample, inputs={wanted: sample.target for wanted in self.io.inputs})


class ShortFingerprint(GoodDataset):
    def fingerprint(self) -> str:
        return "abc"


class StrangeSamples(GoodDataset):
    def sample_fingerprints(self) -> dict[str, str]:
        return {"nobody": "0"}


class NumbersForHashes(GoodDataset):
    def sample_fingerprints(self) -> dict[str, Any]:
        return dict.fromkeys(self.names(), 1)


class OtherHashes(GoodDataset):
    def sample_fingerprints(self) -> dict[str, str]:
        return {name: str(id(self)) for name in self.names()}


def test_a_good_dataset_passes() -> None:
    testing.check_dataset(GoodDataset, ComponentConfig())


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (NamedTwice, "has a name twice"),
        (WithoutSkin, "has no skin region"),
        (OwnSize, r"not uint8 \(64, 48, 3\)"),
        (Flickers, "is another a second time"),
        (GrayMask, "is not a mask"),
        (ShortFingerprint, "not a SHA-256"),
        (StrangeSamples, "names a sample that names"),
        (NumbersForHashes, "is not a text"),
        (OtherHashes, r"sample_fingerprints\(\) differs"),
    ],
)
def test_a_broken_dataset_is_refused(component: type[GoodDataset], message: str) -> None:
    fails(lambda: testing.check_dataset(component, ComponentConfig()), message)


class WithKeypoints(GoodDataset):
    def load(self, name: str) -> Sample:
        return replace(super().load(name), keypoints=Keypoints(np.ones((25, 3), np.float32)))


class OtherKeypoints(GoodDataset):
    def load(self, name: str) -> Sample:
        points = np.random.default_rng().random((25, 3), np.float32)
        return replace(super().load(name), keypoints=Keypoints(points))


def test_keypoints_are_asked_for() -> None:
    testing.check_dataset(WithKeypoints, ComponentConfig(), needs_keypoints=True)
    fails(
        lambda: testing.check_dataset(GoodDataset, ComponentConfig(), needs_keypoints=True),
        "needs_keypoints, but sample a has none",
    )
    fails(
        lambda: testing.check_dataset(OtherKeypoints, ComponentConfig(), needs_keypoints=True),
        "is another a second time",
    )


class Moving(AugmentationConfig):
    geometric: ClassVar[bool] = True


class Darkens(Augmentation[AugmentationConfig]):
    def __call__(self, batch: Batch) -> Batch:
        chosen = torch.rand(len(batch.names)) < self.config.probability
        factor = torch.where(chosen, torch.rand(len(batch.names)), 1)[:, None, None, None]
        person = (batch.kept + batch.skin).clamp(max=1)
        target = batch.target * (1 - person * (1 - factor))
        apparel = torch.where(batch.kept > 0.5, target, 1)
        return replace(batch, inputs={**batch.inputs, APPAREL: apparel}, target=target)


class WorksInPlace(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        batch.target.mul_(0.5)
        return batch


class DrawsElsewhere(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        if self.config.probability == 0:
            return batch
        factor = float(np.random.default_rng().random())
        target = torch.where(batch.kept > 0.5, batch.target * factor, batch.target)
        apparel = torch.where(batch.kept > 0.5, target, 1)
        return replace(batch, inputs={**batch.inputs, APPAREL: apparel}, target=target)


class AlwaysTheSame(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return batch


class AlwaysDoes(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        sure = self.config.model_copy(update={"probability": 1.0})
        return Darkens(sure, self.io)(batch)


class TooBright(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return replace(batch, target=batch.target * 1.5)


class InputAlone(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return replace(super().__call__(batch), target=batch.target)


class GrayBackground(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        changed = super().__call__(batch)
        return replace(changed, inputs={**changed.inputs, APPAREL: changed.inputs[APPAREL] * 0.9})


class SoftMask(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return replace(batch, skin=batch.skin * 0.5)


class KeepsSkin(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return replace(batch, kept=torch.ones_like(batch.kept))


class LosesTheFace(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return replace(batch, inputs={name: each for name, each in batch.inputs.items() if name != FACE})


class SkinInput(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return replace(batch, inputs={**batch.inputs, SKIN: torch.zeros_like(batch.target)})


class MindsTheFormat(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        dense = batch.target.is_contiguous()
        return super().__call__(batch) if dense or self.config.probability < 1 else batch


class Lowers(Augmentation[Moving]):
    """Moves everything down by one or two pixels; nothing is near the border."""

    def __call__(self, batch: Batch) -> Batch:
        shifts = torch.randint(1, 3, (len(batch.names),)) * (
            torch.rand(len(batch.names)) < self.config.probability
        )

        def lower(pictures: Tensor) -> Tensor:
            rolled = [each.roll(int(by), 1) for each, by in zip(pictures, shifts, strict=True)]
            return torch.stack(rolled)

        moved = replace(
            batch,
            inputs={name: lower(each) for name, each in batch.inputs.items()},
            target=lower(batch.target),
            skin=lower(batch.skin),
            kept=lower(batch.kept),
        )
        if batch.keypoints is None:
            return moved
        points = batch.keypoints.clone()
        points[..., 1] = torch.where(points[..., 2] > 0, points[..., 1] + self.step(shifts)[:, None], 0)
        return self.draw(replace(moved, keypoints=points))

    def step(self, shifts: Tensor) -> Tensor:
        return shifts

    def draw(self, batch: Batch) -> Batch:
        return with_pose(batch, batch.keypoints)


class LeavesThePose(Lowers):
    def step(self, shifts: Tensor) -> Tensor:
        return shifts * 0


class RaisesThePose(Lowers):
    def step(self, shifts: Tensor) -> Tensor:
        return -shifts


class DrawsNoPose(Lowers):
    def draw(self, batch: Batch) -> Batch:
        return replace(batch, inputs={**batch.inputs, LINE: torch.zeros_like(batch.target)})


class DrawsSkeletonsAlone(Lowers):
    def draw(self, batch: Batch) -> Batch:
        drawn = with_pose(replace(batch, line_styles=()), batch.keypoints)
        return replace(drawn, line_styles=batch.line_styles)


class DrawsNoHeatMaps(Lowers):
    def draw(self, batch: Batch) -> Batch:
        drawn = super().draw(batch)
        return replace(drawn, inputs={**drawn.inputs, HEATMAPS: torch.zeros_like(drawn.inputs[HEATMAPS])})


class NeedsThePose(Lowers):
    def __call__(self, batch: Batch) -> Batch:
        changed = super().__call__(batch)
        return changed if batch.keypoints is not None else replace(changed, keypoints=torch.zeros(8, 25, 3))


def test_good_augmentations_pass() -> None:
    testing.check_augmentation(Darkens, AugmentationConfig(), (32, 40))
    testing.check_augmentation(Lowers, Moving(), (32, 40))


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (WorksInPlace, "the batch that it was given is changed: target"),
        (DrawsElsewhere, "two results under one seed differ"),
        (AlwaysTheSame, "another seed gives the same"),
        (AlwaysDoes, "probability of 0 changes something"),
        (TooBright, r"target leaves \[0, 1\]"),
        (InputAlone, "shows something else than the target"),
        (GrayBackground, "not white where nothing is kept"),
        (SoftMask, "skin is not a mask any more"),
        (KeepsSkin, "kept and skin overlap"),
        (LosesTheFace, "went in"),
        (SkinInput, "segmentation_skin is not the skin"),
        (MindsTheFormat, "channels-last"),
        (Lowers, "geometric is False, but keypoints changes"),
    ],
)
def test_a_broken_augmentation_is_refused(component: type[Augmentation[Any]], message: str) -> None:
    fails(lambda: testing.check_augmentation(component, AugmentationConfig(), (32, 40)), message)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (LeavesThePose, "the keypoints stay where they are"),
        (RaisesThePose, "keypoints move apart"),
        (DrawsNoPose, "line is not the drawing of the keypoints"),
        (DrawsSkeletonsAlone, "line is not the drawing of the keypoints"),
        (DrawsNoHeatMaps, "heatmaps is not the drawing of the keypoints"),
        (NeedsThePose, "went in"),
    ],
)
def test_a_broken_move_is_refused(component: type[Augmentation[Any]], message: str) -> None:
    fails(lambda: testing.check_augmentation(component, Moving(), (32, 40)), message)


PHOTO = Photo(np.full((8, 6, 3), 200, np.uint8))


class GoodSegmenter(Segmenter[ComponentConfig]):
    def segment(self, photo: Photo) -> Segmentation:
        labels = np.zeros(photo.size, np.uint8)
        labels[2:6, 2:4] = 1
        return Segmentation(labels, ("nothing", "arm"), {"background": ("nothing",), "skin": ("arm",)})


class OwnLabelSize(GoodSegmenter):
    def segment(self, photo: Photo) -> Segmentation:
        found = super().segment(photo)
        return Segmentation(found.labels[1:], found.classes, found.regions)


class NobodyThere(GoodSegmenter):
    def segment(self, photo: Photo) -> Segmentation:
        found = super().segment(photo)
        return Segmentation(np.zeros_like(found.labels), found.classes, found.regions)


class TellsOnlySkin(GoodSegmenter):
    def segment(self, photo: Photo) -> Segmentation:
        found = super().segment(photo)
        return Segmentation(found.labels, found.classes, {"skin": ("arm",)})


class FindsNoSkin(TellsOnlySkin):
    def segment(self, photo: Photo) -> Segmentation:
        found = super().segment(photo)
        return Segmentation(np.zeros_like(found.labels), found.classes, found.regions)


class PaintsOnThePhoto(GoodSegmenter):
    def segment(self, photo: Photo) -> Segmentation:
        photo.pixels[0] = 0
        return super().segment(photo)


class InventsSources(GoodSegmenter):
    def sources(self, photo: Path) -> tuple[Path, ...]:
        return (photo.with_name("nowhere.png"),)


@pytest.mark.parametrize("component", [GoodSegmenter, TellsOnlySkin])
def test_a_good_segmenter_passes(component: type[GoodSegmenter]) -> None:
    testing.check_segmenter(component, ComponentConfig(), PHOTO)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (OwnLabelSize, "the label map has the size"),
        (NobodyThere, "no person"),
        (FindsNoSkin, "no person"),
        (PaintsOnThePhoto, "changes the photo"),
        (InventsSources, "nowhere.png"),
    ],
)
def test_a_broken_segmenter_is_refused(component: type[GoodSegmenter], message: str, tmp_path: Path) -> None:
    photo = Photo(PHOTO.pixels.copy(), tmp_path / "photo.png")
    fails(lambda: testing.check_segmenter(component, ComponentConfig(), photo), message)


class GoodPoseEncoder(PoseEncoder[PoseEncoderConfig]):
    def people(self, photo: Photo) -> list[Keypoints]:
        points = np.zeros((25, 3), np.float32)
        points[0], points[1] = (3, 2, 0.9), (3, 6, 0.8)
        return [Keypoints(points)]


class FindsNobody(GoodPoseEncoder):
    def people(self, photo: Photo) -> list[Keypoints]:
        return []


class TooSure(GoodPoseEncoder):
    def people(self, photo: Photo) -> list[Keypoints]:
        points = np.full((25, 3), 2, np.float32)
        return [Keypoints(points)]


class PlacesAbsentPoints(GoodPoseEncoder):
    def people(self, photo: Photo) -> list[Keypoints]:
        points = np.ones((25, 3), np.float32)
        points[5:, 2] = 0
        return [Keypoints(points)]


class DrawsNothing(GoodPoseEncoder):
    def draw(self, keypoints: Keypoints, size: Size) -> np.ndarray:
        return np.zeros((*size, 3), np.uint8)


def test_a_good_pose_encoder_passes() -> None:
    testing.check_pose_encoder(GoodPoseEncoder, PoseEncoderConfig(), PHOTO)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (FindsNobody, "nobody was found"),
        (TooSure, r"leaves \[0, 1\]"),
        (PlacesAbsentPoints, "is not 0, 0, 0"),
        (DrawsNothing, "all black"),
    ],
)
def test_a_broken_pose_encoder_is_refused(component: type[GoodPoseEncoder], message: str) -> None:
    fails(lambda: testing.check_pose_encoder(component, PoseEncoderConfig(), PHOTO), message)


class Documented(GeneratorConfig):
    """A configuration whose field says nothing."""

    silent: int = Field(default=1)


class Changeable(GeneratorConfig):
    """A configuration that does not come back from its JSON as it was."""

    names: frozenset[str] = Field(default=frozenset(), exclude=True, description="left out when written")


class Abstract(Generator[GeneratorConfig]):
    """A generator without forward."""


class Plain(GoodGenerator):
    """A generator that does all it must."""


def registry(target: str, config: str, kind: str = "generator") -> Registry:
    found = Registry()
    rows: dict[str, Any] = {"kind": kind, "name": "thing", "summary": "A thing."}
    rows |= {"target": f"{__name__}:{target}", "config": f"{__name__}:{config}"}
    lines = [f'{key} = "{value}"' for key, value in rows.items()]
    found.add_manifest("[[component]]\n" + "\n".join(lines), "test 1")
    assert not found.problems
    return found


@pytest.mark.parametrize(
    ("target", "config", "kind", "message"),
    [
        ("GoodGenerator", "GeneratorConfig", "generator", "GoodGenerator has no docstring"),
        ("Plain", "Documented", "generator", "no description: silent"),
        ("Abstract", "GeneratorConfig", "generator", "methods are missing: forward"),
        ("Plain", "GeneratorConfig", "loss", "is not a subclass of Loss"),
        ("Plain", "LossConfig", "generator", "is not a subclass of GeneratorConfig"),
    ],
)
def test_a_broken_entry_is_refused(target: str, config: str, kind: str, message: str) -> None:
    fails(lambda: testing.check_component(registry(target, config, kind), kind, "thing"), message)


def test_a_configuration_that_loses_something_is_refused() -> None:
    testing.check_config(Changeable())
    fails(lambda: testing.check_config(Changeable(names=frozenset({"a"}))), "comes back from JSON as another")
