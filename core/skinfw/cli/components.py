"""Components named on the command line."""

from __future__ import annotations

from pydantic import ValidationError

from skinfw.components.reference import ComponentSpec, read_reference, use_default
from skinfw.components.validation_errors import format_errors
from skinfw.errors import UserError
from skinfw.specs.pinning import pinned_component
from skinfw.system.json_file import parse_json


def component_option(kind: str, text: str | None, option: str) -> ComponentSpec:
    """Read a component given as a name or as JSON, for use: models on a hub are named by their commits.

    Args:
        kind: the interface that it implements.
        text: the value of the option; None for the default of that kind.
        option: the name of the option, for messages.

    Raises:
        UserError: no such component, its parameters are invalid, or a hub does not have its model.
    """
    return use_default(kind) if text is None else pinned_component(read_option(kind, text, option))


def read_option(kind: str, text: str, option: str) -> ComponentSpec:
    """Read a component given as a name or as JSON, as it is.

    Args:
        kind: the interface that it implements.
        text: the value of the option.
        option: the name of the option, for messages.

    Raises:
        UserError: no such component, or its parameters are invalid.
    """
    try:
        value = parse_json(text) if text.lstrip().startswith("{") else text
        return read_reference(kind, value)
    except ValidationError as error:
        errors = [line.removeprefix("$: ").removeprefix("$.") for line in format_errors(error, value)]
        raise UserError(f"{option}: {'; '.join(errors)}") from None
    except ValueError as error:
        raise UserError(f"{option}: not valid JSON: {error}") from None


def optional_component(kind: str, text: str | None, option: str) -> ComponentSpec | None:
    """Read a component as `component_option` does; None if the option was not given."""
    return None if text is None else component_option(kind, text, option)
