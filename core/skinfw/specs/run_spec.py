"""What the specs of all runs share, whatever is trained. Light: no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from skinfw.components.config import LossTermConfig
from skinfw.components.outside import CITED, Outside, SpecPath
from skinfw.components.reference import ComponentSpec, Slot
from skinfw.components.strict_model import StrictModel
from skinfw.components.variables import STORED
from skinfw.models.named import ModelPath
from skinfw.specs.licenses_spec import LicensesSpec

AugmentationSlot = Annotated[ComponentSpec, Slot("augmentation")]
Side = Annotated[int, Field(ge=1, le=8192)]
MAX_STEPS = 1_000_000_000
MAX_BATCH = 65_536


class SplitSpec(StrictModel):
    """The image size, and the split."""

    size: tuple[Side, Side] = Field(description="height and width of the images in pixels")
    test_fraction: float = Field(
        default=0.2, gt=0, lt=1, description="fraction of the samples in the test split (report: 0.2)"
    )
    validation_fraction: float = Field(
        default=0.1,
        validate_default=True,
        ge=0,
        lt=1,
        description="fraction of the samples that choose the best checkpoint; 0 uses the last one",
    )
    split: SpecPath | None = Field(
        default=None,
        description="file that names the training, validation and test samples, such as split.json of a run; "
        "others are not used. null: by a hash of the samples' names and the two fractions",
    )
    num_workers: Annotated[int, Field(ge=0, le=256)] | Literal["auto"] = Field(
        default="auto",
        description="processes that load samples; 0: none; auto: none on a CPU, and on a GPU up to 8, "
        "depending on the cores",
    )
    on_corrupt: Literal["skip", "fail"] = Field(
        default="fail", description="stop at a sample that cannot be read, or skip it"
    )
    sample_cache: int = Field(
        default=10_240,
        ge=0,
        le=1_073_741_824,
        description="cache samples on disk at the size of training, to decode each only once, until those of "
        "all your runs take this many MiB; SKINFW_CACHE_MIB is the limit for all runs; 0: no cache",
    )

    @field_validator("validation_fraction")
    @classmethod
    def _check_fractions(cls, value: float, info: ValidationInfo) -> float:
        if info.data.get("test_fraction", 0) + value >= 1:
            raise PydanticCustomError(
                "fractions",
                "test_fraction and validation_fraction leave nothing to train on; their sum must be below 1",
            )
        return value


class LoopSpec(StrictModel):
    """How long to train, on which device, and how often to save, evaluate and log."""

    epochs: int | None = Field(
        default=None, ge=1, le=1_000_000, description="passes over the training samples (report: 120)"
    )
    steps: int | None = Field(
        default=None,
        ge=1,
        le=MAX_STEPS,
        validate_default=True,
        description="optimizer steps, instead of epochs",
    )
    batch_size: int = Field(
        default=32, ge=1, le=MAX_BATCH, description="samples per step and process (report: 32)"
    )
    eval_batch_size: int = Field(
        default=20, ge=1, le=MAX_BATCH, description="samples per batch in evaluation (report: 20)"
    )
    betas: tuple[float, float] = Field(default=(0.9, 0.999), description="Adam's momenta")
    schedule: Literal["constant", "linear", "cosine"] = Field(
        default="constant",
        description="learning rate: constant, falling linearly to 0 over the second half (pix2pix), or "
        "falling to 0 over the whole run along half a cosine",
    )
    ema: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="decay of the exponential moving average of the weights, such as 0.999; evaluations, "
        "sample images and everything that uses a checkpoint then use the average; null: no average",
    )
    initial_weights: Annotated[ModelPath | None, Outside("model", training=True)] = Field(
        default=None,
        description="run folder, whose best checkpoint is used, checkpoint, or model of skinfw like "
        "skinfw:NAME that training starts from; its networks must be the same, its images may have another "
        "size. It must not have been trained on validation or test samples of this run. null: the networks' "
        "own initial weights",
    )
    gradient_clip: float | None = Field(
        default=None, gt=0, description="maximum norm of a network's gradient; null: no limit"
    )
    gradient_accumulation: int = Field(
        default=1, ge=1, le=MAX_BATCH, description="batches per optimizer step"
    )
    precision: Literal["auto", "no", "bf16", "fp16"] = Field(
        default="no",
        description="mixed precision; no: float32, with TF32 products on NVIDIA GPUs (see tf32); auto: bf16 "
        "on GPUs that compute in it (CUDA compute capability 8 or more), otherwise as no",
    )
    compile: bool = Field(
        default=False,
        description="compile the networks for training with torch.compile, which takes minutes once; needs a "
        "C++ compiler and, on a GPU, Triton",
    )
    tf32: bool = Field(
        default=True,
        description="let NVIDIA GPUs round the factors of float32 products to TF32 (10 bits after the point)"
        "; false: full float32, which is slower",
    )
    cudnn_benchmark: bool = Field(
        default=True,
        description="let cuDNN time its ways to compute each convolution and use the fastest",
    )
    device: Literal["auto", "cpu"] = Field(
        default="auto", description="auto uses an accelerator if there is one"
    )
    threads: int | None = Field(
        default=None, ge=1, le=1024, description="CPU threads of torch; null: torch decides"
    )
    evaluate_every: int = Field(
        default=1, ge=1, le=MAX_STEPS, description="epochs between evaluations on the validation samples"
    )
    checkpoint_every: int | None = Field(
        default=None,
        ge=1,
        le=MAX_STEPS,
        description="steps between checkpoints; null: at the end of every epoch",
    )
    sample_every: int = Field(
        default=1, ge=1, le=MAX_STEPS, description="epochs between grids of sample images"
    )

    @property
    def steps_per_cycle(self) -> int:
        """Steps after which every network was trained; above 1 only if networks take turns."""
        return 1

    @field_validator("betas")
    @classmethod
    def _check_betas(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not all(0 <= beta < 1 for beta in value):
            raise PydanticCustomError("betas", "both must be at least 0 and below 1")
        return value

    @field_validator("precision")
    @classmethod
    def _check_precision(cls, value: str, info: ValidationInfo) -> str:
        if value == "fp16" and info.data.get("gradient_accumulation", 1) > 1:
            # a step that overflows in float16 is skipped with all its batches
            raise PydanticCustomError(
                "precision", "fp16 and gradient_accumulation cannot be combined; use bf16"
            )
        return value

    @field_validator("steps")
    @classmethod
    def _check_length(cls, value: int | None, info: ValidationInfo) -> int | None:
        if "epochs" in info.data and (info.data["epochs"] is None) == (value is None):
            raise PydanticCustomError("length", "give either epochs or steps, and null for the other")
        return value


class RunSpec(StrictModel):
    """A whole run: its task, name and seed."""

    schema_: Annotated[str | None, CITED] = Field(
        default=None, alias="$schema", description="JSON Schema for editors"
    )
    skinfw: Literal[1] = Field(default=1, description="version of the spec's format")
    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="name of the run and of its folder: letters, digits, dot, dash and underscore",
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="seed of every random number of the run")
    licenses: LicensesSpec = Field(
        default_factory=LicensesSpec, description="the license ledger: what it must permit, and what you know"
    )

    def to_json(self) -> dict[str, Any]:
        """Return the filled spec: with all defaults, ready to run again; paths keep their variables."""
        return self._dumped({STORED: True})

    def resolved_json(self) -> dict[str, Any]:
        """Return the filled spec with all variables in paths expanded."""
        return self._dumped({})

    def _dumped(self, context: dict[str, Any]) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True, exclude={"schema_"}, context=context)


def weight_errors(losses: Sequence[ComponentSpec]) -> list[str]:
    """Return an error if every loss has the weight 0, so that nothing would be trained."""
    weights = [each.config.weight for each in losses if isinstance(each.config, LossTermConfig)]
    untrained = bool(weights) and not any(weights)
    return ["$.losses: all weights are 0, so nothing would be trained"] if untrained else []
