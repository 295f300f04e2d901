"""Errors on their way between processes."""

from __future__ import annotations

import pickle

from skinfw.errors import RunError, SpecError, UserError, listed


def test_the_errors_of_a_spec_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(SpecError("a.json", ["$.b: wrong", "$.c: wrong too"])))
    assert (error.source, error.errors) == ("a.json", ("$.b: wrong", "$.c: wrong too"))
    assert str(error) == "a.json: 2 errors\n  $.b: wrong\n  $.c: wrong too"


def test_a_message_is_printable_and_short_whatever_it_quotes() -> None:
    told = str(UserError(f"a{'x' * 100_000}b\x1b[31m\r\u202e\ud800\x9b: give another name\nü €"))
    assert told.startswith("axxx") and told.endswith(
        r"\x1b[31m\r\u202e\ud800\x9b: give another name" + "\nü €"
    )
    assert len(told) < 1200 and " characters) ... " in told
    told.encode()


def test_a_message_is_short_after_its_characters_were_escaped() -> None:
    told = str(UserError("\u2028" * 900 + "end"))
    assert len(told) < 1100 and told.endswith(r"\u2028end")


def test_a_message_of_very_many_lines_is_cut() -> None:
    told = str(RunError("\n".join(["line"] * 100_000)))
    assert told.splitlines()[-1] == "... and 99,960 more lines"


def test_many_names_are_counted() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(number) for number in range(100_000)], 2) == "0, 1, and 99,998 more"
