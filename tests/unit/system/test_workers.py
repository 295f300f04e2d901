"""Processes that work on photos."""

from __future__ import annotations

import pytest
from unbuildable import Unbuildable

from skinfw.errors import RunError
from skinfw.system.workers import Workers


def test_a_process_says_why_it_cannot_start() -> None:
    """As on a node of a cluster that does not share the model."""
    with pytest.raises(RunError, match="no model on this node"):
        list(Workers(Unbuildable(), 1).rows([Unbuildable()]))
