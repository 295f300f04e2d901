"""The errors that skinfw raises on purpose: each says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence


class SkinfwError(Exception):
    """Base of every error that skinfw raises on purpose; the command line prints it without a traceback."""

    exit_code = 1


class UserError(SkinfwError):
    """Something that the user can put right: an argument, a file, a folder, a value."""

    exit_code = 2


class SpecError(UserError):
    """One or more faults in a spec, all told at once.

    Args:
        source: what was read, usually the path of the spec.
        faults: one line a fault, each beginning with its JSON path.
    """

    def __init__(self, source: str, faults: Sequence[str]) -> None:
        self.source = source
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {line}" for line in self.faults)]))

    def __reduce__(self) -> tuple[type[SpecError], tuple[str, tuple[str, ...]]]:
        # it comes from other processes too, and is made anew there from its arguments, not from its text
        return type(self), (self.source, self.faults)


class DataError(UserError):
    """A picture, label map, keypoint file or data folder that cannot be used."""


class RegistryError(UserError):
    """A component, manifest or plugin that cannot be found, read or imported."""


class RunError(UserError):
    """A run folder or checkpoint that is missing, in the way, unreadable or not writable."""


class NotFiniteError(RunError):
    """A network gives NaN or infinity where pictures or label maps were to be made of it."""


class TrainingError(SkinfwError):
    """Training cannot go on, for instance because a loss is not finite."""


def first_line(error: Exception) -> str:
    """Return the first line of what a library's error says; its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
