"""What the configuration of every component is made of. Light: pydantic only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

Size = tuple[int, int]
"""Height and width in pixels, in this order everywhere."""


def nearest(word: str, known: list[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known word most like ``word``, or an empty text."""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _retell(error: dict[str, Any], known: list[str]) -> InitErrorDetails:
    """Give an error its fields' names where pydantic only says that one is unknown."""
    kind, message = error["type"], error["msg"]
    if kind == "extra_forbidden" and len(error["loc"]) == 1:
        name = str(error["loc"][0])
        kind = "unknown_field"
        message = f"unknown field{nearest(name, known)} (allowed: {', '.join(known) or 'none'})"
    return InitErrorDetails(type=PydanticCustomError(kind, message), loc=error["loc"], input=error["input"])


class StrictModel(BaseModel):
    """A frozen pydantic model that refuses unknown fields and names the nearest known one."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _name_known_fields(cls, value: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            known = [field.alias or name for name, field in cls.model_fields.items()]
            details = [_retell(dict(item), known) for item in error.errors()]
            raise ValidationError.from_exception_data(cls.__name__, details) from None


_VARIABLE = re.compile(r"\$(\w+|\{\w+\})")


def _resolve_path(value: Path, info: ValidationInfo) -> Path:
    text = os.path.expandvars(value.expanduser())
    unset = _VARIABLE.search(text)
    if unset:
        name = unset.group(1).strip("{}")
        raise PydanticCustomError(
            "unset_variable",
            f"the environment variable {name} is not set; set it, or give the path itself",
        )
    folder = (info.context or {}).get("folder")
    return Path(text) if folder is None else Path(os.path.normpath(Path(folder, text)))


SpecPath = Annotated[Path, AfterValidator(_resolve_path)]
"""A path in a spec: ``~`` and ``$VARIABLES`` are replaced; relative to the spec's own folder."""


@dataclass(frozen=True)
class SizeRequirement:
    """The picture sizes that a network accepts.

    Attributes:
        minimum: smallest height and width in pixels.
        multiple_of: height and width must be multiples of this many pixels.
        maximum: largest height and width in pixels, or None for no limit.
    """

    minimum: int = 1
    multiple_of: int = 1
    maximum: int | None = None

    def fault(self, size: Size) -> str | None:
        """Return why ``size`` (height, width) is not accepted, or None if it is."""
        if min(size) < self.minimum:
            return f"{size[0]}x{size[1]} is too small: at least {self.minimum} pixels a side"
        if self.maximum is not None and max(size) > self.maximum:
            return f"{size[0]}x{size[1]} is too large: at most {self.maximum} pixels a side"
        if any(side % self.multiple_of for side in size):
            step = self.multiple_of
            near = [max(step, round(side / step) * step) for side in size]
            return (
                f"{size[0]}x{size[1]} does not fit: both sides must be multiples of {step}, "
                f"for instance {near[0]}x{near[1]}"
            )
        return None


class ComponentConfig(StrictModel):
    """Base of every component's configuration: frozen, no unknown fields, every field described."""


class GeneratorConfig(ComponentConfig):
    """Base of a generator's configuration."""

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return which sizes the network accepts when it is built for ``size`` (height, width)."""
        return SizeRequirement()


class DiscriminatorConfig(ComponentConfig):
    """Base of a discriminator's configuration."""

    conditional: bool = Field(default=True, description="judge the picture together with the input pictures")

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return which sizes the network accepts when it is built for ``size`` (height, width)."""
        return SizeRequirement()


Region = Literal["picture", "skin"]
"""What a loss or a metric looks at: the whole picture, or the pixels of the skin region."""


class LossConfig(ComponentConfig):
    """Base of a loss's configuration; ``adversarial`` says that it needs a discriminator."""

    weight: float = Field(default=1.0, ge=0, description="factor of this term in the sum of losses")
    adversarial: ClassVar[bool] = False
    region: Region = Field(default="picture", description="pixels that count: picture or skin")


class MetricConfig(ComponentConfig):
    """Base of a metric's configuration."""

    regions: tuple[Region, ...] = Field(
        default=("picture", "skin"),
        min_length=1,
        description="regions that the metric is computed on, each on its own",
    )
