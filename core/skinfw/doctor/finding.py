"""The doctor's findings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from skinfw.errors import UserError

CheckName = Literal[
    "unreadable",
    "size",
    "mask",
    "labels",
    "fragments",
    "implausible skin",
    "misaligned",
    "skin in the input",
    "sleeve in the input",
    "skin outside the mask",
    "pose",
    "near duplicates",
    "split",
]
"""The checks."""

CHECKS: tuple[CheckName, ...] = get_args(CheckName)

MEANINGS: Mapping[CheckName, str] = {
    "unreadable": "a file is missing or cannot be read",
    "size": "images of one sample differ in size, or are tiny",
    "mask": "the skin mask is not black and white, is empty, or lies outside the person",
    "labels": "codes without a class, a palette that does not fit, or skin that differs from the mask",
    "fragments": "the person consists of several large fragments",
    "implausible skin": "the skin mask covers much of the person or the trunk, or is unlike the face",
    "misaligned": "apparel_head_foot and body differ where they must be the same; one may be shifted",
    "skin in the input": "removed skin is still visible in apparel_head_foot",
    "sleeve in the input": "apparel_head_foot shows clothes where the mask says skin",
    "skin outside the mask": "skin of the body that the mask does not cover",
    "pose": "the pose lies outside the person",
    "near duplicates": "two samples show nearly the same image",
    "split": "one person is on both sides of the split",
}
"""One line per check."""

WORST = 100.0
"""The severity of unusable samples, the maximum."""


@dataclass(frozen=True)
class Finding:
    """One error in one sample, or in a pair.

    Attributes:
        check: the check that found it.
        samples: the names of the samples, the most relevant one first.
        severity: the measured value divided by its limit, in [1, 100].
        message: what is wrong, where, and what to do.
    """

    check: CheckName
    samples: tuple[str, ...]
    severity: float
    message: str

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON."""
        return {
            "check": self.check,
            "samples": list(self.samples),
            "severity": round(self.severity, 3),
            "message": self.message,
        }


def severity_of(measured: float, allowed: float) -> float:
    """Return a measured value divided by its limit, in [1, `WORST`]."""
    return min(WORST, max(1.0, float(measured) / allowed)) if allowed > 0 else WORST


@dataclass(frozen=True)
class DoctorReport:
    """The findings in a set of samples.

    Attributes:
        samples: number of samples examined.
        findings: all findings, worst first.
    """

    samples: int
    findings: tuple[Finding, ...]

    @property
    def flagged(self) -> tuple[str, ...]:
        """The samples with errors, worst first."""
        return tuple(dict.fromkeys(name for finding in self.findings for name in finding.samples))

    def of_sample(self, name: str) -> list[Finding]:
        """Return the findings of one sample, worst first."""
        return self._by_sample.get(name, [])

    @cached_property
    def _by_sample(self) -> dict[str, list[Finding]]:
        found: dict[str, list[Finding]] = defaultdict(list)
        for finding in self.findings:
            for name in dict.fromkeys(finding.samples):
                found[name].append(finding)
        return dict(found)

    def of_checks(self, checks: Collection[CheckName]) -> set[str]:
        """Return the samples that some checks flag; of near-duplicates, the copies."""
        return {finding.samples[-1] for finding in self.findings if finding.check in checks}

    def counts(self) -> dict[CheckName, int]:
        """Return the number of samples flagged by each check."""
        pairs = {(finding.check, name) for finding in self.findings for name in finding.samples}
        found = Counter(check for check, _ in pairs)
        return {check: found[check] for check in CHECKS}

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "samples": self.samples,
            "flagged": len(self.flagged),
            "checks": self.counts(),
            "findings": [finding.to_json() for finding in self.findings],
        }


def check_names(given: Collection[str]) -> tuple[CheckName, ...]:
    """Return the checks whose samples can be excluded, by name.

    Raises:
        UserError: a name is unknown, or its samples must not be excluded.
    """
    for name in given:
        if name not in CHECKS:
            raise UserError(f"no check is called {name!r} (there are: {', '.join(CHECKS)})")
        if name == "split":
            raise UserError(
                "the check split is about people on both sides of the split; instead of excluding them, put "
                "the samples of a person into a folder id_NUMBER"
            )
    return tuple(check for check in CHECKS if check in given)


def worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return findings by descending severity, then by check and name."""
    return tuple(sorted(findings, key=lambda each: (-each.severity, CHECKS.index(each.check), each.samples)))
