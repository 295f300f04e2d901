"""What the configuration of every component is made of. Light: pydantic only."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

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
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from skinfw.inputs import LineStyle

Size = tuple[int, int]
"""Height and width in pixels, in this order everywhere."""


_MOST_NAMED = 20
"""Unknown fields of one object that are compared with the known ones; the others are only refused."""


def nearest(word: str, known: list[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known word most like ``word``, or an empty text."""
    if len(word) > 2 * max(map(len, known), default=0):  # comparing very long words takes minutes
        return ""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _retell(error: ErrorDetails, known: list[str], named: int) -> InitErrorDetails:
    """Give an error its fields' names where pydantic only says that one is unknown."""
    kind, message = error["type"], error["msg"]
    if kind == "extra_forbidden" and len(error["loc"]) == 1:
        name = str(error["loc"][0])
        hint = nearest(name, known) if named < _MOST_NAMED else ""
        kind, message = "unknown_field", f"unknown field{hint} (allowed: {', '.join(known) or 'none'})"
    return InitErrorDetails(type=PydanticCustomError(kind, message), loc=error["loc"], input=error["input"])


MOST_ENTRIES = 1000
"""Entries of a list or an object in a spec, at most."""

LARGEST_NUMBER = 10**15
"""No number of a spec is farther from 0, whatever its field is."""

LONGEST_TEXT = 10_000
"""Characters of a text in a spec, at most."""


def _oversized(place: tuple[str | int, ...], given: Any) -> Iterator[InitErrorDetails]:
    """Yield an error for everything that is larger than any spec needs: checking it would take long."""
    fault = ""
    if isinstance(given, dict | list | tuple):
        if len(given) > MOST_ENTRIES:
            fault = f"{len(given):,} entries; {MOST_ENTRIES:,} are allowed"
        else:
            parts = given.items() if isinstance(given, dict) else enumerate(given)
            for name, part in parts:
                yield from _oversized((*place, name), part)
    elif isinstance(given, str) and len(given) > LONGEST_TEXT:
        fault = f"a text of {len(given):,} characters; {LONGEST_TEXT:,} are allowed"
    elif isinstance(given, int | float) and LARGEST_NUMBER < abs(given) < math.inf:
        fault = "beyond any number that is meant here"
    if fault:
        yield InitErrorDetails(type=PydanticCustomError("oversized", fault), loc=place, input=given)


