"""Names of licenses, and what they permit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.licenses._spdx import LICENSES

from skinfw.licenses.ledger import Ledger, LedgerRow, best, worst
from skinfw.licenses.packages import package_row
from skinfw.licenses.terms import PERMITTING, Terms, commercial_use, normalized


def test_every_known_license_is_a_name_of_spdx() -> None:
    known = {each["id"] for each in LICENSES.values()}
    assert set(PERMITTING) <= known


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (None, "unknown"),
        ("MIT", "yes"),
        ("CC-BY-NC-4.0", "no"),
        ("CC-BY-NC-SA-3.0", "no"),
        ("LicenseRef-own", "unknown"),
        ("MIT AND LicenseRef-own", "unknown"),
        ("CC-BY-NC-4.0 AND LicenseRef-own", "no"),
        ("CC-BY-NC-4.0 OR LicenseRef-own", "unknown"),
        ("CC-BY-NC-4.0 OR MIT", "yes"),
        # AND binds closer than OR
        ("CC-BY-NC-4.0 AND LicenseRef-own OR MIT", "yes"),
        ("CC-BY-NC-4.0 AND (LicenseRef-own OR MIT)", "no"),
        ("(CC-BY-NC-4.0 OR MIT) AND (MIT OR LicenseRef-own)", "yes"),
        ("Apache-2.0 WITH LLVM-exception AND MIT", "yes"),
        ("GPL-3.0-only WITH Classpath-exception-2.0 AND LicenseRef-own", "unknown"),
    ],
)
def test_commercial_use_of_an_expression(expression: str | None, expected: str) -> None:
    assert commercial_use(expression) == expected
    if expression is not None:
        assert normalized(expression.lower().replace("licenseref-own", "LicenseRef-own")) == expression


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gpl-3.0", "GPL-3.0-only"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("(AGPL-3.0 OR MIT) AND GPL-2.0-or-later", "(AGPL-3.0-only OR MIT) AND GPL-2.0-or-later"),
        ("LicenseRef-GPL-3.0", "LicenseRef-GPL-3.0"),
    ],
)
def test_names_that_spdx_deprecated_are_replaced(old: str, new: str) -> None:
    assert normalized(old) == new
    assert (commercial_use(new) == "yes") is not new.startswith("LicenseRef")


def test_what_is_not_an_expression() -> None:
    for text in ("Apache 2.0", "none of them", "", "MIT AND"):
        with pytest.raises(ValueError):
            normalized(text)


def test_terms_can_limit_a_license() -> None:
    assert Terms("Apache-2.0", "https://example.org").permits == "yes"
    assert Terms("Apache-2.0", "https://example.org", "unknown").permits == "unknown"


def test_worst_and_best() -> None:
    assert (worst(["yes", "no", "unknown"]), worst(["yes", "unknown"]), worst([])) == ("no", "unknown", "yes")
    assert (best(["no", "unknown"]), best(["no", "yes"]), best([])) == ("unknown", "yes", "no")


def test_the_verdict_is_the_worst_row_and_names_what_restricts() -> None:
    rows = [
        LedgerRow(kind="code", name="a", license="MIT", commercial="yes"),
        LedgerRow(kind="weights", name="b", license=None, commercial="unknown"),
        LedgerRow(kind="data", name="c", license="CC-BY-NC-4.0", commercial="no", sha256="0" * 64),
    ]
    ledger = Ledger(rows=tuple(rows))
    assert ledger.verdict == "no"
    assert [row.name for row in ledger.restricting] == ["c", "b"]
    assert ledger.summary.endswith(
        "commercially: data c (CC-BY-NC-4.0; commercial use: no); "
        "weights b (license unknown; commercial use: unknown)."
    )
    assert Ledger(rows=(rows[0],)).summary == "Everything that the run used may be used commercially."
    assert Ledger.from_json(ledger.to_json()) == ledger
    for broken in (
        None,
        {},
        {"rows": [{"kind": "code"}]},
        {"rows": [{**rows[0].model_dump(), "sha256": "x"}]},
    ):
        with pytest.raises(ValueError):
            Ledger.from_json(broken)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., LedgerRow]]:
    """Install a package with given lines in its metadata; returns its row."""
    package_row.cache_clear()

    def install(*lines: str) -> LedgerRow:
        place = tmp_path / "skinfw_tried-1.5.dist-info"
        place.mkdir()
        text = "\n".join(["Metadata-Version: 2.4", "Name: skinfw-tried", "Version: 1.5", *lines])
        (place / "METADATA").write_text(text, encoding="utf-8")
        (place / "RECORD").write_text("skinfw_tried/a.py,sha256=abc,3\nskinfw_tried-1.5.dist-info/RECORD,,\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        return package_row("skinfw-tried")

    yield install
    package_row.cache_clear()


@pytest.mark.parametrize(
    ("lines", "license", "commercial"),
    [
        (["License-Expression: mit or Apache-2.0"], "MIT OR Apache-2.0", "yes"),
        (["License-Expression: CC-BY-NC-4.0", "License: MIT"], "CC-BY-NC-4.0", "no"),
        (["License: Apache-2.0"], "Apache-2.0", "yes"),
        (["License: Apache 2.0"], "Apache-2.0", "yes"),
        (
            ["License: BSD", "Classifier: License :: OSI Approved :: BSD License"],
            "LicenseRef-BSD-License",
            "yes",
        ),
        (["License: BSD"], None, "unknown"),
        (["License: free for research"], None, "unknown"),
        (["Classifier: License :: Free for non-commercial use"], None, "unknown"),
        (
            [f"Classifier: License :: OSI Approved :: {name}" for name in ("MIT License", "BSD License")],
            None,
            "unknown",
        ),
        ([], None, "unknown"),
    ],
)
def test_the_license_of_a_package(
    package: Callable[..., LedgerRow], lines: list[str], license: str | None, commercial: str
) -> None:
    row = package(*lines, "Project-URL: Homepage, https://example.org/a")
    assert (row.license, row.commercial) == (license, commercial)
    assert (row.kind, row.revision, row.address) == ("code", "1.5", "https://example.org/a")
    assert len(row.sha256) == 64


def test_a_package_that_is_not_installed() -> None:
    row = package_row("skinfw-nobody")
    assert (row.license, row.commercial, row.note) == (None, "unknown", "not a package")


def test_libraries_without_a_clear_name_have_the_license_of_their_file() -> None:
    """The table holds what the license files say that come with the packages."""
    for name, ends, third in (("torchvision", "BSD-3-Clause", True), ("lpips", "BSD-2-Clause", False)):
        row = package_row(name)
        assert (row.license, row.commercial) == (ends, "yes")
        text = metadata.distribution(name).read_text("LICENSE") or ""
        if text:
            assert "Redistribution and use in source and binary forms" in text
            assert ("Neither the name of" in text) is third
