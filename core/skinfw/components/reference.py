"""References to components inside a spec: ``{"type": name, **params}``, or a bare name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler, SerializationInfo, TypeAdapter, ValidationError, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from skinfw.components.config import ComponentConfig, GeneratorConfig
from skinfw.components.origin import COMPONENT
from skinfw.components.registry import Registry, installed
from skinfw.components.validation_errors import spec_error
from skinfw.errors import RegistryError

COMPONENT_KEY = "x-component"
"""The key in a pydantic JSON Schema that names the expected kind of component."""


@dataclass(frozen=True)
class ComponentSpec:
    """A component by name, with its checked configuration.

    Attributes:
        kind: the interface that it implements.
        name: its name in the registry.
        config: its configuration, with all defaults.
    """

    kind: str
    name: str
    config: ComponentConfig

    def to_json(self, context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the reference as in a filled spec, with paths resolved.

        Args:
            context: pydantic's context; see `skinfw.components.variables.STORED`.
        """
        return {"type": self.name, **self.config.model_dump(mode="json", by_alias=True, context=context)}

    def shown(self) -> str:
        """Return it as one would name it: its name, or JSON with what differs from the defaults."""
        given = self.config.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return json.dumps({"type": self.name, **given}) if given else self.name


ComponentLike = ComponentSpec | Mapping[str, Any] | str
"""A component: a reference, its JSON value, or its name."""


def use(kind: str, name: str, **params: Any) -> ComponentSpec:
    """Refer to a component from Python.

    Args:
        kind: the interface that it implements, for instance ``generator``.
        name: its name in the registry.
        **params: its parameters.

    Returns:
        the validated reference.

    Raises:
        RegistryError: no component has that name.
        SpecError: a parameter is invalid.

    Example:
        >>> use("generator", "pix2pix", base_channels=32).config.base_channels
        32
    """
    config_class = installed().config_class(kind, name)
    try:
        return ComponentSpec(kind, name, config_class.model_validate(params, context={COMPONENT: name}))
    except ValidationError as error:
        raise spec_error(f"{kind} {name!r}", error, params) from None


def read_component(kind: str, given: ComponentLike) -> ComponentSpec:
    """Read a component that was given by name, by its parameters, or as it is.

    Raises:
        SpecError: it does not exist, or its parameters are invalid.
    """
    value = dict(given) if isinstance(given, Mapping) else given
    try:
        return read_reference(kind, value)
    except ValidationError as error:
        raise spec_error(kind, error, value) from None


def use_defaults(kind: str, spec_field: str) -> list[ComponentSpec]:
    """Refer to the default components of a spec's field, in manifest order."""
    return [use(kind, name) for name in installed().defaults(spec_field)]


def use_default(kind: str) -> ComponentSpec:
    """Refer to the default component for the spec field named like the kind.

    Raises:
        RegistryError: the kind has no default.
    """
    found = use_defaults(kind, kind)
    if not found:
        raise RegistryError(f"no installed {kind} is the default; name one in the spec")
    return found[0]


def numbered(references: Iterable[ComponentSpec]) -> dict[str, ComponentSpec]:
    """Return references by name, in order; the second with the same name gets ``_2``, the third ``_3``.

    A generator may say itself what reports call it.

    Example:
        >>> list(numbered([use("loss", "l1"), use("loss", "l1")]))
        ['l1', 'l1_2']
    """
    found: dict[str, ComponentSpec] = {}
    for reference in references:
        config = reference.config
        first = (isinstance(config, GeneratorConfig) and config.report_name) or reference.name
        name, count = first, 1
        while name in found:
            count += 1
            name = f"{first}_{count}"
        found[name] = reference
    return found


def _reference(value: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(value, str):
        return value, {}
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        return value["type"], {key: entry for key, entry in value.items() if key != "type"}
    raise PydanticCustomError(
        "component_reference", 'expected a component: a name, or an object like {"type": "name"}'
    )


def _as_json(reference: ComponentSpec, info: SerializationInfo) -> dict[str, Any]:
    """Return a reference as JSON, in the form that the context asks for."""
    return reference.to_json(info.context)


class Slot:
    """Marks a field of a spec or configuration that holds a component of one kind.

    Use it as ``Annotated[ComponentSpec, Slot("generator")]``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(_as_json, info_arg=True),
        )

    def _validate(self, value: Any, info: ValidationInfo) -> ComponentSpec:
        if isinstance(value, ComponentSpec):
            if value.kind != self.kind:
                raise PydanticCustomError(
                    "component_kind", f"expected a {self.kind}, not the {value.kind} '{value.name}'"
                )
            return value
        name, params = _reference(value)
        registry: Registry = (info.context or {}).get("registry") or installed()
        try:
            config_class = registry.config_class(self.kind, name)
        except RegistryError as error:
            raise PydanticCustomError("unknown_component", str(error)) from None
        context = {**(info.context or {}), COMPONENT: name}
        return ComponentSpec(self.kind, name, config_class.model_validate(params, context=context))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # pydantic rejects references from elsewhere; skinfw.specs.schema turns this into one
        return {COMPONENT_KEY: self.kind}


def read_reference(kind: str, value: Any, folder: Path | None = None) -> ComponentSpec:
    """Read a component as a field of a spec does.

    Args:
        kind: the interface that it implements.
        value: a reference, its JSON value, or the component's name.
        folder: base of relative paths; None for the current folder.

    Raises:
        ValidationError: no such component, or its parameters are invalid.

    Example:
        >>> read_reference("generator", {"type": "pix2pix", "base_channels": 32}).config.base_channels
        32
    """
    slot: TypeAdapter[ComponentSpec] = TypeAdapter(Annotated[ComponentSpec, Slot(kind)])
    return slot.validate_python(value, context=None if folder is None else {"folder": folder})
