"""The region of an image that a loss or metric uses: all of it, or a mask among the inputs. Light."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from skinfw.components.field_names import SKIN
from skinfw.components.strict_model import nearest
from skinfw.errors import RegistryError

if TYPE_CHECKING:  # for the type only: the registry reads configurations, which name regions
    from skinfw.components.registry import Registry

logger = logging.getLogger("skinfw")
_warned: set[str] = set()

WHOLE = "image"
"""The region that is the whole image."""

_SHORT = {"skin": SKIN}
"""Regions with a shorter name than their mask."""

REGION_DESCRIPTION = "image, skin, or another input that is a mask, such as face, arms, hands or mask"


def region_field(region: str) -> str:
    """Return the name of the field that holds a region's mask; `WHOLE` has none.

    Example:
        >>> region_field("skin")
        'segmentation_skin'
    """
    return _SHORT.get(region, region)


def known_regions(registry: Registry | None = None) -> list[str]:
    """Return the names of all regions: the whole image, the skin, and the inputs that are masks.

    It warns once about each input that cannot be imported.

    Args:
        registry: where to look up inputs; the installed ones when None.
    """
    # the registry reads configurations, which name regions
    from skinfw.components.registry import installed

    registry = registry or installed()
    masks = [name for name in registry.names("input") if _is_mask(registry, name)]
    return [WHOLE, *_SHORT, *(name for name in masks if name not in _SHORT.values())]


def _is_mask(registry: Registry, name: str) -> bool:
    try:
        return registry.is_mask(name)
    except RegistryError as error:
        text = f"{error}; it cannot be used as a region"
        if text not in _warned:
            _warned.add(text)
            logger.warning("%s", text)
        return False


class _RegionName:
    """Checks that a region exists."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._check, core_schema.str_schema())

    def _check(self, value: str, info: ValidationInfo) -> str:
        if value in (WHOLE, *_SHORT):  # without reading manifests
            return value
        # the registry reads configurations, which name regions
        from skinfw.components.registry import installed

        registry = (info.context or {}).get("registry") or installed()
        if value in registry.names("input") and value not in _SHORT.values():
            try:
                if registry.is_mask(value):
                    return value
            except RegistryError as error:
                raise PydanticCustomError("unknown_component", "{error}", {"error": str(error)}) from None
        known = known_regions(registry)
        if value not in known:
            raise PydanticCustomError(
                "region", f"no region is called {value!r}{nearest(value, known)} (known: {', '.join(known)})"
            )
        return value

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "enum": known_regions()}


Region = Annotated[str, _RegionName()]
"""The region that a loss or metric uses."""
