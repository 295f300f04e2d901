"""Converts the report's dictionary (its section 6.1.1) into a spec. Light: no torch.

This translates one document into another: it names the components that the report uses, which nothing else
in core does, and builds nothing.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from skinfw.components.strict_model import StrictModel
from skinfw.components.validation_errors import format_errors
from skinfw.errors import SpecError
from skinfw.specs.run_spec import Side
from skinfw.system.json_file import parse_json

L1_WEIGHT = 100.0
"""Weight of the L1 loss next to an adversarial weight of 1: pix2pix's, as the report gives none."""

PATCH = 142
"""Side in pixels of the patches that the report's discriminator scores, from the layers in its annex."""

# printing artifacts in the annex's dictionaries: an assignment, Markdown fences and backslashes, a brace at
# the end of a page, and a bracket instead of a quote
_PRINTING = (
    (r"^\s*\w+\s*=\s*", ""),
    (r"^\s*```\w*\s*$", ""),
    (r",\s*\}\s*(?=\")", ",\n"),
    (r"\\_", "_"),
    (r"^(\s*\"\w+)\s*\)\s*:", r'\1":'),
)


_InputName = Literal["apparel_head_foot", "line", "segmentation_skin"]


class ReportConfig(StrictModel):
    """The report's dictionary, with its own field names."""

    num_epochs: int = Field(ge=1, description="passes over the training samples")
    dataset_folder_path: str = Field(min_length=1, description="glob of the folders, one per person")
    img_size: tuple[Side, Side] = Field(description="height and width of the images in pixels")
    train_batch_size: int = Field(default=32, ge=1, description="samples per step")
    test_batch_size: int = Field(default=20, ge=1, description="samples per batch in tests")
    learning_rate_generator: float = Field(default=2e-4, gt=0, description="Adam's learning rate")
    learning_rate_discriminator: float = Field(default=2e-5, gt=0, description="Adam's learning rate")
    betas: tuple[float, float] = Field(default=(0.5, 0.999), description="Adam's momenta")
    path_results: str = Field(default="", description="folder of the results")
    num_workers: int = Field(default=0, ge=0, description="processes that load samples")
    input_name_list: tuple[_InputName, ...] = Field(min_length=1, description="input images")
    add_discriminator_input_data: bool = Field(
        default=True, description="whether the discriminator sees the inputs too"
    )
    adv_loss: bool = Field(default=True, description="whether there is an adversarial loss")
    l1_loss: bool = Field(default=True, validate_default=True, description="whether there is an L1 loss")
    mask: bool = Field(default=False, description="whether only the skin region is inpainted")

    @field_validator("l1_loss")
    @classmethod
    def _check_losses(cls, value: bool, info: ValidationInfo) -> bool:
        if not value and info.data.get("adv_loss") is False:
            raise PydanticCustomError("losses", "adv_loss and l1_loss are both off; switch one on")
        return value

    @field_validator("mask")
    @classmethod
    def _check_mask(cls, value: bool, info: ValidationInfo) -> bool:
        if value and "segmentation_skin" not in info.data.get("input_name_list", ("segmentation_skin",)):
            raise PydanticCustomError("mask", "mask needs segmentation_skin in input_name_list")
        return value


def read_report(text: str, source: str) -> Any:
    """Read the report's dictionary: JSON, or Python as the report prints it.

    Args:
        text: what a person wrote or copied from the report.
        source: its name in errors.

    Raises:
        SpecError: it is neither, or has a duplicate field.
    """
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        json_error = f"{error.msg} at line {error.lineno}, column {error.colno}"
    except ValueError as error:
        raise SpecError(source, [str(error)]) from None
    for pattern, replacement in _PRINTING:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text.strip(), mode="eval")
        value = ast.literal_eval(tree)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        reason = f"neither JSON ({json_error}) nor a Python dictionary ({_python_error(error)})"
        raise SpecError(source, [reason]) from None
    twice = sorted(_names_twice(tree))
    if twice:
        raise SpecError(source, [f"duplicate field {name!r}; remove one" for name in twice])
    return value


def _python_error(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.msg} at line {error.lineno}"
    if isinstance(error, RecursionError | MemoryError):
        return "nested too deeply"
    return "it contains something other than strings, numbers, True, False, None, lists and dictionaries"


def _names_twice(tree: ast.Expression) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            names = Counter(str(key.value).strip() for key in node.keys if isinstance(key, ast.Constant))
            yield from (name for name, count in names.items() if count > 1)


def convert_report(value: Any, *, source: str = "report", name: str | None = None) -> dict[str, Any]:
    """Convert the report's dictionary into a spec, without validating it as one.

    Args:
        value: the dictionary; names and strings may have stray blanks, input names may contain dots or
            dashes, and tuples may be lists.
        source: what to call it in errors.
        name: name of the run; the last part of ``path_results`` when None.

    Raises:
        SpecError: lists all errors in the dictionary, with the nearest known name for an unknown field.
    """
    clean = _clean(value)
    if isinstance(value, dict) and len(clean) < len(value):
        raise SpecError(source, ["duplicate field, with and without blanks around its name; remove one"])
    try:
        report = ReportConfig.model_validate(clean)
    except ValidationError as error:
        raise SpecError(source, format_errors(error, clean)) from None
    return _spec(report, name or _run_name(report.path_results))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if not isinstance(value, dict):
        return value
    clean = {str(key).strip(): _clean(item) for key, item in value.items()}
    inputs = clean.get("input_name_list")
    if isinstance(inputs, list):
        clean["input_name_list"] = [
            re.sub(r"[\\_.\- ]+", "_", item) if isinstance(item, str) else item for item in inputs
        ]
    return clean


def _run_name(path_results: str) -> str:
    tail = re.split(r"[/\\]", path_results.rstrip("/\\*"))[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "_", tail).lstrip("._-")[:100] or "report"


def _spec(report: ReportConfig, name: str) -> dict[str, Any]:
    losses: list[dict[str, Any]] = []
    if report.l1_loss:
        losses.append({"type": "l1", "weight": L1_WEIGHT})
    if report.adv_loss:
        losses.append({"type": "gan", "weight": 1.0})
    discriminator = {
        "type": "patchgan",
        "patch": PATCH,
        "conditional": report.add_discriminator_input_data,
    }
    return {
        "skinfw": 1,
        "name": name,
        "data": {
            "dataset": {"type": "folder", "root": report.dataset_folder_path},
            "size": list(report.img_size),
            "inputs": list(report.input_name_list),
            "test_fraction": 0.2,
            "validation_fraction": 0.0,
            "num_workers": report.num_workers,
        },
        "generator": {"type": "pix2pix"},
        "composite": "skin" if report.mask else "none",
        **({"discriminator": discriminator} if report.adv_loss else {}),
        "losses": losses,
        "training": {
            "epochs": report.num_epochs,
            "batch_size": report.train_batch_size,
            "eval_batch_size": report.test_batch_size,
            "generator_lr": report.learning_rate_generator,
            "discriminator_lr": report.learning_rate_discriminator,
            "betas": list(report.betas),
        },
    }
