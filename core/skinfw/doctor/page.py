"""The doctor's page: the flagged samples, worst first, with small images and the reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skinfw.doctor.finding import MEANINGS, DoctorReport
from skinfw.doctor.sample_images import VIEWS, encoded, sample_views
from skinfw.errors import RunError, counted
from skinfw.reporting.data_uri import data_uri
from skinfw.reporting.pages import render_page
from skinfw.system.json_file import write_text
from skinfw.system.regular_file import open_regular

SIDE = 200
"""Longer side of a small image in pixels."""

MAX_IMAGED = 300
"""Number of flagged samples on the first page, the worst ones, shown with images: more would
make the page too large for a browser."""

MAX_LISTED = 2000
"""Number of flagged samples on each other page, listed without images."""

MAX_FINDINGS = 20
"""Maximum number of reasons listed per sample: an image with many copies has as many, listed there too."""


_MARK = b"skinfw doctor</title>"
_HEAD = 2**14  # bytes that contain the title


def write_doctor_page(report: DoctorReport, base: Path, title: str, output: Path) -> None:
    """Write the page as one self-contained HTML file.

    If there are many flagged samples, the others are listed on further pages next to it: ``doctor.2.html``
    and so on. Pages of an earlier report are removed.

    Args:
        report: the findings.
        base: the folder that the samples' names are relative to.
        title: the title of the page.
        output: the page's file.

    Raises:
        RunError: a file cannot be written or removed.
    """
    flagged = report.flagged
    starts = [0, *range(MAX_IMAGED, len(flagged), MAX_LISTED)]
    files = [page_file(output, number) for number in range(1, len(starts) + 1)]
    counts = [(check, count, MEANINGS[check]) for check, count in report.counts().items()]
    for index, (start, end) in enumerate(zip(starts, [*starts[1:], len(flagged)], strict=True)):
        page = render_page(
            "doctor.html",
            title=title,
            samples=report.samples,
            samples_text=counted(report.samples, "sample"),
            flagged_text=f"{len(flagged):,} of {counted(report.samples, 'sample')} "
            f"{'is' if len(flagged) == 1 else 'are'} flagged",
            total=len(flagged),
            counts=counts if index == 0 else [],
            flagged=[_flagged(report, base, name, with_images=index == 0) for name in flagged[start:end]],
            views=VIEWS,
            first=start + 1,
            files=[file.name for file in files],
            current=index,
        )
        write_text(files[index], page)
    _remove_old(output, len(files) + 1)


def _flagged(report: DoctorReport, base: Path, name: str, *, with_images: bool) -> dict[str, Any]:
    findings = report.of_sample(name)
    return {
        "name": name,
        "findings": findings[:MAX_FINDINGS],
        "more": max(0, len(findings) - MAX_FINDINGS),
        "images": _images(base / name) if with_images else {},
    }


def page_file(output: Path, number: int) -> Path:
    """Return the file of a page: the output itself for number 1, ``doctor.2.html`` next to it for 2."""
    return output if number == 1 else output.with_name(f"{output.stem}.{number}{output.suffix}")


def _remove_old(output: Path, number: int) -> None:
    """Remove the pages of an earlier report from a number on, but no other files with such names."""
    while (path := page_file(output, number)).is_file():
        try:
            with open_regular(path) as file:
                if _MARK not in file.read(_HEAD):
                    return
            path.unlink()
        except OSError as error:
            raise RunError(f"{path}: cannot be removed: {error.strerror}") from error
        number += 1


def _images(folder: Path) -> dict[str, str]:
    return {
        view: data_uri(encoded(image), "image/webp") for view, image in sample_views(folder, SIDE).items()
    }
