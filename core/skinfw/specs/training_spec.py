"""How an inpainting run is trained. Light: importing and validating it imports no torch."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from skinfw.specs.run_spec import LoopSpec


class TrainingSpec(LoopSpec):
    """How long and how the networks are trained."""

    generator_lr: float = Field(default=2e-4, gt=0, description="Adam's learning rate (report: 2e-4)")
    discriminator_lr: float = Field(default=2e-5, gt=0, description="Adam's learning rate (report: 2e-5)")
    betas: tuple[float, float] = Field(default=(0.5, 0.999), description="Adam's momenta (report, pix2pix)")
    n_critic: int = Field(
        default=1,
        ge=1,
        le=1000,
        validate_default=True,
        description="steps of the discriminator per step of the generator, each on its own batch "
        "(WGAN-GP paper: 5)",
    )

    @property
    def steps_per_cycle(self) -> int:
        """Steps after which every network was trained."""
        return self.n_critic

    @field_validator("n_critic")
    @classmethod
    def _check_n_critic(cls, value: int, info: ValidationInfo) -> int:
        if value > 1 and info.data.get("gradient_accumulation", 1) > 1:
            raise PydanticCustomError(
                "n_critic", "n_critic and gradient_accumulation cannot be combined; leave one at 1"
            )
        steps = info.data.get("steps")
        if steps is not None and value > steps:
            raise PydanticCustomError("n_critic", f"in {steps} steps the generator would never be trained")
        return value
