"""Errors on their way between processes."""

from __future__ import annotations

import pickle

from skinfw.errors import SpecError


def test_the_faults_of_a_spec_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(SpecError("a.json", ["$.b: wrong", "$.c: wrong too"])))
    assert (error.source, error.faults) == ("a.json", ("$.b: wrong", "$.c: wrong too"))
    assert str(error) == "a.json: 2 faults\n  $.b: wrong\n  $.c: wrong too"
