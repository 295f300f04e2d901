"""The ablation file: one spec, its variants, seeds and sizes. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from skinfw.ablation.published import PublishedTable, published_tables
from skinfw.components.strict_model import StrictModel, nearest
from skinfw.components.validation_errors import spec_error
from skinfw.errors import SpecError
from skinfw.system.json_file import read_json

Seed = Annotated[int, Field(ge=0, lt=2**32)]
FolderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
"""A name that is also a folder name: letters, digits, dot, dash and underscore, at most 40 characters."""

Patch = dict[str, Any]
"""A JSON merge patch on a spec (RFC 7396)."""

_NAME_RULE = "letters, digits, dot, dash and underscore, at most 40 characters"


def _reject_unknown(name: str, known: list[str], what: str) -> None:
    if name not in known:
        raise PydanticCustomError(
            "unknown_name",
            f"no {what} is named {name!r}{nearest(name, known)} (available: {', '.join(known)})",
        )


class AblationSize(StrictModel):
    """The size of an ablation: the same question, answered in a minute or on a cluster."""

    patch: Patch = Field(
        default_factory=dict, description="merge patch for the base, applied before that of the variant"
    )
    seeds: tuple[Seed, ...] | None = Field(
        default=None, min_length=1, description="seeds at this size; null: those of the ablation"
    )
    variants: tuple[FolderName, ...] | None = Field(
        default=None, min_length=1, description="variants at this size; null: all"
    )
    conclusive: bool = Field(
        default=True,
        description="whether results may answer the question; false for a size that only shows that all "
        "variants run: the results say so, rank nothing and are compared with nothing",
    )


class AblationSpec(StrictModel):
    """A spec, its variants, and the seeds of each."""

    schema_: str | None = Field(default=None, alias="$schema", description="JSON Schema for editors")
    skinfw: Literal[1] = Field(default=1, description="version of the file's format")
    name: FolderName = Field(description=f"name of the ablation and of its folder: {_NAME_RULE}")
    title: str = Field(default="", description="title of the page; the name by default")
    question: str = Field(default="", description="the question that the ablation answers, in a sentence")
    base: str | dict[str, Any] = Field(
        description="path of a spec, relative to this file, or a spec itself; need not be complete, but each "
        "variant must be. Relative paths in variants have the same base as in the spec: the spec's folder, "
        "or that of this file"
    )
    variants: dict[FolderName, Patch] = Field(
        min_length=1,
        description="merge patch (RFC 7396) for the base by variant name, in the order of the tables; "
        "{} is the base itself, null removes a field, a list replaces a list",
    )
    seeds: tuple[Seed, ...] = Field(
        default=(0,), min_length=1, description="seeds with which each variant is trained"
    )
    sizes: dict[FolderName, AblationSize] = Field(
        default_factory=dict, description="named sizes, chosen with --size"
    )
    size: str | None = Field(
        default=None,
        validate_default=True,
        description="default size; null: the base as it is",
    )
    compare_to: str | None = Field(
        default=None, description="reference variant for comparisons; null: the first one"
    )
    published: str | None = Field(
        default=None,
        description="table of the report to show for comparison: inputs, losses, mask, conditioning",
    )
    published_rows: dict[str, str] = Field(
        default_factory=dict,
        validate_default=True,
        description="row of that table by variant, if its name differs from the variant's",
    )

    @field_validator("variants")
    @classmethod
    def _check_variants(cls, value: dict[str, Patch]) -> dict[str, Patch]:
        # folder names that differ only in case are the same on some systems
        if len({name.lower() for name in value}) != len(value):
            raise PydanticCustomError("variants", "two variants differ only in case")
        return value

    @field_validator("seeds")
    @classmethod
    def _check_seeds(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) != len(value):
            raise PydanticCustomError("seeds", "duplicate seed; name each once")
        return value

    @field_validator("sizes")
    @classmethod
    def _check_sizes(cls, value: dict[str, AblationSize], info: ValidationInfo) -> dict[str, AblationSize]:
        for size in value.values():
            for name in size.variants or ():
                if "variants" in info.data:
                    _reject_unknown(name, list(info.data["variants"]), "variant")
            if size.seeds is not None:
                cls._check_seeds(size.seeds)
        return value

    @field_validator("size")
    @classmethod
    def _check_size(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and "sizes" in info.data:
            _reject_unknown(value, list(info.data["sizes"]), "size")
        return value

    @field_validator("compare_to")
    @classmethod
    def _check_compared(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and "variants" in info.data:
            _reject_unknown(value, list(info.data["variants"]), "variant")
        return value

    @field_validator("published")
    @classmethod
    def _check_published(cls, value: str | None) -> str | None:
        if value is not None:
            _reject_unknown(value, list(published_tables()), "published table")
        return value

    @field_validator("published_rows")
    @classmethod
    def _check_rows(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if "published" not in info.data:  # already reported
            return value
        table = info.data["published"]
        if value and table is None:
            raise PydanticCustomError("rows", "set published to the table of these rows")
        for variant, row in value.items():
            if "variants" in info.data:
                _reject_unknown(variant, list(info.data["variants"]), "variant")
            _reject_unknown(row, list(published_tables()[str(table)].rows), f"row of {table}")
        return value

    @property
    def published_table(self) -> PublishedTable | None:
        """The report's table for comparison, or None."""
        return None if self.published is None else published_tables()[self.published]

    def to_json(self) -> dict[str, Any]:
        """Return the file with all defaults filled in."""
        return self.model_dump(mode="json", by_alias=True, exclude={"schema_"})


def parse_ablation(value: Any, source: str = "ablation") -> AblationSpec:
    """Check an ablation; its variants are checked when it is planned.

    Raises:
        SpecError: lists all errors.
    """
    try:
        return AblationSpec.model_validate(value)
    except ValidationError as error:
        if isinstance(value, dict) and "training" in value and "variants" not in value:
            reason = "is a spec, not an ablation file; run it with skinfw run, or use it as the base of one"
            raise SpecError(source, [reason]) from None
        raise spec_error(source, error, value) from None


def read_base(ablation: AblationSpec, folder: Path) -> tuple[Mapping[str, Any], Path]:
    """Return the base spec as JSON, and the base folder of its relative paths.

    Args:
        ablation: the ablation.
        folder: the ablation file's folder.

    Raises:
        SpecError: the base is a file that cannot be read or holds no object.
    """
    if isinstance(ablation.base, dict):
        return ablation.base, folder
    path = folder / ablation.base
    value = read_json(path)
    if not isinstance(value, dict):
        raise SpecError(str(path), ["$: expected an object"])
    return value, path.resolve().parent


def ablation_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of an ablation file."""
    schema = AblationSpec.model_json_schema()
    return {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "skinfw ablation"}
