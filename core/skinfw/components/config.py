"""Base classes of the components' configurations. Light: pydantic only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from skinfw.components.field_names import LineStyle
from skinfw.components.measured_region import REGION_DESCRIPTION, Region
from skinfw.components.strict_model import StrictModel
from skinfw.licenses.terms import Terms

if TYPE_CHECKING:
    from skinfw.components.weights import WeightsFile

Size = tuple[int, int]
"""Height and width in pixels, in this order everywhere."""


@dataclass(frozen=True)
class SizeRequirement:
    """The image sizes that a network accepts.

    Attributes:
        minimum: minimum height and width in pixels.
        multiple_of: height and width must be multiples of this many pixels.
        maximum: maximum height and width in pixels, or None for no limit.
        exactly: the only height and width that a fixed-size network accepts, or None.
    """

    minimum: int = 1
    multiple_of: int = 1
    maximum: int | None = None
    exactly: Size | None = None

    def error(self, size: Size) -> str | None:
        """Return why ``size`` (height, width) is not accepted, or None if it is.

        Example:
            >>> SizeRequirement(multiple_of=32).error((128, 50))
            '128x50 does not fit: both sides must be multiples of 32, for instance 128x64'
            >>> SizeRequirement(multiple_of=32).error((128, 64)) is None
            True
        """
        if min(size) < self.minimum:
            return f"{size[0]}x{size[1]} is too small: each side must have at least {self.minimum} pixels"
        if self.maximum is not None and max(size) > self.maximum:
            return f"{size[0]}x{size[1]} is too large: each side must have at most {self.maximum} pixels"
        if any(side % self.multiple_of for side in size):
            step = self.multiple_of
            near = [max(step, round(side / step) * step) for side in size]
            return (
                f"{size[0]}x{size[1]} does not fit: both sides must be multiples of {step}, "
                f"for instance {near[0]}x{near[1]}"
            )
        if self.exactly is not None and size != self.exactly:
            height, width = self.exactly
            return f"{size[0]}x{size[1]} does not fit: it is built for {height}x{width} only"
        return None

    def both(self, other: SizeRequirement) -> SizeRequirement:
        """Return the sizes that two networks accept that are built for one size and see the same images.

        Example:
            >>> SizeRequirement(minimum=64, multiple_of=4).both(SizeRequirement(multiple_of=6))
            SizeRequirement(minimum=64, multiple_of=12, maximum=None, exactly=None)
        """
        limits = [limit for limit in (self.maximum, other.maximum) if limit is not None]
        return SizeRequirement(
            minimum=max(self.minimum, other.minimum),
            multiple_of=math.lcm(self.multiple_of, other.multiple_of),
            maximum=min(limits, default=None),
            exactly=self.exactly or other.exactly,
        )


@dataclass(frozen=True)
class HubWeights:
    """Weights that a library downloads by name.

    Attributes:
        name: the name.
        address: the page about them; empty if unknown.
        revision: the branch, tag or commit; empty if unknown.
        terms: under which license they are published; None if unknown.
    """

    name: str
    address: str = ""
    revision: str = ""
    terms: Terms | None = None


class ComponentConfig(StrictModel):
    """Base of every component's configuration: frozen, no unknown fields, every field described."""

    def trained_by(self) -> Path | None:
        """Return the run folder, checkpoint or model that its weights come from; None for none."""
        return None

    def published_files(self) -> tuple[WeightsFile, ...]:
        """Return the weights of published networks that it uses; they are downloaded when needed."""
        return ()

    def known_files(self) -> tuple[WeightsFile, ...]:
        """Return weights whose license is known if the user names such a file, recognized by its SHA-256."""
        return self.published_files()

    def reads_files(self) -> bool:
        """Return whether it needs a file for each photo, for instance a label map beside it."""
        return False

    def hub_weights(self) -> tuple[HubWeights, ...]:
        """Return the weights that a library finds by name and downloads itself."""
        return ()


class DatasetConfig(ComponentConfig):
    """Base of a data set's configuration.

    Attributes:
        terms: under which license the data are published; None if that is unknown, as for your own photos.
        address: where the data come from; empty if unknown.
    """

    terms: ClassVar[Terms | None] = None
    address: ClassVar[str] = ""

    def elsewhere(self, root: Path) -> Self | None:
        """Return the configuration for data of the same form in another place; None if it has no place.

        Args:
            root: the absolute path of the data.
        """
        return None


