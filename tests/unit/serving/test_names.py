"""The names of served models."""

from __future__ import annotations

from pathlib import Path

import pytest

from skinfw.serving.models import _name


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("hub:owner/net-1.5@0123456789abcdef0123456789abcdef01234567", "net-1.5"),
        ("hub:owner/net", "net"),
        ("exported/street.onnx", "street"),
    ],
)
def test_a_model_is_named_without_its_place(model: str, name: str) -> None:
    assert _name(Path(model)) == name
