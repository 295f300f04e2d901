"""The errors that skinfw raises deliberately: each says what is wrong, where, and what to do."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

LONGEST_LINE = 1000
"""Maximum characters per line of a message; longer lines are cut in the middle."""

MAX_LINES = 40
"""Maximum lines of a message; the rest is counted."""

MAX_LISTED = 20
"""Maximum errors or names that a message lists; the rest is counted."""

# control characters (terminal escape sequences begin with one), marks that change the text direction, and
# lone surrogates, which no terminal can print; line feeds stay
_UNPRINTABLE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return a text that is safe to print: control characters and lone surrogates are escaped."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def shortened(text: str, longest: int = LONGEST_LINE) -> str:
    """Return a text of about ``longest`` characters at most; its middle is replaced by a count."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} ... ({len(text) - 2 * half:,} characters) ... {text[-half:]}"


def listed(items: Sequence[str], most: int = MAX_LISTED) -> str:
    """Return items separated by commas; those after the first ``most`` are counted.

    Example:
        >>> listed(["anna", "ben", "cleo"], most=2)
        'anna, ben, and 1 more'
    """
    shown = [shortened(item, 200) for item in items[:most]]
    more = [f"and {len(items) - most:,} more"] if len(items) > most else []
    return ", ".join([*shown, *more])


def counted(number: int, what: str) -> str:
    """Return a number with its noun, for instance ``1 sample`` or ``2,000 samples``.

    Example:
        >>> counted(2000, "sample")
        '2,000 samples'
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def message(text: str) -> str:
    """Return a message that is safe to show: printable, and short whatever it quotes."""
    lines = text.split("\n")
    more = [f"... and {len(lines) - MAX_LINES:,} more lines"] if len(lines) > MAX_LINES else []
    # shorten before escaping, which is slow, and after it, as escaping turns one character into six
    return "\n".join([*(shortened(printable(shortened(line))) for line in lines[:MAX_LINES]), *more])


class SkinfwError(Exception):
    """Base of every error that skinfw raises deliberately; the command line prints it without a traceback.

    Its text may quote untrusted input, so it is printable and short.
    """

    exit_code = 1

    def __str__(self) -> str:
        return message(super().__str__())


class UserError(SkinfwError):
    """Something that you can fix: an argument, a file, a folder, a value."""

    exit_code = 2


class ArgumentError(UserError, TypeError):
    """A keyword that a function does not have."""


class SpecError(UserError):
    """One or more errors in a spec, all reported at once: one in a single line, several in a list.

    Args:
        source: what contains the errors, usually the path of the spec.
        errors: one line per error, each beginning with its JSON path.
        count: the number of errors, if ``errors`` holds only the first ones.
    """

    def __init__(self, source: str, errors: Sequence[str], count: int | None = None) -> None:
        self.source = source
        self.errors = tuple(errors)
        self.count = count or len(self.errors)
        if self.count == 1:
            super().__init__(f"{source}: {self.errors[0]}")
            return
        shown = [f"  {line}" for line in self.errors[:MAX_LISTED]]
        more = [f"  and {self.count - len(shown):,} more"] if self.count > len(shown) else []
        super().__init__("\n".join([f"{source}: {self.count:,} errors", *shown, *more]))

    def __reduce__(self) -> tuple[type[SpecError], tuple[str, tuple[str, ...], int]]:
        # unpickling rebuilds an error from other processes from these arguments, not from its text
        return type(self), (self.source, self.errors, self.count)


class DataError(UserError):
    """An image, label map, keypoint file or data folder that cannot be used."""


class RegistryError(UserError):
    """A component, manifest or plugin that cannot be found, read or imported."""


class RunError(UserError):
    """A run folder or checkpoint that is missing, in the way, unreadable or not writable."""


class NotFiniteError(RunError):
    """A network returned NaN or infinity instead of values for an image or label map."""


class TrustError(UserError):
    """A spec from somebody else names a program, path or address that nobody allowed."""


class TrainingError(SkinfwError):
    """Training cannot go on, for instance because a loss is not finite."""


def first_line(error: Exception) -> str:
    """Return the first line of a library's error message; the error's type if it is empty."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def write_error_text(error: OSError) -> str:
    """Return why something cannot be written, and what to do if only another path helps."""
    if error.errno in (errno.EISDIR, errno.ENOTDIR, errno.EEXIST):
        there = "a folder" if error.errno == errno.EISDIR else "a file"
        return f"{there} is in the way; give another path"
    return error.strerror or str(error)
