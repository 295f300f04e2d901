"""The license ledger: one row for each code, weights and data that a run used. Light: pydantic only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Commercial = Literal["yes", "no", "unknown"]
"""Whether something may be used commercially."""

RowKind = Literal["code", "weights", "data"]

_SEVERITY: tuple[Commercial, ...] = ("yes", "unknown", "no")

_VERDICTS: dict[Commercial, str] = {
    "yes": "Everything that the run used may be used commercially",
    "unknown": "Whether everything that the run used may be used commercially is unknown",
    "no": "Not everything that the run used may be used commercially",
}

Text = Annotated[str, Field(max_length=2000)]


def worst(values: Iterable[Commercial]) -> Commercial:
    """Return the most restrictive value: no, then unknown, then yes; yes if there are none.

    Example:
        >>> worst(["yes", "unknown", "yes"])
        'unknown'
    """
    return max(values, key=_SEVERITY.index, default="yes")


def best(values: Iterable[Commercial]) -> Commercial:
    """Return the least restrictive value; no if there are none."""
    return min(values, key=_SEVERITY.index, default="no")


class LedgerRow(BaseModel):
    """Something with its own license.

    Attributes:
        kind: what it is.
        name: the package, the file, or the data set's component.
        license: an SPDX expression, which may contain ``LicenseRef-...``; None if unknown.
        address: where it comes from; empty if unknown.
        revision: its version or commit; empty if unknown.
        sha256: SHA-256 of its content in hex; empty if it was not computed.
        commercial: whether it may be used commercially.
        stated: where its license is published; empty if unknown.
        note: what limits the license, or why it is unknown.
        used_by: the parts of the run that use it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: RowKind
    name: Text
    license: Text | None
    commercial: Commercial
    address: Text = ""
    revision: Text = ""
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    stated: Text = ""
    note: Text = ""
    used_by: tuple[Text, ...] = ()

    @property
    def text(self) -> str:
        """The row in short: ``weights vgg16.pth (Apache-2.0; commercial use: unknown)``."""
        name = self.license or "license unknown"
        return f"{self.kind} {self.name} ({name}; commercial use: {self.commercial})"


class Ledger(BaseModel):
    """All rows of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: Annotated[tuple[LedgerRow, ...], Field(max_length=1000)]

    @property
    def verdict(self) -> Commercial:
        """Whether the result may be used commercially, as far as licenses say: the worst row."""
        return worst(row.commercial for row in self.rows)

    @property
    def restricting(self) -> tuple[LedgerRow, ...]:
        """The rows that do not permit commercial use for certain: those with no first."""
        rows = [row for row in self.rows if row.commercial != "yes"]
        return tuple(sorted(rows, key=lambda row: _SEVERITY.index(row.commercial), reverse=True))

    @property
    def summary(self) -> str:
        """The verdict as a sentence, with the rows that restrict it."""
        rows = "; ".join(row.text for row in self.restricting)
        return f"{_VERDICTS[self.verdict]}{f': {rows}' if rows else ''}."

    def to_json(self) -> dict[str, Any]:
        """Return the verdict and the rows as JSON."""
        return {"verdict": self.verdict, "rows": [row.model_dump(mode="json") for row in self.rows]}

    @classmethod
    def from_json(cls, value: Any) -> Ledger:
        """Return the ledger that `to_json` wrote.

        Raises:
            ValueError: it is not one.
        """
        if not isinstance(value, dict):
            raise ValueError("expected an object with rows")
        return cls.model_validate({"rows": value.get("rows")})
