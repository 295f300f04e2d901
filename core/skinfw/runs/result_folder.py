"""The folder that the results of an evaluation go to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ResultFolder(ABC):
    """A folder with ``metrics.json``, ``report.html`` and example images.

    Attributes:
        folder: the folder.
    """

    folder: Path

    @property
    def metrics_path(self) -> Path:
        """The metrics as JSON."""
        return self.folder / "metrics.json"

    @property
    def report_path(self) -> Path:
        """The report, an HTML page; it shows the images below `test_samples_folder`."""
        return self.folder / "report.html"

    @property
    @abstractmethod
    def test_samples_folder(self) -> Path:
        """The example images of the last evaluation, which the next one replaces.

        Raises:
            DataError: it is a link that leads out of the folder.
        """

    @abstractmethod
    def check_held(self) -> None:
        """Check that the folder is still the one in which the work started.

        Raises:
            RunError: somebody removed or replaced it meanwhile.
        """
