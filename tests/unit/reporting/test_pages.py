"""The content security policy of pages, and how long values break."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from skinfw.reporting.pages import content_policy, render_page, unbroken_parts

TEMPLATES = sorted((Path(__file__).parents[3] / "core/skinfw/reporting").glob("*.html"))


def test_a_page_allows_its_own_script_and_nothing_else() -> None:
    page = render_page("contact_sheet.html", list_file="samples.js", excluded_file="excluded.jsonl")
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'self' file: 'sha256-{digest}';" in policy
    assert page.index("Content-Security-Policy") < page.index("<script")


def test_a_page_without_scripts_allows_none() -> None:
    assert "script-src 'none'" in content_policy("<p>text</p>")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_scripts_in_attributes_and_all_share_one_head(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert text.count('<meta charset="utf-8">') == (template.name == "base.html")
    assert not re.search(r'<[^>]* on\w+="', text), "a policy forbids scripts in attributes"


def test_long_values_break_between_their_parts_only() -> None:
    for text, parts in (
        ("26.73 ± 0.25", ["26.73", "± 0.25"]),
        ("+0.31 [-0.18, +0.44], p < 0.0002", ["+0.31", "[-0.18, +0.44],", "p < 0.0002"]),
        ("-2.75e-05", ["-2.75e-05"]),
        ("41.2% [30.4%, 51.6%]", ["41.2%", "[30.4%, 51.6%]"]),
        ("-0.75", []),
        ("n/a", []),
        ("the same seed", []),
        ('["line", "mask"]', []),
    ):
        assert unbroken_parts(text) == parts
