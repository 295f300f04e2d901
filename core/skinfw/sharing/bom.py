"""A CycloneDX bill of materials with the model's card (ML-BOM), from the ledger."""

from __future__ import annotations

import json
from typing import Any

from skinfw.components.registry import TRAINED
from skinfw.errors import UserError
from skinfw.evaluation.metric_tables import value_label
from skinfw.evaluation.results import Evaluation
from skinfw.licenses.ledger import LedgerRow, RowKind
from skinfw.sharing.results import SharedResults
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import AnySpec

_MODEL = "model"
"""The reference of the shared model within the bill."""

_TYPES: dict[RowKind, str] = {"code": "library", "weights": "machine-learning-model", "data": "data"}


def bill_of_materials(
    spec: AnySpec, results: SharedResults, license_expression: str | None
) -> dict[str, Any]:
    """Return the bill as JSON, in the form of CycloneDX 1.6.

    Args:
        spec: the spec of the run.
        results: its results.
        license_expression: the license of the weights, a normalized SPDX expression; None for none.

    Raises:
        UserError: the package cyclonedx-python-lib is missing.
    """
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError as error:
        raise UserError("a bill of materials needs another package: pip install 'skinfw[share]'") from error
    sha256 = results.record["checkpoint"]["sha256"]
    model = Component(
        name=spec.name,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=_MODEL,
        version=sha256[:12],
        hashes=_hashes(sha256),
        licenses=_licenses(license_expression),
    )
    bom = Bom(components=[_component(number, row) for number, row in enumerate(results.ledger.rows)])
    bom.metadata.component = model
    bom.register_dependency(model, bom.components)
    made: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    # the library has no class for model cards
    made["metadata"]["component"]["modelCard"] = _card(spec, results.evaluation)
    return made


def _component(number: int, row: LedgerRow) -> Any:
    """Return a row of the ledger as a component of the bill."""
    from cyclonedx.model import ExternalReference, ExternalReferenceType, Property, XsUri
    from cyclonedx.model.component import Component, ComponentType

    links = [
        ExternalReference(type=kind, url=XsUri(address))
        for kind, address in (
            (ExternalReferenceType.DISTRIBUTION, row.address),
            (ExternalReferenceType.LICENSE, row.stated),
        )
        if address.startswith("https://")
    ]
    about = {"kind": row.kind, "commercial-use": row.commercial, "note": row.note}
    return Component(
        name=row.name,
        type=ComponentType(_TYPES[row.kind]),
        bom_ref=f"{row.kind}-{number}",
        version=row.revision or None,
        hashes=_hashes(row.sha256),
        licenses=_licenses(row.license),
        external_references=links,
        properties=[Property(name=f"skinfw:{name}", value=value) for name, value in about.items() if value],
    )


def _hashes(sha256: str) -> list[Any]:
    from cyclonedx.model import HashAlgorithm, HashType

    return [HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else []


def _licenses(expression: str | None) -> list[Any]:
    from cyclonedx.model.license import LicenseExpression

    return [] if expression is None else [LicenseExpression(expression)]


def _card(spec: AnySpec, evaluation: Evaluation) -> dict[str, Any]:
    """Return the model card: task, inputs, and the metrics of the trained network."""
    inputs: tuple[str, ...] = ("photo",)
    if isinstance(spec, SegmentationSpec):
        task, network, output = "image segmentation", spec.network, "label map"
    else:
        task, network, output = "image inpainting", spec.generator, "image"
        inputs = spec.data.input_names
    return {
        "modelParameters": {
            "task": task,
            "architectureFamily": network.name,
            "inputs": [{"format": f"image {name}"} for name in inputs],
            "outputs": [{"format": output}],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [
                {"type": value_label(key), "value": repr(value), "slice": evaluation.split}
                for key, value in evaluation.values[TRAINED].items()
                if value is not None
            ]
        },
    }
