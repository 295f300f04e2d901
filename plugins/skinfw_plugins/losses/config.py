"""Configurations of the built-in losses."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from skinfw.config import DiscriminatorConfig, LossConfig


class L1Config(LossConfig):
    """Mean absolute difference (the report's section 5.2.3.3)."""

    weight: float = Field(
        default=1.0,
        ge=0,
        description="factor of this term in the sum of losses (pix2pix paper: 100 beside a gan term of 1)",
    )


class MseConfig(LossConfig):
    """Mean squared difference (the report's section 5.2.1.4)."""


class JudgedConfig(LossConfig):
    """Base of losses that look at what the discriminator says."""

    judged: ClassVar[bool] = True

    region: Literal["picture"] = Field(
        default="picture",
        description="pixels that count: the whole picture; patches have no region",
    )


class RegularisedConfig(JudgedConfig):
    """Base of adversarial losses with a label for real pictures and a penalty on steep discriminators."""

    adversarial: ClassVar[bool] = True

    label_smoothing: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="by how much less than 1 is asked of the discriminator for real pictures; painted ones "
        "stay at their label (Salimans et al. 2016, section 3.4: 0.1)",
    )
    r1: float = Field(
        default=0.0,
        ge=0,
        description="gamma of the R1 penalty: half of gamma times the squared gradient of the discriminator "
        "at real pictures (Mescheder et al. 2018, section 4.1: 10); 0: none. It is that of each picture only "
        "where no batch normalisation mixes them",
    )

    @property
    def real_label(self) -> float:
        """What is asked of the discriminator for real pictures."""
        return 1 - self.label_smoothing


class GanConfig(RegularisedConfig):
    """The adversarial loss of pix2pix (the report's section 5.2.3.3)."""


class LsganConfig(RegularisedConfig):
    """Least squares instead of cross-entropy (Mao et al. 2017)."""


class HingeConfig(RegularisedConfig):
    """The hinge version of the adversarial loss (Lim and Ye 2017; Miyato et al. 2018)."""


class WganGpConfig(JudgedConfig):
    """Wasserstein distance with a gradient penalty (Gulrajani et al. 2017); see `training.critic_steps`."""

    adversarial: ClassVar[bool] = True

    penalty: float = Field(
        default=10.0,
        ge=0,
        description="lambda, weight of the gradient penalty in the critic's term (paper, section 4: 10)",
    )

    def discriminator_fault(self, discriminator: DiscriminatorConfig) -> str | None:
        """Return that batch normalisation does not go with a penalty on each picture's gradient."""
        if not discriminator.mixes_samples:
            return None
        return (
            "its penalty is on the gradient of each picture, which batch normalisation mixes with the others "
            '(Gulrajani et al. 2017, section 4); set "norm" to "instance" or "none"'
        )


class FeatureMatchingConfig(JudgedConfig):
    """Likeness to the target as the discriminator's layers see it (Wang et al. 2018, section 3.3)."""

    weight: float = Field(
        default=1.0,
        ge=0,
        description="factor of this term in the sum of losses (pix2pixHD: 10 beside an adversarial one of 1)",
    )
