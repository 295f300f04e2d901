"""Configurations of the losses that use a discriminator."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from skinfw.components.config import DiscriminatorConfig, LossConfig


class JudgedConfig(LossConfig):
    """Base of losses that use the discriminator's output."""

    judged: ClassVar[bool] = True

    region: Literal["image"] = Field(
        default="image",
        description="pixels that count: the whole image; patches have no region",
    )


class RegularizedConfig(JudgedConfig):
    """Base of adversarial losses with label smoothing and an R1 penalty."""

    adversarial: ClassVar[bool] = True

    label_smoothing: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="label smoothing: how far below 1 the discriminator's label for real images is; the "
        "label of generated images does not change (Salimans et al. 2016, section 3.4: 0.1)",
    )
    r1: float = Field(
        default=0.0,
        ge=0,
        description="gamma of the R1 penalty: half of gamma times the squared gradient of the discriminator "
        "at real images (Mescheder et al. 2018, section 4.1: 10); 0: none. Batch normalization mixes "
        "the gradients of the images",
    )

    @property
    def real_label(self) -> float:
        """The discriminator's label for real images."""
        return 1 - self.label_smoothing


class GanConfig(RegularizedConfig):
    """The adversarial loss of pix2pix (the report's section 5.2.3.3)."""


class LsganConfig(RegularizedConfig):
    """Least squares instead of cross-entropy (Mao et al. 2017)."""


class HingeConfig(RegularizedConfig):
    """The hinge version of the adversarial loss (Lim and Ye 2017; Miyato et al. 2018)."""


class WganGpConfig(JudgedConfig):
    """Wasserstein distance with a gradient penalty (Gulrajani et al. 2017); see `training.n_critic`."""

    adversarial: ClassVar[bool] = True

    penalty: float = Field(
        default=10.0,
        ge=0,
        description="lambda, weight of the gradient penalty in the critic's term (paper, section 4: 10)",
    )

    def discriminator_error(self, discriminator: DiscriminatorConfig) -> str | None:
        """Return that batch normalization is incompatible with a penalty on each image's gradient."""
        if not discriminator.uses_batch_statistics:
            return None
        return (
            "it penalizes the gradient of each image, which batch normalization mixes with the others "
            '(Gulrajani et al. 2017, section 4); set "norm" to "instance" or "none"'
        )


class FeatureMatchingConfig(JudgedConfig):
    """Difference from the target in the discriminator's features (Wang et al. 2018, section 3.3)."""

    weight: float = Field(
        default=1.0,
        ge=0,
        description="weight of this term in the sum of losses (pix2pixHD: 10 with an adversarial term of 1)",
    )
