"""Pairs of photos and results, and their segmentation, from the command line."""

from __future__ import annotations

from pathlib import Path

from skinfw.assembly.build import build
from skinfw.cli.components import component_option
from skinfw.components.reference import ComponentSpec
from skinfw.errors import UserError
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.repair.pairs import Layout, Pairing, find_pairs, read_pairs
from skinfw.repair.parsing import Labels, Parser


def make_parser(
    segmenter: str | None,
    pose_encoder: ComponentSpec | None,
    parse_person: Path | None,
    parse_result: Path | None,
    parse_segmenter: str | None,
) -> Parser:
    """Build what finds skin, garments and poses in pictures, from the options of that name.

    Raises:
        UserError: an option is invalid, names a missing path, or has no use.
    """
    reference = component_option("segmenter", segmenter, "--segmenter")
    built = build(reference, Segmenter)
    if parse_segmenter is not None and parse_person is None and parse_result is None:
        raise UserError("--parse-segmenter reads the maps of --parse-person and --parse-result; give one")
    reader = built
    if parse_segmenter is not None:
        reader = build(component_option("segmenter", parse_segmenter, "--parse-segmenter"), Segmenter)
    maps = {"--parse-person": parse_person, "--parse-result": parse_result}
    for option, path in maps.items():
        if path is not None and not path.exists():
            raise UserError(f"{option}: {path}: no such file or folder")
    person, result = (None if path is None else Labels(reader, path) for path in maps.values())
    encoder = None if pose_encoder is None else build(pose_encoder, PoseEncoder)
    return Parser(built, encoder, person, result)


def make_pairing(person: Path, result: Path, layout: Layout, pairs: Path | None, parser: Parser) -> Pairing:
    """Pair photos and results by the options of that name.

    Raises:
        UserError: a path is missing.
        DataError: as `find_pairs` and `read_pairs`.
    """
    for option, path in (("--person", person), ("--result", result)):
        if not path.exists():
            raise UserError(f"{option}: {path}: no such file or folder")
    if pairs is not None:
        return read_pairs(pairs, person, result)
    return find_pairs(person, result, layout, parser.sources)
