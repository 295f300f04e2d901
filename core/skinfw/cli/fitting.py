"""The segmenter and the pose encoder that fit the photos, where no option names them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

from skinfw.cli.components import component_option, optional_component
from skinfw.components.reference import ComponentSpec, use_default, use_defaults
from skinfw.components.weights import find_weights
from skinfw.errors import UserError
from skinfw.models.defaults import default_parser
from skinfw.models.embedded import HOW_TO_EMBED
from skinfw.preparation.finders import NONE_FOUND, Missing
from skinfw.preparation.label_shifts import misalignment
from skinfw.preparation.survey import Survey, survey

logger = logging.getLogger("skinfw")

NO_POSE = "none"
"""The value of --pose-encoder for samples without poses."""


def fitting_components(
    photos: Path, output: Path, segmenter: str | None, pose_encoder: str | None
) -> tuple[ComponentSpec, ComponentSpec | None, Missing]:
    """Return the components in the options, or those that fit the photos; it logs what is unusual.

    Raises:
        UserError: the weights of the pose encoder that fits cannot be found.
    """
    finds_parts = optional_component("segmenter", segmenter, "--segmenter")
    finds_pose = None
    if pose_encoder not in (None, NO_POSE):
        finds_pose = component_option("pose_encoder", pose_encoder, "--pose-encoder")
    if finds_parts is not None and pose_encoder is not None:
        return finds_parts, finds_pose, NONE_FOUND
    found, missing = survey(photos, output), NONE_FOUND
    notes = _Notes()
    if finds_parts is None:
        finds_parts, label_maps = _finds_parts(found, notes)
        missing = replace(missing, label_maps=label_maps)
    if pose_encoder is None:
        finds_pose, poses = _finds_poses(found, notes)
        missing = replace(missing, poses=poses)
    if notes.texts:
        logger.log(notes.level, "%s: %s", found, "; ".join(notes.texts))
    if missing.poses is not None:
        _require_weights(missing.poses)
    return finds_parts, finds_pose, missing


@dataclass
class _Notes:
    """What is unusual about the components that fit, for one line about all photos."""

    texts: list[str] = field(default_factory=list)
    level: int = logging.INFO


def _finds_parts(found: Survey, notes: _Notes) -> tuple[ComponentSpec, ComponentSpec | None]:
    """Return the segmenter that fits the photos, and the one of photos without label maps."""
    reader = found.label_map_reader
    if any(found.shift):
        notes.texts.append(
            f"the label maps are misaligned, {misalignment(*found.shift)}, so they are moved: "
            f"the segmenter is {reader.shown()}"
        )
    if found.labeled == found.count:
        return reader, None
    parser = default_parser()
    if parser is None:
        rejected = "the others are rejected, as" if found.labeled else "all are rejected, as"
        notes.texts.append(f"{rejected} this installation contains no parser: {HOW_TO_EMBED}")
        notes.level = logging.WARNING
        return reader, None
    if not found.labeled:
        notes.texts.append(f"the segmenter is {parser.shown()}")
        return parser, None
    notes.texts.append(f"{parser.shown()} finds the label maps of the others")
    return reader, parser


def _finds_poses(found: Survey, notes: _Notes) -> tuple[ComponentSpec | None, ComponentSpec | None]:
    """Return the pose encoder that fits the photos, and the one of photos without pose files."""
    others = use_defaults("pose_encoder", "photos_without_poses")
    if not found.posed:
        names = " or ".join(each.name for each in others)
        notes.texts.append(f"samples get no poses (--pose-encoder {names}, for inputs that need one)")
        return None, None
    reader = use_default("pose_encoder")
    if not found.partly_posed or not others:
        return reader, None
    notes.texts.append(f"{others[0].name} finds the poses of the others (--pose-encoder none: no poses)")
    return reader, others[0]


def _require_weights(finds_poses: ComponentSpec) -> None:
    """Download what finds missing poses before the first photo, or say how to do without it.

    Raises:
        UserError: a file is not on disk and cannot be downloaded.
    """
    try:
        for file in finds_poses.config.published_files():
            find_weights(file)
    except UserError as error:
        raise UserError(
            f"{error}; or do without: --pose-encoder {NO_POSE} makes samples without poses, --pose-encoder "
            f"{use_default('pose_encoder').name} uses only photos with a pose file"
        ) from error
