"""The contract checks themselves: each rejects a component that breaks its contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pydantic
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from skinfw import hookimpl, testing
from skinfw.components.config import (
    AugmentationConfig,
    ComponentConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    InputConfig,
    LossConfig,
    MetricConfig,
    PoseEncoderConfig,
    SegmentationLossConfig,
    Size,
    SizeRequirement,
)
from skinfw.components.field_names import APPAREL, BODY, FACE, HEATMAPS, KEEP, KEYPOINTS, LINE, MASK, SKIN
from skinfw.components.registry import Registry
from skinfw.data.batch import Batch
from skinfw.data.classes import UNKNOWN
from skinfw.data.field_types import Field, FieldType
from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import SampleParts
from skinfw.data.photo import Photo
from skinfw.data.pixel_types import (
    APPAREL_TYPE,
    BODY_TYPE,
    INPAINTING_MASK_TYPE,
    KEEP_TYPE,
    SKIN_TYPE,
    ImageType,
    MaskType,
    image_tensor,
)
from skinfw.data.pose_types import DrawnType, HeatMapsType, KeypointsType, PoseMapType
from skinfw.data.sample import Sample
from skinfw.data.sample_folder import FolderParts
from skinfw.data.segmentation import Segmentation
from skinfw.interfaces import (
    AdversarialLoss,
    Augmentation,
    Dataset,
    Discriminator,
    DiscriminatorIO,
    DiscriminatorOutput,
    Generator,
    GeneratorIO,
    Input,
    Loss,
    LossContext,
    LossIO,
    Metric,
    MetricIO,
    PoseEncoder,
    SegmentationLoss,
    Segmenter,
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
    def prepare_training(self) -> None:  # type: ignore[override]
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
        self.near_duplicate = nn.Conv2d(3, 3, 1)
        self.near_duplicate.weight = self.again.weight
        self.register_buffer("part", self.again.weight.detach()[:1])

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        return self.near_duplicate(self.again(super().forward(condition))).sigmoid()  # type: ignore[no-any-return]


class KeepsAnObject(GoodGenerator):
    def get_extra_state(self) -> object:
        return {"images": 3}

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


class AnotherShapeInTraining(GoodGenerator):
    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        painted = super().forward(condition)
        return painted if target is None else painted[..., 1:]


class CopiesTheTarget(GoodGenerator):
    """What it learns from directly may be in its image, as in a denoised one."""

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        painted = super().forward(condition)
        return painted if target is None else (painted + target) / 2


def test_a_good_generator_passes() -> None:
    testing.check_generator(GoodGenerator, GeneratorConfig(), (8, 12))


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (OutOfRange, r"not in \[0, 1\]"),
        (WrongShape, "has the shape"),
        (NotFinite, "not finite"),
        (OldPreparation, "must take the data alone: too many positional"),
        (Random, "two different images"),
        (MixesTheBatch, "depends on the rest"),
        (UnusedParameter, "idle gets no gradient"),
        (ForgetsState, "after loading the state dict"),
        (KeepsAnObject, "no checkpoint can be written: _extra_state of the state dict has the type dict"),
        (ChangesItsInput, "changes the condition"),
        (ClaimsUnconditional, "conditional is False"),
        (IgnoresNoise, "other noise changes nothing"),
        (NeedsEvenSides, "accepts 1x2 pixels, but the network fails with it: RuntimeError"),
        (AnotherShapeInTraining, "in training mode, with the target has the shape"),
    ],
)
def test_a_broken_generator_is_refused(component: type[GoodGenerator], message: str) -> None:
    fails(lambda: testing.check_generator(component, GeneratorConfig(), (8, 12)), message)


def test_a_generator_that_learns_from_the_target_directly_passes() -> None:
    testing.check_generator(CopiesTheTarget, GeneratorConfig(), (8, 12))


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

    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        seen = image if condition is None else torch.cat([image, condition], dim=1)
        return DiscriminatorOutput((self.layer(seen),))


class OneLogitTooMany(GoodDiscriminator):
    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return DiscriminatorOutput((super().forward(image, condition).logits[0].expand(-1, 2, -1, -1),))


class BlindToTheCondition(GoodDiscriminator):
    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return super().forward(image, None if condition is None else torch.zeros_like(condition))


class WithoutGradient(GoodDiscriminator):
    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return super().forward(image.detach(), condition)


class NeedsTwoRows(GoodDiscriminator):
    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return DiscriminatorOutput(
            (nn.functional.avg_pool2d(super().forward(image, condition).logits[0], 2),)
        )


class FlatFeatures(GoodDiscriminator):
    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return replace(super().forward(image, condition), features=((image.flatten(1),),))


class FeaturesOfAnotherNumberOfScales(GoodDiscriminator):
    def forward(self, image: Tensor, condition: Tensor | None = None) -> DiscriminatorOutput:
        return replace(super().forward(image, condition), features=((image,), (image,)))


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
        (WithoutGradient, "no gradient reaches the image"),
        (NeedsTwoRows, "accepts 1x2 pixels, but the network fails with it: RuntimeError"),
        (FlatFeatures, r"not \(1, C, h, w\)"),
        (FeaturesOfAnotherNumberOfScales, "features of 2 scales for 1 logits"),
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
    def generator_loss(self, context: LossContext) -> Tensor:
        return self.region_mean((context.output - context.target).abs(), context)


class AppliesItsWeight(GoodLoss):
    def generator_loss(self, context: LossContext) -> Tensor:
        return super().generator_loss(context) * self.config.weight


class OneTermPerImage(GoodLoss):
    def generator_loss(self, context: LossContext) -> Tensor:
        return (context.output - context.target).abs().mean(dim=(1, 2, 3))


class RewardsErrors(GoodLoss):
    def generator_loss(self, context: LossContext) -> Tensor:
        return -super().generator_loss(context)


class DividesByTheRegion(GoodLoss):
    def generator_loss(self, context: LossContext) -> Tensor:
        region = context.fields[SKIN]
        return ((context.output - context.target).abs() * region).sum() / region.sum()


class CountsEachBatch(GoodLoss):
    """Each batch's pixels of skin are counted on their own, as if batches were alike."""

    def generator_loss(self, context: LossContext) -> Tensor:
        region = context.fields[SKIN]
        values = (context.output - context.target).abs() * region
        return values.sum() / (3 * region.sum()).clamp(min=1)


