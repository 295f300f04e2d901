"""Where files come from that skinfw neither contains nor downloads. Light: pydantic only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

ORIGIN_KEY = "x-origin"
"""Key in a field's JSON Schema: how to get what it names, and the license."""

COMPONENT = "component"
"""Key of pydantic's context: the name of the component whose configuration is validated."""


@dataclass(frozen=True)
class Origin:
    """Marks a field that names a file or folder that you must provide: ``Annotated[SpecPath, Origin(...)]``.

    The field's ``examples`` show how to name it.

    Attributes:
        how: how to get it, for instance ``download it from https://...``.
        license: its license; empty if it is your own.
    """

    how: str
    license: str = ""

    def __str__(self) -> str:
        return f"{self.how} (license: {self.license})" if self.license else self.how

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the JSON Schema of the field that it marks."""
        return {**handler(schema), ORIGIN_KEY: str(self)}


def origin_of(field: FieldInfo) -> Origin | None:
    """Return where the file comes from that a field names; None if it does not say."""
    return next((mark for mark in field.metadata if isinstance(mark, Origin)), None)


def required_text(
    name: str, fields: Mapping[str, FieldInfo], given: Mapping[str, Any], component: str | None
) -> str | None:
    """Return the error for a required field that is missing: what it names, its origin, and an example.

    Args:
        name: the field.
        fields: all fields of its configuration.
        given: the values that were given.
        component: the name of the component; None if unknown.

    Returns:
        the text; None if the field has no example.
    """
    if not fields[name].examples:
        return None
    example = {} if component is None else {"type": component}
    for other, field in fields.items():
        if field.is_required() and (other in given or field.examples):
            example[other] = given.get(other, (field.examples or [None])[0])
    origin = origin_of(fields[name])
    steps = f"{origin}, then write" if origin else "write for instance"
    shown = json.dumps(example, ensure_ascii=False, default=str)
    return f"is required ({fields[name].description}); {steps} {shown}"