class GeneratorConfig(ComponentConfig):
    """Base of a generator's configuration.

    Attributes:
        trainable: whether there is anything to train; if not, it can only be a baseline.
    """

    trainable: ClassVar[bool] = True

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """Inputs that it requires; a baseline gets only these."""
        return ()

    @property
    def gives_alpha(self) -> bool:
        """Whether its images have a fourth channel, alpha: how much of each pixel is skin."""
        return False

    @property
    def export_error(self) -> str | None:
        """Why no exported graph can compute its images, and what to do; None if one can."""
        return None

    @property
    def report_name(self) -> str | None:
        """What reports call it as a baseline; None for the name of the component."""
        return None

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that the network accepts when built for ``size`` (height, width)."""
        return SizeRequirement()


class DiscriminatorConfig(ComponentConfig):
    """Base of a discriminator's configuration."""

    conditional: bool = Field(default=True, description="condition the discriminator on the inputs")

    @property
    def uses_batch_statistics(self) -> bool:
        """Whether an image's logits depend on the rest of the batch, as with batch normalization."""
        return False

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that the network accepts when built for ``size`` (height, width)."""
        return SizeRequirement()


class SegmentationNetworkConfig(ComponentConfig):
    """Base of a segmentation network's configuration."""

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that the network accepts when built for ``size`` (height, width)."""
        return SizeRequirement()


class LossTermConfig(ComponentConfig):
    """What the configurations of all losses share: how a term counts in the sum."""

    weight: float = Field(default=1.0, ge=0, description="factor of this term in the sum of losses")
    warmup: int = Field(
        default=0,
        ge=0,
        le=1_000_000_000,
        description="steps over which the weight rises linearly from 0; 0: full weight at once",
    )


class SegmentationLossConfig(LossTermConfig):
    """Base of the configuration of a segmentation loss."""

    @property
    def named_classes(self) -> tuple[str, ...]:
        """The classes that it names, which the network must predict."""
        return ()


class InputConfig(ComponentConfig):
    """Base of an input's configuration.

    Attributes:
        is_mask: whether it is a mask, so that losses and metrics can use its region.
        shows_skin: whether it shows where the skin is, which a generator with alpha has to find itself.
        shows_pose: whether it is drawn from the pose, so that moving its pixels requires the keypoints.
    """

    is_mask: ClassVar[bool] = False
    shows_skin: ClassVar[bool] = False
    shows_pose: ClassVar[bool] = False

    @property
    def channels(self) -> int:
        """Its number of channels in the condition."""
        return 3


class LossConfig(LossTermConfig):
    """Base of a loss's configuration.

    Attributes:
        adversarial: whether it trains the discriminator.
        judged: whether it uses the discriminator's output, so that it needs one.
        reads_alpha: whether it uses the alpha of the generator's images, so that they must have one.
        required_inputs: inputs that each sample must have for it, whether or not the generator sees
            them.
    """

    adversarial: ClassVar[bool] = False
    judged: ClassVar[bool] = False
    reads_alpha: ClassVar[bool] = False
    required_inputs: ClassVar[tuple[str, ...]] = ()

    region: Region = Field(default="image", description=f"pixels that count: {REGION_DESCRIPTION}")

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the image sizes (height, width) that it accepts when built for ``size``."""
        return SizeRequirement()

    @property
    def uses_batch_statistics(self) -> bool:
        """Whether its term for a batch is not just the mean of the samples' separate terms."""
        return False

    def discriminator_error(self, discriminator: DiscriminatorConfig) -> str | None:
        """Return why it cannot train a discriminator of this configuration, or None if it can."""
        return None


class AugmentationConfig(ComponentConfig):
    """Base of an augmentation's configuration.

    Attributes:
        geometric: whether it moves pixels, so that samples with a pose map must have keypoints.
        required_inputs: inputs that each sample must have for it.
    """

    geometric: ClassVar[bool] = False
    required_inputs: ClassVar[tuple[str, ...]] = ()

    probability: float = Field(default=1.0, ge=0, le=1, description="probability that it changes a sample")


class PoseEncoderConfig(ComponentConfig):
    """Base of a pose encoder's configuration."""

    draw: LineStyle = Field(
        default="skeleton",
        description="style of the pose map (input line): skeleton, in OpenPose's colors, or lines, plain "
        "white ones of one width",
    )


class MetricConfig(ComponentConfig):
    """Base of a metric's configuration.

    Attributes:
        measures_alpha: whether it compares the alpha of the generator's images with the true skin, instead of
            their colors with the real images.
    """

    measures_alpha: ClassVar[bool] = False

    regions: tuple[Region, ...] = Field(
        default=("image", "skin"),
        min_length=1,
        description=f"regions on which the metric is computed, each separately; {REGION_DESCRIPTION}",
    )