class SpreadOverTheBatch(GoodLoss):
    def generator_loss(self, context: LossContext) -> Tensor:
        means = (context.output - context.target).mean((1, 2, 3))
        return super().generator_loss(context) + means.var(correction=0)


class Detached(GoodLoss):
    def generator_loss(self, context: LossContext) -> Tensor:
        return super().generator_loss(context).detach()


class Trainable(GoodLoss):
    def __init__(self, config: LossConfig, io: LossIO) -> None:
        super().__init__(config, io)
        self.layer = nn.Conv2d(3, 3, 1)


class HasARootAtBlack(GoodLoss):
    def generator_loss(self, context: LossContext) -> Tensor:
        return super().generator_loss(context) + context.output.sqrt().mean()


class ReadsMemory(GoodLoss):
    def generator_loss(self, context: LossContext) -> Tensor:
        first = torch.as_strided(context.output, (context.output.numel() // 12,), (1,))
        return super().generator_loss(context) + first.mean()


class SaysItComparesNothing(GoodLoss):
    compares: ClassVar[bool] = False


class SmoothsOnly(GoodLoss):
    compares: ClassVar[bool] = False

    def generator_loss(self, context: LossContext) -> Tensor:
        return context.output.diff(dim=-1).abs().mean()


class OverflowsInHalves(AdversarialLoss[LossConfig]):
    """Its factor is above the largest float16."""

    def generator_loss(self, context: LossContext) -> Tensor:
        return -context.discriminate(context.output).logits[0].mean()

    def discriminator_loss(self, context: LossContext) -> Tensor:
        real, painted = (context.discriminate(each).logits[0] for each in (context.target, context.output))
        return (painted.mean() - real.mean()) * 1e8


class UpsideDown(AdversarialLoss[LossConfig]):
    def generator_loss(self, context: LossContext) -> Tensor:
        return -context.discriminate(context.output).logits[0].mean()

    def discriminator_loss(self, context: LossContext) -> Tensor:
        real, painted = (context.discriminate(each).logits[0] for each in (context.target, context.output))
        return real.mean() - painted.mean()


@pytest.mark.parametrize("region", ["image", "skin", "hands"])
def test_a_good_loss_passes(region: str) -> None:
    testing.check_loss(GoodLoss, LossConfig.model_validate({"region": region}), (8, 12))


def test_a_loss_that_compares_nothing_passes_where_it_says_so() -> None:
    testing.check_loss(SmoothsOnly, LossConfig(), (8, 12))


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (AppliesItsWeight, "depends on the weight"),
        (OneTermPerImage, "not that of a scalar"),
        (RewardsErrors, "perfect image has a higher loss"),
        (Detached, "has no gradient"),
        (SpreadOverTheBatch, "is not that of both together"),
        (Trainable, "must not be trainable"),
        (UpsideDown, "has no lower loss than a wrong one"),
        (HasARootAtBlack, "the gradient of black images is not finite"),
        (ReadsMemory, "channels-last"),
        (SaysItComparesNothing, "another target changes the term"),
        (OverflowsInHalves, "discriminator_loss under float16 autocast is not finite"),
    ],
)
def test_a_broken_loss_is_refused(component: type[Loss[LossConfig]], message: str) -> None:
    fails(lambda: testing.check_loss(component, LossConfig(), (8, 12)), message)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (DividesByTheRegion, "with an empty region is not finite"),
        (CountsEachBatch, "is not that of both together"),
    ],
)
def test_a_loss_that_breaks_on_its_region_is_refused(component: type[GoodLoss], message: str) -> None:
    fails(lambda: testing.check_loss(component, LossConfig(region="skin"), (8, 12)), message)