def _options(annotation: Any) -> list[Any]:
    """Return the alternatives of an annotation, without what annotates them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _options(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        return [option for part in get_args(annotation) for option in _options(part)]
    return [annotation]


def _parts(annotation: Any, given: Any) -> list[tuple[str | int, Any, Any]]:
    """Return the place, annotation and value of each part of a list or an object that a field is given."""
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
    """Yield an error for every value that pydantic would convert without a word, at any depth.

    It takes true as 1, and "1" as 1 or true. A literal 1 equals true as well.
    """
    options = _options(annotation)
    if isinstance(given, bool | int | float | str):
        literals = {
            type(value) for each in options if get_origin(each) is Literal for value in get_args(each)
        }
        takes = {each for each in options if isinstance(each, type)} | literals
        numbers, flags = bool(takes & {int, float}), bool in takes
        if not (numbers or flags) or takes - {int, float, bool, NoneType}:
            return
        fits = flags if isinstance(given, bool) else numbers and not isinstance(given, str)
        if not fits:
            wanted = " or ".join(["a number"] * numbers + ["true or false"] * flags)
            fault = PydanticCustomError("not_strict", f"expected {wanted}")
            yield InitErrorDetails(type=fault, loc=place, input=given)
        return
    for option in options:
        for name, part, value in _parts(option, given):
            yield from _lax((*place, name), part, value)


class StrictModel(BaseModel):
    """A frozen pydantic model that refuses unknown fields, naming the nearest known one.

    Booleans and texts do not count as numbers in it, nor numbers as booleans.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _name_known_fields(cls, value: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        given = value if isinstance(value, dict) else {}
        oversized = list(_oversized((), given))
        if oversized:
            raise ValidationError.from_exception_data(cls.__name__, oversized)
        details = [
            fault
            for name, field in fields.items()
            if name in given
            for fault in _lax((name,), field.annotation, given[name])
        ]
        try:
            result = handler(value)
        except ValidationError as error:
            told = {fault["loc"] for fault in details}
            found = [item for item in error.errors(include_url=False) if item["loc"] not in told]
            details += [_retell(item, list(fields), number) for number, item in enumerate(found)]
        if details:
            raise ValidationError.from_exception_data(cls.__name__, details)
        return result


_VARIABLE = re.compile(r"\$(\w+|\{\w+\})")


def resolve_path(value: Path, info: ValidationInfo) -> Path:
    """Return a path of a spec with ``~`` and ``$VARIABLES`` replaced, from the spec's own folder."""
    try:
        text = os.path.expandvars(value.expanduser())
    except RuntimeError:
        raise PydanticCustomError(
            "unknown_home", f"the home folder of {value.parts[0]} is not known; give the path itself"
        ) from None
    unset = _VARIABLE.search(text)
    if unset:
        name = unset.group(1).strip("{}")
        raise PydanticCustomError(
            "unset_variable",
            f"the environment variable {name} is not set; set it, or give the path itself",
        )
    if "\0" in text:
        raise PydanticCustomError("zero_byte", "the path contains a zero byte")
    folder = (info.context or {}).get("folder")
    path = Path(text) if folder is None else Path(os.path.normpath(Path(folder, text)))
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:  # a run could not write it down
        raise PydanticCustomError("no_utf8", "the path is not UTF-8; rename the folder or file") from None
    return path


OutsideKind = Literal["program", "path", "address", "hub"]
"""What a value leads to: a program that is started, a file or folder, a URL, a model on a hub."""


@dataclass(frozen=True)
class Outside:
    """Marks a field whose value leads out of skinfw: ``Annotated[str, Outside("hub")]``.

    What the spec of a stranger's run names there is refused unless the user trusts the run; see
    `skinfw.trust`.

    Attributes:
        kind: what the value leads to.
        training: whether the value is used in training only, so that a trained run can be used without it.
    """

    kind: OutsideKind
    training: bool = False


SpecPath = Annotated[Path, AfterValidator(resolve_path), Outside("path")]
"""A path in a spec: ``~`` and ``$VARIABLES`` are replaced; relative to the spec's own folder."""

ProgramPath = Annotated[Path, AfterValidator(resolve_path), Outside("program")]
"""The path of a program that the component starts; a run says so before it does."""


@dataclass(frozen=True)
class SizeRequirement:
    """The picture sizes that a network accepts.

    Attributes:
        minimum: smallest height and width in pixels.
        multiple_of: height and width must be multiples of this many pixels.
        maximum: largest height and width in pixels, or None for no limit.
        exactly: the one height and width of a network that is bound to the size it is built for, or None.
    """

    minimum: int = 1
    multiple_of: int = 1
    maximum: int | None = None
    exactly: Size | None = None

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
        if self.exactly is not None and size != self.exactly:
            height, width = self.exactly
            return f"{size[0]}x{size[1]} does not fit: it is built for {height}x{width} alone"
        return None

    def both(self, other: SizeRequirement) -> SizeRequirement:
        """Return what sizes two networks accept that are built for one size and see the same pictures."""
        limits = [limit for limit in (self.maximum, other.maximum) if limit is not None]
        return SizeRequirement(
            minimum=max(self.minimum, other.minimum),
            multiple_of=math.lcm(self.multiple_of, other.multiple_of),
            maximum=min(limits, default=None),
            exactly=self.exactly or other.exactly,
        )


class ComponentConfig(StrictModel):
    """Base of every component's configuration: frozen, no unknown fields, every field described."""

    def trained_by(self) -> Path | None:
        """Return the run folder, or the checkpoint, of the run that trained the component; None for none."""
        return None


class GeneratorConfig(ComponentConfig):
    """Base of a generator's configuration.

    Attributes:
        trainable: whether there is anything to train; without, it is a baseline and no generator of a run.
    """

    trainable: ClassVar[bool] = True

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """Input pictures without which it cannot work; a baseline is given these only."""
        return ()

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return which sizes the network accepts when it is built for ``size`` (height, width)."""
        return SizeRequirement()


class DiscriminatorConfig(ComponentConfig):
    """Base of a discriminator's configuration."""

    conditional: bool = Field(default=True, description="judge the picture together with the input pictures")

    @property
    def mixes_samples(self) -> bool:
        """Whether a picture's logits depend on the others of its batch, as under batch normalisation."""
        return False

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return which sizes the network accepts when it is built for ``size`` (height, width)."""
        return SizeRequirement()


class SegmentationNetworkConfig(ComponentConfig):
    """Base of a segmentation network's configuration."""

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return which sizes the network accepts when it is built for ``size`` (height, width)."""
        return SizeRequirement()


Region = Literal["picture", "skin"]
"""What a loss or a metric looks at: the whole picture, or the pixels of the skin region."""


class LossConfig(ComponentConfig):
    """Base of a loss's configuration.

    Attributes:
        adversarial: whether it trains the discriminator.
        judged: whether it looks at what the discriminator says, so that there must be one.
        required_inputs: input pictures that each sample must bring for it, whether the generator sees them
            or not.
    """

    adversarial: ClassVar[bool] = False
    judged: ClassVar[bool] = False
    required_inputs: ClassVar[tuple[str, ...]] = ()

    weight: float = Field(default=1.0, ge=0, description="factor of this term in the sum of losses")
    region: Region = Field(default="picture", description="pixels that count: picture or skin")
    warmup: int = Field(
        default=0,
        ge=0,
        le=1_000_000_000,
        description="steps over which the weight rises linearly from 0; 0: full at once",
    )

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return which sizes of pictures (height, width) it accepts when it is built for ``size``."""
        return SizeRequirement()

    @property
    def mixes_samples(self) -> bool:
        """Whether its term for a batch is more than a mean of what each sample gives on its own."""
        return False

    def discriminator_fault(self, discriminator: DiscriminatorConfig) -> str | None:
        """Return why it cannot train a discriminator of this configuration, or None if it can."""
        return None


class AugmentationConfig(ComponentConfig):
    """Base of an augmentation's configuration.

    Attributes:
        geometric: whether it moves pixels, so that samples with a drawn pose must bring its keypoints.
        required_inputs: input pictures that each sample must bring for it.
    """

    geometric: ClassVar[bool] = False
    required_inputs: ClassVar[tuple[str, ...]] = ()

    probability: float = Field(default=1.0, ge=0, le=1, description="share of the samples that it changes")


class PoseEncoderConfig(ComponentConfig):
    """Base of a pose encoder's configuration."""

    draw: LineStyle = Field(
        default="skeleton",
        description="how the pose is drawn for the input line: skeleton, in OpenPose's colours, or lines, "
        "plain white ones of one width",
    )


class MetricConfig(ComponentConfig):
    """Base of a metric's configuration."""

    regions: tuple[Region, ...] = Field(
        default=("picture", "skin"),
        min_length=1,
        description="regions that the metric is computed on, each on its own",
    )
