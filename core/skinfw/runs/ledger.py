"""The license ledger of a run: what it uses, and under which licenses. Light: no torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from skinfw.components.relocate import license_for_others
from skinfw.components.strict_model import nearest
from skinfw.errors import SpecError
from skinfw.licenses.ledger import Ledger, LedgerRow
from skinfw.runs.folder import Run
from skinfw.runs.ledger_rows import LedgerRows
from skinfw.specs.spec import AnySpec
from skinfw.system.json_file import read_json

if TYPE_CHECKING:
    from skinfw.runs.checkpoints import Checkpoint


def ledger_of(
    spec: AnySpec, *, data_sha256: str = "", hooks: Iterable[str] = (), read: bool = True
) -> Ledger:
    """Return a row for each code, weights and data that a run with a spec uses; what is unknown says so.

    Nothing is downloaded. Weights that are not on disk have the SHA-256 that their publisher names, if any.

    Args:
        spec: the spec.
        data_sha256: fingerprint of the data, if they were read.
        hooks: the distributions whose hooks observed the run.
        read: whether files that the spec names may be read, to know them by their hashes.
    """
    rows = LedgerRows(spec.licenses.declared, read)
    rows.run(spec, data_sha256, hooks)
    return Ledger(rows=tuple(rows.found.values()))


def ledger_of_run(run: Run, checkpoint: Checkpoint) -> Ledger:
    """Return the ledger of a run that trained a checkpoint; see `ledger_of`.

    Args:
        run: the run, whose folder records the hooks.
        checkpoint: its checkpoint.
    """
    try:
        hooks = read_json(run.environment_path)["hooks"]
    except (SpecError, KeyError, TypeError):  # the record is missing or incomplete
        hooks = {}
    return ledger_of(
        run.spec, data_sha256=checkpoint.progress.data, hooks=tuple(hooks), read=checkpoint.trusted
    )


def ledger_for_others(ledger: Ledger) -> Ledger:
    """Return a ledger without paths of this machine; see `skinfw.components.relocate.license_for_others`."""
    return Ledger.from_json({"rows": [license_for_others(row) for row in ledger.to_json()["rows"]]})


def require_permitted(spec: AnySpec, source: str, hooks: Iterable[str] = ()) -> None:
    """Reject a spec that asks for commercial use, if anything it uses does not permit that for certain.

    Args:
        spec: the spec.
        source: its name in the error.
        hooks: the distributions whose hooks will observe the run.

    Raises:
        SpecError: it declares something that the run does not use, or a row of the ledger does not permit
            commercial use, or it is unknown; the message names the rows.
    """
    if not (spec.licenses.commercial or spec.licenses.declared):
        return
    ledger = ledger_of(spec, hooks=hooks)
    names = [row.name for row in ledger.rows if row.kind != "code"]
    errors = [
        f"$.licenses.declared: the run uses no {name!r}{nearest(name, names)} (it uses: {', '.join(names)})"
        for name in spec.licenses.declared
        if name not in names
    ]
    if spec.licenses.commercial:
        errors += [
            f"$.licenses.commercial: {row.text}{_reason(row)}; use something else"
            + ("" if row.kind == "code" else f", or declare it in $.licenses.declared.{row.name}")
            for row in ledger.restricting
        ]
    if errors:
        raise SpecError(source, errors)


def _reason(row: LedgerRow) -> str:
    users = f", used by {', '.join(row.used_by)}" if row.used_by else ""
    return f"{users}{f': {row.note}' if row.note else ''}"
