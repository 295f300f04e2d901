"""What finds the parts of the person and the pose in photos that are painted with a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skinfw.assembly.build import build
from skinfw.components.reference import ComponentLike, ComponentSpec, read_component, use_default
from skinfw.inference.beside import pose_encoder_beside, segmenter_beside
from skinfw.inference.open_model import OpenModel, named_component
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.models.named import is_named
from skinfw.specs.pinning import pinned_component


@dataclass(frozen=True)
class Finders:
    """What finds the parts of the person and the pose.

    Attributes:
        segmenter: finds skin, head, feet and apparel.
        pose_encoder: finds the pose.
        pose_optional: whether a mask is painted without a pose, unless the model needs one.
        segmenter_name: names the segmenter in reports.
    """

    segmenter: Segmenter[Any]
    pose_encoder: PoseEncoder[Any]
    pose_optional: bool
    segmenter_name: str


def build_finders(
    model: OpenModel, segmenter: ComponentLike | None, pose_encoder: ComponentLike | None
) -> Finders:
    """Build the given components, those that prepared the training photos of a model, or the defaults.

    Where a component would read a label map that a photo does not have, the parser in the package finds it.
    In the same way, another pose encoder finds a missing pose, for models in the package and for runs whose
    spec names no pose encoder.

    Args:
        model: the model.
        segmenter: the segmenter, or None.
        pose_encoder: the pose encoder, or None.

    Raises:
        SpecError: a component does not exist, or its parameters are invalid.
        TrustError: one in the spec names programs, paths or addresses, and is not trusted.
        SkinfwError: a component cannot be built.
    """
    if segmenter is None:
        reference = (None if model.embedded else named_component("segmenter", model)) or use_default(
            "segmenter"
        )
        finds_parts = segmenter_beside(reference)
    else:
        reference = pinned_component(read_component("segmenter", segmenter))
        finds_parts = build(reference, Segmenter)
    optional = False
    if pose_encoder is not None:
        finds_pose = build(pinned_component(read_component("pose_encoder", pose_encoder)), PoseEncoder)
    else:
        named = None if model.embedded else named_component("pose_encoder", model)
        finds_pose = pose_encoder_beside() if named is None else build(named, PoseEncoder)
        optional = named is None
    return Finders(finds_parts, finds_pose, optional, _label(reference))


def _label(reference: ComponentSpec) -> str:
    """Return the name of a segmenter, with its model if that has a name; paths tell about a machine."""
    path = reference.config.trained_by()
    return f"{reference.name} {path}" if path is not None and is_named(path) else reference.name
