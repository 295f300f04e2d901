"""What happens to a pair that cannot be used: it is recorded with the reason, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from skinfw.errors import DataError, NotFiniteError, SkinfwError, first_line, message


@contextmanager
def recorded(failed: dict[str, str], name: str) -> Iterator[None]:
    """Record why a pair cannot be used, instead of raising the error.

    Errors that would come back for every pair, such as a file that cannot be written, are raised.

    Args:
        failed: the reasons by the names of the pairs; this pair's is added.
        name: the name of the pair.

    Example:
        >>> failed = {}
        >>> with recorded(failed, "anna"):
        ...     raise ValueError("no channel")
        >>> failed
        {'anna': 'ValueError: no channel'}
    """
    try:
        yield
    except (DataError, NotFiniteError) as error:
        failed[name] = str(error)
    except SkinfwError:
        raise
    except Exception as error:  # third-party components may raise anything
        text = first_line(error)
        kind = type(error).__name__
        failed[name] = message(kind if text == kind else f"{kind}: {text}")
