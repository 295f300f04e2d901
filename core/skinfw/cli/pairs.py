"""Pairs of photos and results, and their segmentation, from the command line."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from skinfw.cli.components import component_option, optional_component
from skinfw.components.reference import ComponentSpec, use_defaults
from skinfw.data.layouts import Layout
from skinfw.errors import UserError, counted
from skinfw.preparation.finders import on_disk
from skinfw.repair.pairs import Pairing, find_pairs, read_pairs
from skinfw.repair.parsing import Parser, ParserReference

logger = logging.getLogger("skinfw")


def parser_reference(
    segmenter: str | None,
    pose_encoder: ComponentSpec | None,
    parse_person: Path | None,
    parse_result: Path | None,
    parse_segmenter: str | None,
    *,
    default_poses: bool = False,
) -> ParserReference:
    """Return what finds skin, garments and poses in pictures, from the options of that name.

    Args:
        segmenter: segments photos and results; None: label maps beside them, or the model in the package.
        pose_encoder: finds poses, or None.
        parse_person: label maps of photos.
        parse_result: label maps of results.
        parse_segmenter: reads these label maps.
        default_poses: whether poses beside photos, or the default pose encoder, are used without one.

    Raises:
        UserError: an option is invalid, names a missing path, or has no use.
    """
    reader = None
    if parse_segmenter is not None:
        if parse_person is None and parse_result is None:
            raise UserError("--parse-segmenter reads the maps of --parse-person and --parse-result; give one")
        reader = component_option("segmenter", parse_segmenter, "--parse-segmenter").to_json()
    for option, path in (("--parse-person", parse_person), ("--parse-result", parse_result)):
        if path is not None and not path.exists():
            raise UserError(f"{option}: {path}: no such file or folder")
    found = optional_component("segmenter", segmenter, "--segmenter")
    return ParserReference(
        segmenter=None if found is None else found.to_json(),
        pose_encoder=None if pose_encoder is None else pose_encoder.to_json(),
        person=parse_person,
        result=parse_result,
        reader=reader,
        default_poses=default_poses,
    )


def make_pairing(person: Path, result: Path, layout: Layout, pairs: Path | None, parser: Parser) -> Pairing:
    """Pair photos and results by the options of that name.

    Raises:
        UserError: a path is missing.
        DataError: as `find_pairs` and `read_pairs`.
    """
    for what, path in (("photo or folder of photos", person), ("result or folder of results", result)):
        if not path.exists():
            raise UserError(f"{path}: no such {what}; check the path")
    if pairs is not None:
        return read_pairs(pairs, person, result)
    return find_pairs(person, result, layout, parser.sources)


def with_optional_poses(parser: Parser, pairing: Pairing) -> Parser:
    """Return a parser that measures photos without the pose file that it reads without a pose.

    A line says how many there are, and what to give instead.
    """
    encoder = parser.pose_encoder
    count = len(pairing.pairs)
    posed = 0 if encoder is None else sum(on_disk(encoder, pair.person) for pair in pairing.pairs)
    if encoder is None or posed == count:
        return parser
    others = " or ".join(each.name for each in use_defaults("pose_encoder", "photos_without_poses"))
    logger.info(
        "%s, %d with a pose file: %s measured without poses; give --pose-encoder %s for hands and sleeves",
        counted(count, "photo"), posed, "the others are" if posed else "all are", others,
    )  # fmt: skip
    return replace(parser, pose_optional=True)
