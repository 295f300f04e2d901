"""What a pipeline makes of its arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinfw.errors import ArgumentError
from skinfw.pipeline import Pipeline, run
from skinfw.specs.spec import parse_spec


@pytest.fixture(params=["spec", "value", "file"])
def given(request: pytest.FixtureRequest, tiny_spec: Callable[..., Any], tmp_path: Path) -> Any:
    """One spec in every form that a pipeline takes."""
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(tiny_spec()))
    return {"spec": parse_spec(tiny_spec()), "value": tiny_spec(), "file": path}[request.param]


def test_keywords_replace_the_fields_of_a_spec_in_every_form(given: Any) -> None:
    pipeline = Pipeline(given, name="other", training={"steps": 1})
    assert (pipeline.spec.name, pipeline.spec.training.steps) == ("other", 1)
    assert pipeline.output == Path("runs", "other")


def test_a_keyword_that_means_nothing_is_told_with_the_nearest(given: Any) -> None:
    with pytest.raises(ArgumentError, match=r"'ouput' is neither an argument nor .*; did you mean 'output'"):
        Pipeline(given, name="other", ouput="runs/x")
    with pytest.raises(TypeError):
        run(given, ouput="runs/x")  # type: ignore[call-arg]
