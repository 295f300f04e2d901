"""Running all checks over a set of samples."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from skinfw.data.split import Side, group_sides
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.files import check_parts, check_sizes, parts_of
from skinfw.doctor.finding import DoctorReport, Finding, worst_first
from skinfw.doctor.fragments import check_fragments
from skinfw.doctor.leaks import check_leaks
from skinfw.doctor.masks import check_labels, check_mask
from skinfw.doctor.near_duplicates import Look, check_near_duplicates, check_people, look_of
from skinfw.doctor.opened import open_sample
from skinfw.doctor.pairs import check_pair
from skinfw.doctor.poses import check_pose
from skinfw.doctor.skin import check_skin
from skinfw.errors import DataError
from skinfw.system.processes import spread

logger = logging.getLogger("skinfw")

Progress = Callable[[int, int], None]
"""Called with the number of finished samples and the total."""


@dataclass(frozen=True)
class Examined:
    """The result of examining one sample alone.

    Attributes:
        name: the sample's name.
        findings: its errors.
        parts: the parts that it has; None if a file could not be read.
        look: identifies its image, or None if it shows nobody.
    """

    name: str
    findings: tuple[Finding, ...]
    parts: frozenset[str] | None
    look: Look | None


def examine(
    base: Path,
    names: Sequence[str],
    config: DoctorConfig,
    group: Callable[[str], str] = str,
    progress: Progress | None = None,
) -> DoctorReport:
    """Examine a set of samples.

    Args:
        base: the folder that the names are relative to.
        names: the samples, from `skinfw.data.sample_search.find_samples`.
        config: the limits.
        group: the group that the split uses for a name, as `skinfw.interfaces.Dataset.group`.
        progress: called with the number of finished samples and the total.

    Returns:
        all findings, worst first.

    Raises:
        RunError: a process ended unexpectedly.
    """
    examined = []
    for each in spread(partial(examine_sample, base=base, config=config), sorted(names), config.num_workers):
        examined.append(each)
        if progress is not None:
            progress(len(examined), len(names))
    looks = [each.look for each in examined if each.look is not None]
    findings = [finding for each in examined for finding in each.findings]
    findings += check_parts([(each.name, each.parts) for each in examined if each.parts is not None])
    sides = _sides(names, group, config)
    findings += check_near_duplicates(looks, config, sides)
    findings += check_people(looks, sides)
    return DoctorReport(len(examined), worst_first(findings))


def _sides(names: Sequence[str], group: Callable[[str], str], config: DoctorConfig) -> dict[str, Side]:
    """Return the side of the split of each sample; one side for all if it is unknown."""
    try:
        groups = {name: group(name) for name in names}
    except DataError as error:  # reported with its sample too
        logger.warning("the split is not checked, as it depends on all records: %s", error)
        return dict.fromkeys(names, "training")
    of_group, _ = group_sides(groups.values(), config.test_fraction, config.validation_fraction)
    return {name: of_group[key] for name, key in groups.items()}


def examine_sample(name: str, base: Path, config: DoctorConfig) -> Examined:
    """Examine one sample alone."""
    sample = open_sample(base / name, name)
    findings = [*sample.findings]
    for check in (
        check_sizes,
        check_mask,
        check_labels,
        check_fragments,
        check_skin,
        check_pair,
        check_leaks,
        check_pose,
    ):
        findings += check(sample, config)
    parts = None if sample.findings else parts_of(sample)
    return Examined(name, tuple(findings), parts, look_of(sample))
