"""The part of a spec about licenses. Light: no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from skinfw.components.outside import CITED
from skinfw.components.strict_model import StrictModel
from skinfw.licenses.ledger import Commercial
from skinfw.licenses.terms import normalized


def _spdx(value: str) -> str:
    try:
        return normalized(value)
    except ValueError:
        raise PydanticCustomError(
            "license",
            "not an SPDX expression such as CC-BY-4.0; see https://spdx.org/licenses, or write "
            "LicenseRef-NAME for a license without such a name",
        ) from None


class DeclaredLicense(StrictModel):
    """What you know about the license of something that a run uses."""

    license: Annotated[str, AfterValidator(_spdx)] = Field(
        description="an SPDX expression, such as CC-BY-4.0 or LicenseRef-agreement"
    )
    address: Annotated[str, CITED] = Field(default="", max_length=2000, description="where it comes from")
    revision: str = Field(default="", max_length=200, description="its version or commit")
    stated: Annotated[str, CITED] = Field(
        default="", max_length=2000, description="where its license is published"
    )
    commercial: Commercial | None = Field(
        default=None, description="whether you may use it commercially; null: as the license says"
    )
    note: Annotated[str, CITED] = Field(default="", max_length=2000, description="anything else")


class LicensesSpec(StrictModel):
    """What the licenses of everything that the run uses must permit, and those that skinfw cannot know."""

    commercial: bool = Field(
        default=False,
        description="stop before training unless everything that the run uses may be used commercially",
    )
    declared: dict[str, DeclaredLicense] = Field(
        default_factory=dict,
        description="licenses that you know, by the name in the ledger: that of the data set's component, or "
        "of a file of weights",
    )
