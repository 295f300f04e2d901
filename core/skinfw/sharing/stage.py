"""The folder that is shared: weights, spec, metrics, licenses, model card and the exported network."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skinfw.components.weights import file_sha256
from skinfw.errors import SkinfwError, UserError, listed
from skinfw.evaluation.results import Evaluation
from skinfw.licenses.ledger import Ledger
from skinfw.licenses.terms import commercial_use, normalized
from skinfw.models.hub import BOM, CARD, LICENSES, METRICS, ONNX, SPEC, WEIGHTS, repository_name
from skinfw.models.hub import FILES as DOWNLOADED
from skinfw.runs.checkpoints import run_checkpoint
from skinfw.runs.folder import Run
from skinfw.sharing.bom import bill_of_materials
from skinfw.sharing.card import model_card
from skinfw.sharing.places import Places
from skinfw.sharing.results import SharedResults, shared_results
from skinfw.system.json_file import write_json, write_text

_IMAGES = {rank: f"images/{rank}.webp" for rank in ("best", "median", "worst")}
"""The test images that are shown."""

FILES = (*DOWNLOADED, BOM, *_IMAGES.values())
"""All that a staged folder can hold."""

logger = logging.getLogger("skinfw")


@dataclass(frozen=True)
class Staged:
    """A folder that is ready to be shared.

    Attributes:
        folder: the folder.
        repo: its name on the hub, ``ORG/NAME``.
        files: its files, relative to it, with their sizes in bytes.
        ledger: the licenses of everything that the run used.
    """

    folder: Path
    repo: str
    files: dict[str, int]
    ledger: Ledger


def stage(
    run: Run,
    folder: Path,
    repo: str,
    *,
    license_expression: str | None = None,
    export: bool = True,
    bom: bool = False,
) -> Staged:
    """Write what is shared of a run into an empty folder.

    Of paths and addresses in its spec, only the last part is shared; a warning names them.

    Args:
        run: the run, which was evaluated.
        folder: the folder.
        repo: its name on the hub, ``ORG/NAME``.
        license_expression: your license for the weights, an SPDX expression; None for none.
        export: whether to export the network as an ONNX file too, if it can be exported.
        bom: whether to write a bill of materials.

    Raises:
        UserError: the name or the license is invalid, the license permits what the ledger forbids, or a
            package is missing.
        RunError: the run was not evaluated since its last training.
    """
    repository_name(repo)
    checkpoint = run_checkpoint(run)  # rejects links that lead elsewhere in a run of somebody else
    results = shared_results(run)
    license_expression = _license(license_expression, results.ledger)
    places = Places.of(run, checkpoint, results.record)
    weights = folder / WEIGHTS
    weights.parent.mkdir(parents=True, exist_ok=True)
    places.write_checkpoint(checkpoint, weights)
    exported = export and _export(run, folder / ONNX)
    _warn(places)
    own = results.record
    results = _without(places, results, file_sha256(weights))
    for source, name, before, after in (
        (run.spec_path, SPEC, run.spec.to_json(), places.spec),
        (run.metrics_path, METRICS, own, results.record),
    ):
        if before == after:
            shutil.copyfile(source, folder / name)
        else:
            write_json(folder / name, after)
    if exported and results.record != own:
        from skinfw.export.onnx_file import update_metadata

        update_metadata(
            folder / ONNX,
            checkpoint_sha256=results.record["checkpoint"]["sha256"],
            ledger=results.ledger,
            license=results.ledger.summary,
        )
    write_json(folder / LICENSES, results.ledger.to_json())
    images = _images(run, folder, results.ledger)
    card = model_card(
        run.spec, results, repo, license_expression=license_expression, exported=exported, images=images
    )
    write_text(folder / CARD, card)
    if bom:
        write_json(folder / BOM, bill_of_materials(run.spec, results, license_expression))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
    return Staged(folder, repo, sizes, results.ledger)


def _warn(places: Places) -> None:
    """Warn of the places that are not shared in full, and of arguments that are shared."""
    if places.named:
        logger.warning(
            "shared without the places on your machine, only as names: %s", listed(places.named, 5)
        )
    if places.arguments:
        logger.warning(
            "shared with the arguments of programs, in which only absolute paths are shortened: %s; put no "
            "passwords there",
            listed(places.arguments, 5),
        )


def _license(expression: str | None, ledger: Ledger) -> str | None:
    """Return the normal form of a license; reject one that permits what the ledger forbids."""
    if expression is None:
        return None
    try:
        name = normalized(expression)
    except ValueError as error:
        raise UserError(
            f"license {expression!r}: {error}; write an SPDX expression such as CC-BY-NC-4.0, or "
            "LicenseRef-NAME"
        ) from error
    if commercial_use(name) == "yes" and ledger.verdict != "yes":
        if ledger.verdict == "no":
            raise UserError(
                f"license {name}: permits commercial use, which the run does not: {ledger.summary} Choose a "
                "license that does not"
            )
        logger.warning("the license %s permits commercial use: %s", name, ledger.summary)
    return name


def _without(places: Places, results: SharedResults, sha256: str) -> SharedResults:
    """Return results that name no places, of the weights with that hash."""
    record = places.removed(results.record)
    record["checkpoint"]["sha256"] = sha256
    evaluation, ledger = Evaluation.from_json(record["test"]), Ledger.from_json(record["licenses"])
    return SharedResults(record, evaluation, ledger)


def _export(run: Run, path: Path) -> bool:
    """Export the network; a warning says why it cannot be."""
    from skinfw.export.export import export_run

    try:
        export_run(run, path, script=False)
    except SkinfwError as error:
        logger.warning("shared without %s: %s", path.name, error)
        return False
    return True


def _images(run: Run, folder: Path, ledger: Ledger) -> Sequence[str]:
    """Copy the best, the median and the worst test image if the licenses of the data permit it."""
    rows = [row for row in ledger.rows if row.kind == "data"]
    if not rows or any(
        each != "yes" for row in rows for each in (commercial_use(row.license), row.commercial)
    ):
        return ()
    strips = sorted((run.test_samples_folder / "gallery").glob("*.webp"))
    if not strips:
        return ()
    chosen = dict(zip(_IMAGES.values(), (strips[0], strips[len(strips) // 2], strips[-1]), strict=True))
    for name, strip in chosen.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(strip, folder / name)
    return list(chosen)
