"""The spec of a run that trains a segmenter on photos with label maps. Light: no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from skinfw.components.config import AugmentationConfig, SegmentationLossConfig, SegmentationNetworkConfig
from skinfw.components.outside import SpecPath
from skinfw.components.reference import ComponentSpec, Slot, use_default, use_defaults
from skinfw.components.regions import REGIONS, RegionName
from skinfw.components.strict_model import StrictModel, nearest
from skinfw.components.validation_errors import reject
from skinfw.specs.run_spec import AugmentationSlot, LoopSpec, RunSpec, SplitSpec, weight_errors

MAX_CLASSES = 255
"""A label map has one byte per pixel, and one value is reserved for unknown pixels."""

ClassName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,39}$")]


class ClassSpec(StrictModel):
    """One class that the network predicts."""

    of: tuple[str, ...] = Field(
        min_length=1, description="classes of the label segmenter that make up this class"
    )
    region: RegionName = Field(description="region that the class belongs to")


def _classes_tag(value: Any) -> str:
    return "table" if isinstance(value, dict) else "name"


Classes = Annotated[
    Annotated[Literal["regions", "all"], Tag("name")] | Annotated[dict[ClassName, ClassSpec], Tag("table")],
    # chosen here so that an error is reported once, not for each alternative
    Discriminator(_classes_tag),
]


class SegmentationData(SplitSpec):
    """The photos and label maps, and the classes that the network predicts."""

    root: SpecPath = Field(description="folder with the photos at any depth")
    labels: Annotated[ComponentSpec, Slot("segmenter")] = Field(
        default_factory=lambda: use_default("segmenter"),
        description="the segmenter whose label maps are the ground truth",
    )
    classes: Classes = Field(
        default="regions",
        description="regions: background, skin, head, feet and apparel; all: the classes of the label "
        "segmenter; or a table of classes by name, where label classes that none of them names are "
        "background",
    )
    person_margin: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="crop photos to the person, with this margin on every side as a fraction of the person's "
        "longer side, at the aspect ratio of size; in use, the network looks at the whole photo first, to "
        "find the person. null: the whole photo, resized to size whatever its shape",
    )
    flip_classes: tuple[tuple[str, str], ...] = Field(
        default=(),
        validate_default=True,
        description="pairs of classes that mirroring swaps, such as left and right arm",
    )

    @field_validator("classes")
    @classmethod
    def _check_classes(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if not 2 <= len(value) <= MAX_CLASSES:
            raise PydanticCustomError("classes", f"there must be 2 to {MAX_CLASSES} classes")
        if all(each.region != "background" for each in value.values()):
            raise PydanticCustomError("classes", "the region of one class must be background")
        counts = Counter(name for each in value.values() for name in each.of)
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise PydanticCustomError("classes", f"{twice[0]!r} belongs to two classes; name it once")
        return value

    @field_validator("flip_classes")
    @classmethod
    def _check_flip_classes(
        cls, value: tuple[tuple[str, str], ...], info: ValidationInfo
    ) -> tuple[tuple[str, str], ...]:
        known = cls._names_of(info.data["classes"]) if "classes" in info.data else None
        named = [name for pair in value for name in pair]
        twice = [name for name, count in Counter(named).items() if count > 1]
        reject([f"$.data.flip_classes: {name!r} is in two pairs; name it once" for name in twice])
        reject([] if known is None else class_errors(named, known, "$.data.flip_classes"))
        return value

    @staticmethod
    def _names_of(classes: Any) -> tuple[str, ...] | None:
        if classes == "regions":
            return REGIONS
        return tuple(classes) if isinstance(classes, dict) else None

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The classes in the order of the network's channels; None if they come from the label maps."""
        return self._names_of(self.classes)


class SegmentationTraining(LoopSpec):
    """How long and how the network is trained."""

    lr: float = Field(default=1e-3, gt=0, description="Adam's learning rate")


class SegmentationSpec(RunSpec):
    """A run that trains a segmenter: photos with label maps, a network, losses, training."""

    task: Literal["segmentation"] = Field(description="what is trained: a network that labels pixels")
    data: SegmentationData
    network: Annotated[ComponentSpec, Slot("segmentation_network")] = Field(
        description="the network that labels pixels"
    )
    losses: tuple[Annotated[ComponentSpec, Slot("segmentation_loss")], ...] = Field(
        default_factory=lambda: tuple(use_defaults("segmentation_loss", "segmentation_losses")),
        min_length=1,
        description="terms of the network's loss",
    )
    augmentations: tuple[AugmentationSlot, ...] = Field(
        default_factory=lambda: tuple(use_defaults("augmentation", "segmentation_augmentations")),
        description="augmentations of training photos and their label maps, in this order",
    )
    training: SegmentationTraining

    @field_validator("network")
    @classmethod
    def _check_network(cls, value: ComponentSpec, info: ValidationInfo) -> ComponentSpec:
        data: SegmentationData | None = info.data.get("data")
        if data is not None and isinstance(value.config, SegmentationNetworkConfig):
            error = value.config.size_requirement(data.size).error(data.size)
            reject([f"$.data.size: network {value.name!r}: {error}"] if error else [])
        return value

    @field_validator("losses")
    @classmethod
    def _check_losses(
        cls, value: tuple[ComponentSpec, ...], info: ValidationInfo
    ) -> tuple[ComponentSpec, ...]:
        data: SegmentationData | None = info.data.get("data")
        known = None if data is None else data.class_names
        reject(weight_errors(value) + ([] if known is None else loss_class_errors(value, known)))
        return value

    @field_validator("augmentations")
    @classmethod
    def _check_augmentations(cls, value: tuple[ComponentSpec, ...]) -> tuple[ComponentSpec, ...]:
        reject(
            [
                f"$.augmentations[{index}]: {each.name!r} needs {', '.join(each.config.required_inputs)}, "
                "which photos do not have; remove it"
                for index, each in enumerate(value)
                if isinstance(each.config, AugmentationConfig) and each.config.required_inputs
            ]
        )
        return value


def loss_class_errors(losses: Sequence[ComponentSpec], known: tuple[str, ...]) -> list[str]:
    """Return an error for each class named by a loss that does not exist.

    Args:
        losses: the losses of a spec.
        known: the existing classes.
    """
    return [
        error
        for index, each in enumerate(losses)
        if isinstance(each.config, SegmentationLossConfig)
        for error in class_errors(list(each.config.named_classes), known, f"$.losses[{index}]")
    ]


def class_errors(named: list[str], known: tuple[str, ...], path: str) -> list[str]:
    """Return an error for each named class that does not exist.

    Args:
        named: the named classes.
        known: the existing classes.
        path: the JSON path of the field that names them.
    """
    return [
        f"{path}: no class is called {name!r}{nearest(name, list(known))} (there are: {', '.join(known)})"
        for name in dict.fromkeys(named)
        if name not in known
    ]
