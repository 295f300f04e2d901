import re
from pathlib import Path

from skinfw.ablation.published import PUBLISHED_METRICS, published_tables

ROOT = Path(__file__).parents[3]


def test_the_values_are_those_of_the_page_on_the_report() -> None:
    page = (ROOT / "docs" / "explanation" / "report.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)
    shown = [dict(zip(PUBLISHED_METRICS, map(float, row), strict=True)) for row in rows]
    shipped = [values for table in published_tables().values() for values in table.values.values()]
    assert len(shipped) == 10
    assert shipped == shown


def test_each_table_names_its_section_and_rows() -> None:
    tables = published_tables()
    assert {name: table.section for name, table in tables.items()} == {
        "inputs": "6.1.3.1",
        "losses": "6.1.3.2",
        "mask": "6.1.3.3",
        "conditioning": "6.1.3.4",
    }
    assert tables["losses"].rows["l1_adversarial"] == "L1+Adv"
    assert tables["mask"].value("with_mask", "image/psnr") == 27.4
    assert tables["mask"].value("with_mask", "skin/psnr") is None
    assert tables["mask"].value("other", "image/psnr") is None
