"""Checks of the installation: whatever is broken, each check says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from skinfw.errors import counted, first_line, message

State = Literal["ok", "absent", "warning", "error"]
"""ok; absent: something optional that is not there; warning: wrong, but skinfw works; error: it does not."""


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: what was checked.
        state: the result.
        text: what was found: a version, a path, an error.
        remedy: what to do; empty if nothing.
    """

    name: str
    state: State
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Installation:
    """What is installed, and what is wrong with it.

    Attributes:
        sections: the checks by section.
    """

    sections: dict[str, tuple[Check, ...]]

    @property
    def works(self) -> bool:
        """Whether nothing is wrong that stops skinfw."""
        return not self._count("error")

    def _count(self, state: State) -> int:
        return sum(check.state == state for checks in self.sections.values() for check in checks)

    @property
    def summary(self) -> str:
        """How much is wrong, in one line."""
        states: tuple[State, ...] = ("error", "warning")
        parts = [counted(self._count(state), state) for state in states if self._count(state)]
        if not parts:
            return "nothing is wrong"
        return f"{', '.join(parts)}: skinfw {'works' if self.works else 'does not work'}"

    def lines(self) -> Iterator[str]:
        """Yield the checks as lines of text, and the summary."""
        for section, checks in self.sections.items():
            yield section
            for check in checks:
                yield f"  {check.state:<8} {check.name}: {message(check.text)}"
                if check.remedy:
                    yield f"  {'':<8} -> {message(check.remedy)}"
        yield self.summary

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        sections = {name: [asdict(check) for check in checks] for name, checks in self.sections.items()}
        return {"works": self.works, "sections": sections}


def check_installation() -> Installation:
    """Check versions, packages, plugins, accelerators, weights and folders."""
    return Installation({section: tuple(_safely(section, each)) for section, each in _sections().items()})


def _sections() -> dict[str, Callable[[], Iterator[Check]]]:
    return {
        "Versions": _versions,
        "Plugins": _plugins,
        "Devices": _devices,
        "Weights and other files": _weights,
        "Folders": _folders,
    }


def _versions() -> Iterator[Check]:
    from skinfw.doctor.installed_packages import extra_checks, package_checks, python_checks

    yield from python_checks()
    yield from package_checks()
    yield from extra_checks()


def _plugins() -> Iterator[Check]:
    from skinfw.doctor.installed_plugins import component_checks, hook_checks

    yield from component_checks()
    yield from hook_checks()


def _devices() -> Iterator[Check]:
    from skinfw.doctor.installed_devices import device_checks

    return device_checks()


def _weights() -> Iterator[Check]:
    from skinfw.doctor.installed_files import weights_checks

    return weights_checks()


def _folders() -> Iterator[Check]:
    from skinfw.doctor.installed_files import folder_checks

    return folder_checks()


def _safely(section: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Yield checks; one that fails itself, as in a damaged installation, becomes an error."""
    try:
        yield from checks()
    except (Exception, SystemExit) as error:  # whatever is broken
        yield Check(section, "error", f"cannot be checked: {reason(error)}", "reinstall skinfw")


def reason(error: BaseException) -> str:
    """Return the type of an error and the first line of its text."""
    text = first_line(error) if isinstance(error, Exception) else str(error)
    return f"{type(error).__name__}: {text}" if text != type(error).__name__ else text
