"""The result of one check of a plugin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["passed", "failed", "skipped"]

MEANINGS = {
    "entry point": "the entry point names a package with a manifest, or a module with hooks",
    "manifest": "the manifest can be read and is valid",
    "names": "no component has the name of another installed one",
    "wheel": "manifest and modules are in the wheel that pip installs",
    "configuration": "the configuration can be imported, without torch",
    "class": "the class can be imported, and has the base class and methods of its kind",
    "contract": "the component does what skinfw expects of its kind",
    "hooks": "the hooks can be imported, and skinfw knows them and their arguments",
    "spec": "the plugin's spec is valid and uses the plugin",
    "training": "some steps of training with the spec",
}
"""What each check looks at."""


@dataclass(frozen=True)
class Result:
    """The result of one check.

    Attributes:
        check: one of `MEANINGS`.
        subject: what was checked: a component, a module or a file.
        status: passed, failed, or skipped if it could not be checked.
        reason: why it failed or was skipped; empty if it passed.
    """

    check: str
    subject: str
    status: Status
    reason: str = ""