class GoodMetric(Metric[MetricConfig]):
    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def __init__(self, config: MetricConfig, io: MetricIO) -> None:
        super().__init__(config, io)
        self.seen: list[Tensor] = []

    def update(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor | None:
        errors = (output - target).abs().detach()
        counted = torch.ones_like(target[:, :1]) if region is None else region
        values = (errors * counted).sum(dim=(1, 2, 3)) / counted.sum(dim=(1, 2, 3))
        self.seen.append(values)
        return values

    def compute(self) -> float:
        return float(torch.cat(self.seen).nanmean()) if self.seen else float("nan")


class WrongDirection(GoodMetric):
    direction: ClassVar[Literal["higher", "lower"]] = "higher"


class SharesWhatItSaw(GoodMetric):
    everything: ClassVar[list[Tensor]] = []

    def __init__(self, config: MetricConfig, io: MetricIO) -> None:
        super().__init__(config, io)
        self.seen = self.everything


class CountsBatches(GoodMetric):
    def compute(self) -> float:
        return super().compute() / max(len(self.seen), 1)


class LooksEverywhere(GoodMetric):
    def update(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor | None:
        return super().update(output, target, None)


class ZeroInAnEmptyRegion(GoodMetric):
    def update(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor | None:
        values = super().update(output, target, region)
        return None if values is None else values.nan_to_num()


class MeanOfTheBatch(GoodMetric):
    def update(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor | None:
        values = super().update(output, target, region)
        return None if values is None else values.mean()


class Added(GoodMetric):
    def added(self) -> list[Tensor]:
        return self.seen

    def add(self, added: list[Tensor]) -> None:
        self.seen = [*self.seen, *added]


class ForgetsItsOwn(Added):
    def add(self, added: list[Tensor]) -> None:
        self.seen = added


@pytest.mark.parametrize("component", [GoodMetric, Added])
def test_a_good_metric_passes(component: type[GoodMetric]) -> None:
    testing.check_metric(component, MetricConfig(regions=("image", "skin", "hands")), (8, 12))


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (WrongDirection, "higher is better"),
        (SharesWhatItSaw, "for single images"),
        (CountsBatches, "for single images"),
        (LooksEverywhere, "with an empty region must be NaN"),
        (ZeroInAnEmptyRegion, "with an empty region must be NaN"),
        (MeanOfTheBatch, "not one value for each"),
        (ForgetsItsOwn, "for two parts that are added"),
    ],
)
def test_a_broken_metric_is_refused(component: type[GoodMetric], message: str) -> None:
    fails(lambda: testing.check_metric(component, MetricConfig(), (8, 12)), message)


def test_a_metric_is_checked_on_every_region_that_its_configuration_names() -> None:
    def check(*regions: str) -> None:
        testing.check_metric(LooksEverywhere, MetricConfig(regions=regions), (8, 12))

    check("image")
    fails(lambda: check("image", "mask"), "with an empty region must be NaN")


class GoodDataset(Dataset[ComponentConfig]):
    def names(self) -> list[str]:
        return ["a", "b"]

    def load(self, name: str) -> Sample:
        image = np.full((*self.io.size, 3), ord(name), np.uint8)
        mask = np.ones(self.io.size, bool)
        fields = {
            APPAREL: Field(APPAREL_TYPE, np.full_like(image, 255)),
            BODY: Field(BODY_TYPE, image),
            KEEP: Field(KEEP_TYPE, mask),
            MASK: Field(INPAINTING_MASK_TYPE, ~mask),
            SKIN: Field(SKIN_TYPE, mask),
            FACE: Field(MaskType(), ~mask),
        }
        return Sample(name, fields)

    def fingerprint(self) -> str:
        return "0" * 64


def other(sample: Sample, name: str, value: Any, kind: FieldType | None = None) -> Sample:
    """Return a sample in which one field has another value, and another type where one is named."""
    return replace(sample, fields={**sample.fields, name: Field(kind or sample.fields[name].type, value)})


def lacking(sample: Sample, name: str) -> Sample:
    """Return a sample without one of its fields."""
    return replace(sample, fields={each: field for each, field in sample.fields.items() if each != name})


class NamedTwice(GoodDataset):
    def names(self) -> list[str]:
        return ["a", "a"]


class WithoutSkin(GoodDataset):
    def load(self, name: str) -> Sample:
        return lacking(super().load(name), SKIN)


class WithoutWhatIsOptional(GoodDataset):
    def load(self, name: str) -> Sample:
        return lacking(super().load(name), FACE)


class WithoutMask(GoodDataset):
    def load(self, name: str) -> Sample:
        return lacking(super().load(name), MASK)


class KeepsNothing(GoodDataset):
    def load(self, name: str) -> Sample:
        return other(super().load(name), KEEP, np.zeros(self.io.size, bool))


class OwnSize(GoodDataset):
    def load(self, name: str) -> Sample:
        return other(super().load(name), BODY, np.zeros((4, 4, 3), np.uint8))


class Flickers(GoodDataset):
    def load(self, name: str) -> Sample:
        sample = super().load(name)
        noise = np.random.default_rng().integers(0, 256, sample[BODY].shape, np.uint8)
        return other(sample, BODY, noise)


class GrayMask(GoodDataset):
    def load(self, name: str) -> Sample:
        return other(super().load(name), SKIN, np.full(self.io.size, 100, np.uint8))


class SkinAsAnImage(GoodDataset):
    def load(self, name: str) -> Sample:
        sample = super().load(name)
        return other(sample, SKIN, sample[BODY], ImageType())


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
        (NamedTwice, "has a duplicate name"),
        (WithoutSkin, "lacks segmentation_skin"),
        (WithoutWhatIsOptional, "sample a lacks face"),
        (WithoutMask, "lacks mask"),
        (KeepsNothing, "keeps nothing"),
        (OwnSize, r"body of a is uint8 \(4, 4, 3\), not uint8 of \(64, 48\)"),
        (Flickers, "differs the second time: body"),
        (GrayMask, r"segmentation_skin of a is uint8 \(64, 48\), not bool of \(64, 48\)"),
        (SkinAsAnImage, "segmentation_skin of a is not a mask"),
        (ShortFingerprint, "not a SHA-256"),
        (StrangeSamples, "has a sample that is not in names"),
        (NumbersForHashes, "is not a string"),
        (OtherHashes, r"sample_fingerprints\(\) differs"),
    ],
)
def test_a_broken_dataset_is_refused(component: type[GoodDataset], message: str) -> None:
    fails(lambda: testing.check_dataset(component, ComponentConfig()), message)


