"""The pydantic base model of specs and configurations. Light: pydantic only."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from skinfw.components.origin import COMPONENT, required_text

_MAX_NAMED = 20
"""Maximum unknown fields per object that are compared with the known ones; others are only rejected."""


def nearest(word: str, known: list[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known word most like ``word``, or an empty text.

    Example:
        >>> nearest("epoch", ["steps", "epochs"])
        "; did you mean 'epochs'?"
    """
    if len(word) > 2 * max(map(len, known), default=0):  # comparing very long words would take minutes
        return ""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _retell(
    error: ErrorDetails,
    fields: dict[str, FieldInfo],
    given: dict[str, Any],
    component: str | None,
    named: int,
) -> InitErrorDetails:
    """Add the known fields to pydantic's error about an unknown one, and an example to a missing one."""
    kind, message = error["type"], error["msg"]
    known = list(fields)
    if kind == "missing" and len(error["loc"]) == 1:
        message = required_text(str(error["loc"][0]), fields, given, component) or message
    elif kind == "extra_forbidden" and len(error["loc"]) == 1:
        name = str(error["loc"][0])
        hint = nearest(name, known) if named < _MAX_NAMED else ""
        kind, message = "unknown_field", f"unknown field{hint} (allowed: {', '.join(known) or 'none'})"
    return InitErrorDetails(type=PydanticCustomError(kind, message), loc=error["loc"], input=error["input"])


MAX_ENTRIES = 1000
"""Maximum entries of a list or object in a spec."""

LARGEST_NUMBER = 10**15
"""Maximum absolute value of any number in a spec."""

LONGEST_TEXT = 10_000
"""Maximum characters of a string in a spec."""


def _oversized(place: tuple[str | int, ...], given: Any) -> Iterator[InitErrorDetails]:
    """Yield an error for everything larger than any spec needs, as validating it would take long."""
    error = ""
    if isinstance(given, dict | list | tuple):
        if len(given) > MAX_ENTRIES:
            error = f"{len(given):,} entries; at most {MAX_ENTRIES:,} are allowed"
        else:
            parts = given.items() if isinstance(given, dict) else enumerate(given)
            for name, part in parts:
                yield from _oversized((*place, name), part)
    elif isinstance(given, str) and len(given) > LONGEST_TEXT:
        error = f"a string of {len(given):,} characters; at most {LONGEST_TEXT:,} are allowed"
    elif isinstance(given, int | float) and LARGEST_NUMBER < abs(given) < math.inf:
        error = "out of range"
    if error:
        yield InitErrorDetails(type=PydanticCustomError("oversized", error), loc=place, input=given)


def _options(annotation: Any) -> list[Any]:
    """Return the alternatives of a type annotation, without their metadata."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _options(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        return [option for part in get_args(annotation) for option in _options(part)]
    return [annotation]


def _parts(annotation: Any, given: Any) -> list[tuple[str | int, Any, Any]]:
    """Return the path, annotation and value of each entry of a list or object."""
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    if isinstance(given, dict) and isinstance(origin, type) and issubclass(origin, Mapping):
        return [(key, arguments[1], part) for key, part in given.items()]
    if isinstance(given, list | tuple) and isinstance(origin, type) and issubclass(origin, Collection):
        if origin is tuple and Ellipsis not in arguments:
            return [(place, *pair) for place, pair in enumerate(zip(arguments, given, strict=False))]
        return [(place, arguments[0], part) for place, part in enumerate(given)]
    return []


def _lax(place: tuple[str | int, ...], annotation: Any, given: Any) -> Iterator[InitErrorDetails]:
    """Yield an error for every value that pydantic would convert silently, at any depth.

    Pydantic accepts true as 1, and "1" as 1 or true. A literal 1 equals true as well.
    """
    options = _options(annotation)
    if isinstance(given, bool | int | float | str):
        literals = [value for each in options if get_origin(each) is Literal for value in get_args(each)]
        classes = {each for each in options if isinstance(each, type)}
        takes = classes | set(map(type, literals))
        numbers, flags = bool(takes & {int, float}), bool in takes
        if not (numbers or flags) or classes - {int, float, bool, str, NoneType}:
            return
        words = [value for value in literals if isinstance(value, str)]
        if isinstance(given, str):
            fits = str in classes or given in words
        else:
            fits = flags if isinstance(given, bool) else numbers
        if not fits:
            names = [*map(repr, words), *["a string"] * (str in classes)]
            wanted = " or ".join([*names, *["a number"] * numbers, *["true or false"] * flags])
            kind = PydanticCustomError("not_strict", f"expected {wanted}")
            yield InitErrorDetails(type=kind, loc=place, input=given)
        return
    for option in options:
        for name, part, value in _parts(option, given):
            yield from _lax((*place, name), part, value)


class StrictModel(BaseModel):
    """A frozen pydantic model that rejects unknown fields and suggests the nearest known one.

    It accepts neither booleans and strings as numbers nor numbers as booleans.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _name_known_fields(
        cls, value: Any, handler: ModelWrapValidatorHandler[Any], info: ValidationInfo
    ) -> Any:
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        given = value if isinstance(value, dict) else {}
        oversized = list(_oversized((), given))
        if oversized:
            raise ValidationError.from_exception_data(cls.__name__, oversized)
        details = [
            item
            for name, field in fields.items()
            if name in given
            for item in _lax((name,), field.annotation, given[name])
        ]
        try:
            result = handler(value)
        except ValidationError as error:
            reported = {item["loc"] for item in details}
            found = [  # without those of a reported union's members
                item
                for item in error.errors(include_url=False)
                if not any(item["loc"][: len(place)] == place for place in reported)
            ]
            component = (info.context or {}).get(COMPONENT)
            details += [_retell(item, fields, given, component, number) for number, item in enumerate(found)]
        if details:
            raise ValidationError.from_exception_data(cls.__name__, details)
        return result
