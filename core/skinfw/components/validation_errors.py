"""Formats pydantic's errors as readable lines: JSON path, error and the value found."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from skinfw.components.strict_model import nearest
from skinfw.errors import MAX_LISTED, SpecError, shortened

ELSEWHERE = "elsewhere"
"""Type of an error with one or more lines as message, each beginning with its own JSON path."""

_SHORT = 80
_TOO_FEW = "too_short"
_NO_DEFAULT = "default_factory_not_called"
"""Error type of a default that cannot be computed, because a field it depends on is invalid."""
_WITHOUT_VALUE = ("missing", "unknown_component", "length", "fractions")
_PLAIN = {
    r"^Field required$": "is required",
    r"^Value error, ": "",
    r"^(Input|List|Tuple|String|Dictionary|Set|Frozenset|Value) should ": "must ",
    r"^Input is not a valid path.*": "must be a path",
    r"greater than or equal to": "at least",
    r"less than or equal to": "at most",
    r"greater than": "above",
    r"less than": "below",
    r" after validation": "",
    r"a valid dictionary or instance of \w+": "an object",
    r"a valid dictionary": "an object",
    r"a valid (tuple|list)": "a list",
    r"a valid string": "a string",
    r"a valid integer.*": "an integer",
    r"a valid number.*": "a number",
    r"a valid boolean.*": "true or false",
}
"""Pydantic's wording, and the same in JSON's terms."""


def reject(errors: Sequence[str]) -> None:
    """Reject the field being validated if there are errors, each beginning with its own path."""
    if errors:
        raise PydanticCustomError(ELSEWHERE, "\n".join(errors))


def format_errors(error: ValidationError, value: Any) -> list[str]:
    """Format an error, one line per problem; of very many the first ones and their number.

    Args:
        error: pydantic's error.
        value: the value that was validated, as parsed JSON.

    Returns:
        lines like ``$.training.epochs: must be at least 1 (found 0)``.
    """
    lines, count = _first(error, value)
    return [*lines, *([f"and {count - len(lines):,} more"] if count > len(lines) else [])]


def spec_error(source: str, error: ValidationError, value: Any) -> SpecError:
    """Return the error that reports all errors that pydantic found.

    Args:
        source: what contains the errors, usually the path of the spec.
        error: pydantic's error.
        value: the value that was validated, as parsed JSON.
    """
    lines, count = _first(error, value)
    return SpecError(source, lines, count)


def _first(error: ValidationError, value: Any) -> tuple[list[str], int]:
    """Return the first errors, and the number of all."""
    found = error.errors(include_url=False)
    places = {item["loc"][:length] for item in found for length in range(1, len(item["loc"]))}
    # pydantic counts only valid entries: a list of one invalid entry is reported as too short as well
    true = [
        item
        for item in found
        if item["type"] != _NO_DEFAULT and not (item["type"] == _TOO_FEW and item["loc"] in places)
    ]
    lines = [line for item in true[:MAX_LISTED] for line in _lines(item, value)]
    return lines, max(len(lines), len(true))


def _lines(error: ErrorDetails, value: Any) -> list[str]:
    message = error["msg"]
    if error["type"] == ELSEWHERE:
        return message.split("\n")
    if error["type"] == "literal_error":
        message += nearest(str(error["input"]), re.findall(r"'([^']*)'", message))
    message = plain(message)
    found = "" if error["type"] in _WITHOUT_VALUE else f" (found {_short(error['input'])})"
    return [f"{_json_path(error, value)}: {message}{found}"]


def plain(message: str) -> str:
    """Return a pydantic message in plain words, for instance ``must be at least 1``.

    Example:
        >>> plain("Input should be greater than or equal to 1")
        'must be at least 1'
    """
    for pattern, words in _PLAIN.items():
        message = re.sub(pattern, words, message)
    return message


def _json_path(error: ErrorDetails, value: Any) -> str:
    """Return the JSON path of an error without pydantic's internal parts, such as a union's member."""
    text = "$"
    location = error["loc"]
    for part in location:
        known = (
            value if isinstance(value, dict) else range(len(value)) if isinstance(value, list | tuple) else ()
        )
        if part in known:
            value = value[part]
        elif error["type"] != "missing" or part != location[-1]:
            continue
        if isinstance(part, str):
            part = shortened(part, _SHORT)
        simple = isinstance(part, str) and re.fullmatch(r"[$A-Za-z_]\w*", part)
        text += f".{part}" if simple else f"[{json.dumps(part)}]"
    return text


def _short(value: Any) -> str:
    if isinstance(value, str):
        value = value[:_SHORT]  # avoids formatting all of a long text
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."