class WithKeypoints(GoodDataset):
    def load(self, name: str) -> Sample:
        return other(super().load(name), KEYPOINTS, Keypoints(np.ones((25, 3), np.float32)), KeypointsType())


class OtherKeypoints(WithKeypoints):
    def load(self, name: str) -> Sample:
        points = np.random.default_rng().random((25, 3), np.float32)
        return other(super().load(name), KEYPOINTS, Keypoints(points))


class BarePoints(WithKeypoints):
    def load(self, name: str) -> Sample:
        return other(super().load(name), KEYPOINTS, np.ones((25, 3), np.float32))


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (GoodDataset, "sample a lacks keypoints"),
        (OtherKeypoints, "differs the second time: keypoints"),
        (BarePoints, "is a ndarray, not Keypoints"),
    ],
)
def test_keypoints_are_asked_for(component: type[GoodDataset], message: str) -> None:
    testing.check_dataset(WithKeypoints, ComponentConfig(), needs_keypoints=True)
    fails(lambda: testing.check_dataset(component, ComponentConfig(), needs_keypoints=True), message)


class WithHeatMaps(GoodDataset):
    maps: ClassVar[int] = 25

    def load(self, name: str) -> Sample:
        maps = np.zeros((*self.io.size, self.maps), np.uint8)
        return other(super().load(name), HEATMAPS, maps, HeatMapsType())


