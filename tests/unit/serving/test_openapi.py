"""The interface keeps what its description promises, whatever is sent."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from skinfw.inference.inpainter import Inpainter
from skinfw.serving.app import make_app
from skinfw.serving.limits import Limits
from skinfw.serving.models import ServedModel
from skinfw.serving.worker import Worker


@pytest.fixture(scope="module")
def app(inpainter: Inpainter) -> Any:
    return make_app([ServedModel("tiny", inpainter, Worker("tiny", 8))], Worker("photos", 8), Limits())


def test_answers_are_as_described(app: Any) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 5
    for operation in operations:

        @settings(max_examples=5, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            # not every file is an image, which no schema can say
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        check()


def test_it_describes_every_address(app: Any) -> None:
    described = app.openapi()["paths"]
    assert set(described) == {"/health", "/v1/models", "/v1/holes", "/v1/paint", "/v1/repair"}
    paint = described["/v1/paint"]["post"]
    assert {"200", "401", "403", "404", "408", "413", "415", "422", "500", "503"} <= set(paint["responses"])
    assert set(paint["responses"]["200"]["content"]) == {"image/png", "application/json"}
    for path in described.values():
        for operation in path.values():
            assert operation["description"].endswith(".")
