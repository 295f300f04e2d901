"""The spec of an inpainting run. Light: importing and validating it imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from skinfw.components.reference import ComponentSpec, Slot, use_defaults
from skinfw.components.registry import Registry, installed
from skinfw.components.validation_errors import reject, spec_error
from skinfw.components.variables import STORED
from skinfw.errors import RunError, SpecError
from skinfw.specs.compatibility import (
    adversary_errors,
    alpha_errors,
    default_input_errors,
    gives_alpha,
    input_errors,
    label_errors,
    sees_skin,
    shown_skin_errors,
    size_errors,
    trains,
)
from skinfw.specs.data_spec import DataSpec
from skinfw.specs.overrides import apply_overrides
from skinfw.specs.run_spec import AugmentationSlot, RunSpec, weight_errors
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.training_spec import TrainingSpec
from skinfw.system.json_file import read_json

Composite = Literal["none", "mask", "skin", "protect"]
GeneratorSlot = Annotated[ComponentSpec, Slot("generator")]
DiscriminatorSlot = Annotated[ComponentSpec, Slot("discriminator")]
LossSlot = Annotated[ComponentSpec, Slot("loss")]
MetricSlot = Annotated[ComponentSpec, Slot("metric")]


def _default_metrics(valid: dict[str, Any]) -> tuple[ComponentSpec, ...]:
    """Return the default metrics, after those of alpha if the generator gives one.

    The first chooses the best checkpoint: the error on skin alone does not show what is wrongly called skin.
    """
    first = use_defaults("metric", "alpha_metrics") if gives_alpha(valid.get("generator")) else []
    return (*first, *use_defaults("metric", "metrics"))


def _default_baselines(valid: dict[str, Any]) -> tuple[ComponentSpec, ...]:
    """Return the default baselines, which with a generator that gives alpha do not see the skin either."""
    field = "alpha_baselines" if gives_alpha(valid.get("generator")) else "baselines"
    return tuple(use_defaults("generator", field))


class Spec(RunSpec):
    """A whole run: data, networks, losses, metrics, training."""

    task: Literal["inpainting"] = Field(
        default="inpainting", description="what is trained: a network that inpaints the skin of people"
    )
    data: DataSpec
    generator: GeneratorSlot = Field(description="the network that inpaints")
    composite: Composite = Field(
        default="none",
        validate_default=True,
        description=(
            "where the generator's output is used: everywhere (none), in the inpainting mask (mask), only in "
            "the skin region (skin: report, section 6.1.3.3), or everywhere but on head, feet and apparel "
            "(protect: report, section 7)"
        ),
    )
    discriminator: DiscriminatorSlot | None = Field(
        default=None, description="the discriminator; needed only by adversarial losses"
    )
    losses: tuple[LossSlot, ...] = Field(min_length=1, description="terms of the generator's loss")
    augmentations: tuple[AugmentationSlot, ...] = Field(
        default=(), description="augmentations of training samples, in this order (report, section 7)"
    )
    metrics: tuple[MetricSlot, ...] = Field(
        default_factory=_default_metrics,
        description="the metrics; the first one chooses the best checkpoint",
    )
    baselines: tuple[GeneratorSlot, ...] = Field(
        default_factory=_default_baselines,
        description="generators without training that the report shows next to the trained one",
    )
    training: TrainingSpec

    # The later field reports conflicts between fields: pydantic passes it the fields valid so far, and the
    # conflicts are reported together with the errors of other fields.

    @field_validator("generator")
    @classmethod
    def _check_generator(cls, value: ComponentSpec, info: ValidationInfo) -> ComponentSpec:
        data: DataSpec | None = info.data.get("data")
        errors = [] if data is None else input_errors(value, data.input_names)
        if not trains(value):
            errors.append(f"$.generator: {value.name!r} is not trainable; name it in $.baselines")
        if data is not None:
            errors += size_errors(value, "generator", data.size)
            errors += shown_skin_errors(data.inputs) if gives_alpha(value) else []
        reject(errors)
        return value

    @field_validator("composite")
    @classmethod
    def _check_composite(cls, value: Composite, info: ValidationInfo) -> Composite:
        if value != "mask" and gives_alpha(info.data.get("generator")):
            name = info.data["generator"].name
            reject([f'$.composite: {name!r} gives an alpha, which needs the composite "mask"'])
        data: DataSpec | None = info.data.get("data")
        if value not in ("mask", "protect") and data is not None and data.kept_skin:
            what = f"with {value!r}, the network paints skin that data.kept_skin leaves visible"
            reject([f'$.composite: {what}; use "mask" or "protect", or set data.kept_skin to 0'])
        return value

    @field_validator("discriminator")
    @classmethod
    def _check_discriminator(cls, value: ComponentSpec | None, info: ValidationInfo) -> ComponentSpec | None:
        data: DataSpec | None = info.data.get("data")
        reject([] if data is None else size_errors(value, "discriminator", data.size))
        return value

    @field_validator("losses")
    @classmethod
    def _check_losses(
        cls, value: tuple[ComponentSpec, ...], info: ValidationInfo
    ) -> tuple[ComponentSpec, ...]:
        data: DataSpec | None = info.data.get("data")
        errors = (
            []
            if data is None
            else [error for each in value for error in size_errors(each, "loss", data.size)]
        )
        errors += weight_errors(value)
        errors += _default_input_errors(value, info)
        if "generator" in info.data:
            errors += alpha_errors(info.data["generator"], value, "losses")
        if "discriminator" in info.data:  # otherwise it has its own error
            errors += adversary_errors(info.data["discriminator"], value)
        reject(errors)
        return value

    @field_validator("augmentations", "metrics")
    @classmethod
    def _check_needed_inputs(
        cls, value: tuple[ComponentSpec, ...], info: ValidationInfo
    ) -> tuple[ComponentSpec, ...]:
        reject(_default_input_errors(value, info))
        return value

    @field_validator("metrics")
    @classmethod
    def _check_metrics(
        cls, value: tuple[ComponentSpec, ...], info: ValidationInfo
    ) -> tuple[ComponentSpec, ...]:
        if "generator" in info.data:
            reject(alpha_errors(info.data["generator"], value, "metrics"))
        return value

    @field_validator("baselines")
    @classmethod
    def _check_baselines(
        cls, value: tuple[ComponentSpec, ...], info: ValidationInfo
    ) -> tuple[ComponentSpec, ...]:
        data: DataSpec | None = info.data.get("data")
        errors = [
            f"$.baselines[{index}]: {each.name!r} is trainable; it is not a baseline"
            for index, each in enumerate(value)
            if trains(each)
        ]
        errors += label_errors(value)
        if gives_alpha(info.data.get("generator")):
            errors += [
                f"$.baselines[{index}]: {each.name!r} sees the skin that the generator has to find; remove it"
                for index, each in enumerate(value)
                if sees_skin(each)
            ]
        if data is not None:
            errors += [error for each in value for error in size_errors(each, "baseline", data.size)]
        reject([*errors, *_default_input_errors(value, info)])
        return value

    @field_validator("training")
    @classmethod
    def _check_critic_has_discriminator(cls, value: TrainingSpec, info: ValidationInfo) -> TrainingSpec:
        if value.n_critic > 1 and "discriminator" in info.data and info.data["discriminator"] is None:
            error = f"$.training.n_critic: {value.n_critic} steps, but there is no discriminator"
            reject([f"{error}; name one, or leave it at 1"])
        if value.gradient_accumulation > 1:
            reject(
                [
                    f"$.training.gradient_accumulation: the loss {loss.name!r} is not a mean over samples, "
                    "so several batches do not add up to a large one; leave it at 1"
                    for loss in info.data.get("losses", ())
                    if getattr(loss.config, "uses_batch_statistics", False)
                ]
            )
        return value


def _default_input_errors(components: Sequence[ComponentSpec], info: ValidationInfo) -> list[str]:
    data: DataSpec | None = info.data.get("data")
    if data is None:
        return []
    registry: Registry = (info.context or {}).get("registry") or installed()
    return default_input_errors(components, f"$.{info.field_name}", data.input_names, registry)


AnySpec = Spec | SegmentationSpec
"""The spec of a run, whatever it trains."""


def inpainting_spec(spec: RunSpec, where: object) -> Spec:
    """Return a spec that must be for inpainting.

    Args:
        spec: the spec.
        where: what the spec belongs to, for the error.

    Raises:
        RunError: it has another task.
    """
    if not isinstance(spec, Spec):
        raise RunError(f"{where}: trains a segmenter, which does not inpaint; name an inpainting run")
    return spec


def parse_spec(
    value: Any,
    *,
    source: str = "spec",
    folder: Path | None = None,
    registry: Registry | None = None,
    stored: bool = False,
) -> AnySpec:
    """Validate a spec that was already read; its ``task`` says which kind it is.

    Args:
        value: the spec as parsed JSON: dicts, lists, strings, numbers.
        source: its name in errors.
        folder: relative paths in the spec start here; None keeps them as they are.
        registry: where to look up components; the installed ones when None.
        stored: whether it comes from a run folder or checkpoint: an environment variable in a path may be
            unset until the path is needed.

    Raises:
        SpecError: lists all errors.
    """
    if isinstance(value, dict) and "variants" in value and "data" not in value:
        raise SpecError(source, ["this is an ablation file, not a spec; run it with skinfw ablate"])
    model = SegmentationSpec if isinstance(value, dict) and value.get("task") == "segmentation" else Spec
    try:
        return model.model_validate(value, context={"folder": folder, "registry": registry, STORED: stored})
    except ValidationError as error:
        raise spec_error(source, error, value) from None


def load_spec(path: str | Path, overrides: Mapping[str, Any] | None = None) -> AnySpec:
    """Read and validate a spec file.

    Args:
        path: the JSON file.
        overrides: values by dotted path, for instance ``{"training.epochs": 2}``.

    Raises:
        SpecError: the file cannot be read, or the spec is invalid; the error lists all problems.
    """
    path = Path(path)
    value = apply_overrides(read_json(path), overrides or {}, str(path))
    return parse_spec(value, source=str(path), folder=path.resolve().parent)