class OneMapTooFew(WithHeatMaps):
    maps: ClassVar[int] = 24


def test_channels_of_an_input_are_counted() -> None:
    inputs = ("apparel_head_foot", "heatmaps")
    testing.check_dataset(WithHeatMaps, ComponentConfig(), inputs=inputs)
    fails(
        lambda: testing.check_dataset(OneMapTooFew, ComponentConfig(), inputs=inputs),
        "heatmaps of a has 24 channels; its configuration says 25",
    )


class GoodInput(Input[InputConfig]):
    missing: ClassVar[str] = "nothing is there"

    def read(self, parts: SampleParts) -> Field | None:
        return Field(ImageType(), parts.apparel)


class SaysNothing(GoodInput):
    missing: ClassVar[str] = ""


class FindsNothing(GoodInput):
    def read(self, parts: SampleParts) -> Field | None:
        return None


class SkinMask(GoodInput):
    def read(self, parts: SampleParts) -> Field | None:
        return Field(MaskType(), parts.mask(SKIN))


class DrawnPose(GoodInput):
    def read(self, parts: SampleParts) -> Field | None:
        return Field(PoseMapType(), parts.image(LINE))


class OtherEachTime(GoodInput):
    def read(self, parts: SampleParts) -> Field | None:
        return Field(ImageType(), np.random.default_rng().integers(0, 256, (*parts.size, 3), np.uint8))


class Bright(ImageType):
    def condition(self, tensor: Tensor) -> Tensor:
        return tensor * 255


class ShowsBytes(GoodInput):
    def read(self, parts: SampleParts) -> Field | None:
        return Field(Bright(), parts.apparel)


class Endless(ImageType):
    def condition(self, tensor: Tensor) -> Tensor:
        return tensor / 0


class ShowsInfinity(GoodInput):
    def read(self, parts: SampleParts) -> Field | None:
        return Field(Endless(), parts.apparel)


class MaskConfig(InputConfig):
    is_mask: ClassVar[bool] = True


class PoseConfig(InputConfig):
    shows_pose: ClassVar[bool] = True


class GrayConfig(InputConfig):
    @property
    def channels(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("component", "config"), [(GoodInput, InputConfig), (SkinMask, MaskConfig), (DrawnPose, PoseConfig)]
)
def test_a_good_input_passes(component: type[GoodInput], config: type[InputConfig]) -> None:
    testing.check_input(component, config())


@pytest.mark.parametrize(
    ("component", "config", "message"),
    [
        (SaysNothing, InputConfig, "missing is empty"),
        (FindsNothing, InputConfig, "read returns None"),
        (GoodInput, MaskConfig, "is_mask is True, but the type is ImageType"),
        (SkinMask, InputConfig, "is_mask is False, but the type is MaskType"),
        (GoodInput, PoseConfig, "shows_pose is True, but the type is ImageType"),
        (DrawnPose, InputConfig, "shows_pose is False, but the type is PoseMapType"),
        (OtherEachTime, InputConfig, "another value the second time"),
        (GoodInput, GrayConfig, r"see the shape \(1, 3, 48, 32\), not \(1, 1, 48, 32\)"),
        (ShowsBytes, InputConfig, r"leaves \[0, 1\]"),
        (ShowsInfinity, InputConfig, "the condition is not finite"),
    ],
)
def test_a_broken_input_is_refused(
    component: type[GoodInput], config: type[InputConfig], message: str
) -> None:
    fails(lambda: testing.check_input(component, config()), message)


class Depth(GoodInput):
    def read(self, parts: SampleParts) -> Field | None:
        image = parts.image("depth")
        return None if image is None else Field(ImageType(), image)


def test_an_input_of_a_file_of_its_own_is_checked_on_a_folder_that_has_it(
    write_samples: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (folder,) = write_samples(tmp_path, ["anna"])
    fails(lambda: testing.check_input(Depth, InputConfig(), FolderParts(folder)), "read returns None")
    (folder / "body.png").rename(folder / "depth.png")
    testing.check_input(Depth, InputConfig(), FolderParts(folder))


class Moving(AugmentationConfig):
    geometric: ClassVar[bool] = True


class Darkens(Augmentation[AugmentationConfig]):
    def __call__(self, batch: Batch) -> Batch:
        chosen = torch.rand(len(batch)) < self.config.probability
        factor = torch.where(chosen, torch.rand(len(batch)), 1)[:, None, None, None]
        person = (batch[KEEP] + batch[SKIN]).clamp(max=1)
        body = batch[BODY] * (1 - person * (1 - factor))
        return batch.updated({APPAREL: torch.where(batch[KEEP] > 0.5, body, 1), BODY: body})


class WorksInPlace(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        batch[BODY].mul_(0.5)
        return batch


class DrawsElsewhere(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        if self.config.probability == 0:
            return batch
        factor = float(np.random.default_rng().random())
        body = torch.where(batch[KEEP] > 0.5, batch[BODY] * factor, batch[BODY])
        return batch.updated({APPAREL: torch.where(batch[KEEP] > 0.5, body, 1), BODY: body})


class AlwaysTheSame(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return batch


class AlwaysDoes(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        sure = self.config.model_copy(update={"probability": 1.0})
        return Darkens(sure, self.io)(batch)


class TooBright(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return batch.updated({BODY: batch[BODY] * 1.5})


class InputAlone(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return super().__call__(batch).updated({BODY: batch[BODY]})


class GrayBackground(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        changed = super().__call__(batch)
        return changed.updated({APPAREL: changed[APPAREL] * 0.9})


class SoftMask(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return batch.updated({SKIN: batch[SKIN] * 0.5})


class KeepsSkin(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return batch.updated({KEEP: torch.ones_like(batch[KEEP])})


class PaintsWhatIsKept(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return batch.updated({MASK: torch.ones_like(batch[MASK])})


class FaceEverywhere(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return batch.updated({FACE: torch.ones_like(batch[FACE])})


class LosesTheFace(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return replace(batch, fields={name: each for name, each in batch.fields.items() if name != FACE})


class MovesTheHole(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        return batch.updated({MASK: torch.zeros_like(batch[MASK])})


class MindsTheFormat(Darkens):
    def __call__(self, batch: Batch) -> Batch:
        dense = batch[BODY].is_contiguous()
        return super().__call__(batch) if dense or self.config.probability < 1 else batch


class Lowers(Augmentation[Moving]):
    """Moves everything down by one or two pixels; nothing is near the border."""

    def __call__(self, batch: Batch) -> Batch:
        shifts = torch.randint(1, 3, (len(batch),)) * (torch.rand(len(batch)) < self.config.probability)

        def lower(images: Tensor) -> Tensor:
            rolled = [each.roll(int(by), 1) for each, by in zip(images, shifts, strict=True)]
            return torch.stack(rolled)

        moved = batch.updated({name: lower(each) for name, each in batch.fields.items() if name != KEYPOINTS})
        if KEYPOINTS not in batch:
            return moved
        points = batch[KEYPOINTS].clone()
        points[..., 1] = torch.where(points[..., 2] > 0, points[..., 1] + self.step(shifts)[:, None], 0)
        return self.draw(moved.updated({KEYPOINTS: points}))

    def step(self, shifts: Tensor) -> Tensor:
        return shifts

    def draw(self, batch: Batch) -> Batch:
        poses = [Keypoints(points) for points in batch[KEYPOINTS].numpy()]
        drawn = {}
        for name, types in batch.types.items():
            if isinstance(types[0], DrawnType):
                pairs = zip(types, poses, strict=True)
                drawn[name] = image_tensor([self.image(kind, pose, batch.size) for kind, pose in pairs])
        return batch.updated(drawn)

    def image(self, kind: FieldType, pose: Keypoints, size: Size) -> np.ndarray:
        assert isinstance(kind, DrawnType)
        image: np.ndarray = kind.draw(pose, size)
        return image


class LeavesThePose(Lowers):
    def step(self, shifts: Tensor) -> Tensor:
        return shifts * 0


class RaisesThePose(Lowers):
    def step(self, shifts: Tensor) -> Tensor:
        return -shifts


class LeavesTheHole(Lowers):
    def __call__(self, batch: Batch) -> Batch:
        moved = super().__call__(batch)
        return moved.updated({MASK: batch[MASK] * (1 - moved[KEEP])})


class DrawsNoPose(Lowers):
    def draw(self, batch: Batch) -> Batch:
        return super().draw(batch).updated({LINE: torch.zeros_like(batch[LINE])})


class DrawsSkeletonsAlone(Lowers):
    def image(self, kind: FieldType, pose: Keypoints, size: Size) -> np.ndarray:
        return super().image(PoseMapType() if isinstance(kind, PoseMapType) else kind, pose, size)


class DrawsNoHeatMaps(Lowers):
    def draw(self, batch: Batch) -> Batch:
        return super().draw(batch).updated({HEATMAPS: torch.zeros_like(batch[HEATMAPS])})


class NeedsThePose(Lowers):
    def __call__(self, batch: Batch) -> Batch:
        changed = super().__call__(batch)
        return changed if KEYPOINTS in batch else changed.updated({KEYPOINTS: torch.zeros(8, 25, 3)})


def test_good_augmentations_pass() -> None:
    testing.check_augmentation(Darkens, AugmentationConfig(), (32, 40))
    testing.check_augmentation(Lowers, Moving(), (32, 40))


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (WorksInPlace, "the input batch is changed: body"),
        (DrawsElsewhere, "two results with the same seed differ"),
        (AlwaysTheSame, "another seed gives the same"),
        (AlwaysDoes, "probability of 0 changes something"),
        (TooBright, r"body leaves \[0, 1\]"),
        (InputAlone, "differs from the target"),
        (GrayBackground, "not white outside the kept pixels"),
        (SoftMask, "segmentation_skin is no longer a mask"),
        (KeepsSkin, "keep and segmentation_skin overlap"),
        (PaintsWhatIsKept, "keep and mask overlap"),
        (FaceEverywhere, "face has pixels that are not kept"),
        (LosesTheFace, "become"),
        (MovesTheHole, "geometric is False, but mask changes"),
        (MindsTheFormat, "channels-last"),
        (Lowers, "geometric is False, but keypoints changes"),
    ],
)
def test_a_broken_augmentation_is_refused(component: type[Augmentation[Any]], message: str) -> None:
    fails(lambda: testing.check_augmentation(component, AugmentationConfig(), (32, 40)), message)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (LeavesThePose, "the keypoints do not move"),
        (RaisesThePose, "keypoints move differently"),
        (LeavesTheHole, "mask and keypoints move differently"),
        (DrawsNoPose, "line is not the drawing of the keypoints"),
        (DrawsSkeletonsAlone, "line is not the drawing of the keypoints"),
        (DrawsNoHeatMaps, "heatmaps is not the drawing of the keypoints"),
        (NeedsThePose, "become"),
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


class GoodSegmentationLoss(SegmentationLoss[SegmentationLossConfig]):
    """The mean cross-entropy of the known pixels."""

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        each = cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="sum")
        return torch.stack([each, (labels != UNKNOWN).sum().float()])

    def value(self, sums: Tensor) -> Tensor:
        return sums[0] / sums[1].clamp(min=1)


class IsAMean(GoodSegmentationLoss):
    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        return super().sums(logits, labels) / len(logits)


class SumsPerImage(GoodSegmentationLoss):
    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        return torch.stack([super().sums(logits, labels)] * len(logits))

    def value(self, sums: Tensor) -> Tensor:
        return super().value(sums[0])


class InFloat64(GoodSegmentationLoss):
    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        return super().sums(logits, labels).double()


class IsNoScalar(GoodSegmentationLoss):
    def value(self, sums: Tensor) -> Tensor:
        return super().value(sums)[None]


class DividesByNothing(GoodSegmentationLoss):
    def value(self, sums: Tensor) -> Tensor:
        return sums[0] / sums[1]


class CountsTheUnknown(GoodSegmentationLoss):
    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        return super().sums(logits, labels.where(labels != UNKNOWN, 0))


class RewardsTheWrong(GoodSegmentationLoss):
    def value(self, sums: Tensor) -> Tensor:
        return -super().value(sums)


def test_a_good_segmentation_loss_passes() -> None:
    testing.check_segmentation_loss(GoodSegmentationLoss, SegmentationLossConfig())


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (IsAMean, "the sums of two batches are not those of both"),
        (SumsPerImage, "different shapes for different batches"),
        (InFloat64, "the sums are torch.float64, not float32"),
        (IsNoScalar, "it must be a scalar"),
        (DividesByNothing, "the value without known pixels"),
        (CountsTheUnknown, "pixels of unknown class change the value"),
        (RewardsTheWrong, "do not have a lower value than those of a wrong one"),
    ],
)
def test_a_broken_segmentation_loss_is_refused(component: type[GoodSegmentationLoss], message: str) -> None:
    fails(lambda: testing.check_segmentation_loss(component, SegmentationLossConfig()), message)


class Documented(GeneratorConfig):
    """A configuration whose field says nothing."""

    silent: int = pydantic.Field(default=1)


class Changeable(GeneratorConfig):
    """A configuration that does not come back from its JSON as it was."""

    names: frozenset[str] = pydantic.Field(
        default=frozenset(), exclude=True, description="left out when written"
    )


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
        ("Plain", "LossConfig", "loss", "is not a subclass of Loss"),
    ],
)
def test_a_broken_entry_is_refused(target: str, config: str, kind: str, message: str) -> None:
    fails(lambda: testing.check_component(registry(target, config, kind), kind, "thing"), message)


def test_a_configuration_that_loses_something_is_refused() -> None:
    testing.check_config(Changeable())
    fails(
        lambda: testing.check_config(Changeable(names=frozenset({"a"}))),
        "changes in a round trip through JSON",
    )


def test_hooks_that_skinfw_does_not_have_are_refused() -> None:
    class Good:
        @hookimpl
        def step_ended(self, step: int) -> None: ...

    class Unmarked:
        def step_ended(self, step: int) -> None: ...

    class Misspelt:
        @hookimpl
        def step_endd(self) -> None: ...

    class Demanding:
        @hookimpl
        def step_ended(self, color: str) -> None: ...

    testing.check_hooks(Good())
    fails(lambda: testing.check_hooks(Unmarked()), "it has none of the hooks run_started, step_ended, ")
    fails(lambda: testing.check_hooks(Misspelt()), "unknown hook 'step_endd'")
    fails(lambda: testing.check_hooks(Demanding()), "color")
