from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from skinfw.cli import main
from skinfw.data.excluded import excluded, write_excluded
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import CHECKS, DoctorReport, Finding
from skinfw.doctor.page import write_doctor_page

Writer = Callable[..., list[Path]]


def doctor(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["doctor", *map(str, arguments), "--num-workers", "1"])


class Headings(HTMLParser):
    """Collects the headings of articles, and what the page refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.sources: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "h3"
        self.sources += [value or "" for key, value in attrs if key in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.names.append(data)
            self._inside = False


@pytest.fixture
def samples(tmp_path: Path, write_samples: Writer) -> Path:
    write_samples(tmp_path / "people", [f"person-{index}" for index in range(4)], size=(128, 64))
    return tmp_path / "people"


def test_names_steer_no_terminal(tmp_path: Path, write_samples: Writer) -> None:
    (path,) = write_samples(tmp_path / "people", ["[red]x\x1b[2J"], size=(128, 64))
    (path / "body.png").write_bytes(b"")
    result = doctor(tmp_path / "people")
    assert result.exit_code == 1
    assert "\x1b" not in result.output and r"[red]x\x1b[2J" in result.output


def test_flagged_samples_are_excluded_on_request(samples: Path) -> None:
    write_excluded(samples, ["person-3"])
    (samples / "person-1" / "body.png").write_bytes(b"")
    untouched = doctor(samples, "--exclude", "pose")
    assert "Excluded: 0 samples" in untouched.output
    result = doctor(samples, "--exclude", "unreadable", "--exclude", "pose")
    assert result.exit_code == 1
    assert "3 samples, 1 flagged" in result.output and "Excluded: 1 sample" in result.output
    assert excluded(samples) == {"person-1", "person-3"}
    again = doctor(samples, "--exclude", "unreadable")
    assert again.exit_code == 0 and "2 samples, 0 flagged" in again.output
    assert excluded(samples) == {"person-1", "person-3"}


def test_of_near_duplicates_the_first_is_kept() -> None:
    pairs = [Finding("near duplicates", ("a", copy), 1.0, "") for copy in ("b", "c")]
    report = DoctorReport(4, (*pairs, Finding("pose", ("d",), 1.0, "")))
    assert report.of_checks({"near duplicates"}) == {"b", "c"}
    assert report.of_checks({"near duplicates", "pose"}) == {"b", "c", "d"}


def test_people_on_both_sides_cannot_be_excluded(samples: Path) -> None:
    result = doctor(samples, "--exclude", "split")
    assert result.exit_code == 2
    assert "put the samples of a person into a folder id_NUMBER" in result.output


def test_an_unknown_check_is_named(samples: Path) -> None:
    result = doctor(samples, "--exclude", "poses")
    assert result.exit_code == 2
    assert "no check is called 'poses' (there are: unreadable, size, " in result.output


def test_a_clean_set(samples: Path) -> None:
    result = doctor(samples)
    assert result.exit_code == 0, result.output
    assert "4 samples, 0 flagged" in result.output
    page = Headings((samples / "doctor.html").read_text(encoding="utf-8"))
    assert page.names == [] and page.sources == []


def test_what_is_written_is_there_though_nobody_reads_the_table(samples: Path, tmp_path: Path) -> None:
    (samples / "person-0" / "segmentation_skin.png").unlink()
    arguments = [
        sys.executable,
        "-m",
        "skinfw",
        "doctor",
        str(samples),
        "--json",
        str(tmp_path / "found.json"),
    ]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.communicate(timeout=300)
    assert json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["findings"]
    assert (samples / "doctor.html").is_file()


def test_flagged_samples_are_told_worst_first(samples: Path, tmp_path: Path) -> None:
    mask = samples / "person-2" / "segmentation_skin.png"
    pixels = np.asarray(Image.open(mask).convert("L")).copy()
    pixels[:4] = 120
    Image.fromarray(pixels).save(mask)
    (samples / "person-1" / "body.png").write_bytes(b"")
    output, json_file = tmp_path / "pages" / "look.html", tmp_path / "look.json"
    result = doctor(samples, "--output", output, "--json", json_file)
    assert result.exit_code == 1
    assert "4 samples, 2 flagged" in result.output and "unreadable" in result.output
    page = Headings(output.read_text(encoding="utf-8"))
    assert page.names == ["person-1", "person-2"]
    # everything stands in the page itself
    assert len(page.sources) == 10 and all(source.startswith("data:image/webp") for source in page.sources)
    value = json.loads(json_file.read_text(encoding="utf-8"))
    assert value["samples"] == 4 and value["flagged"] == 2
    assert value["findings"][0]["check"] == "unreadable"
    assert value["findings"][0]["samples"] == ["person-1"] and value["findings"][0]["severity"] == 100
    severities = [finding["severity"] for finding in value["findings"]]
    assert severities == sorted(severities, reverse=True)


def test_many_flagged_samples_are_on_several_pages(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skinfw.doctor.page.MAX_IMAGED", 2)
    monkeypatch.setattr("skinfw.doctor.page.MAX_LISTED", 1)
    output = tmp_path / "a page.html"
    assert doctor(samples, "--config", '{"min_side": 65}', "--output", output).exit_code == 1
    files = [output, tmp_path / "a page.2.html", tmp_path / "a page.3.html"]
    pages = [Headings(file.read_text(encoding="utf-8")) for file in files]
    assert [len(page.names) for page in pages] == [2, 1, 1]
    assert sorted(name for page in pages for name in page.names) == [f"person-{index}" for index in range(4)]
    # each page leads to the others, and only the first shows images
    for place, page in enumerate(pages):
        links = {source for source in page.sources if not source.startswith("data:")}
        assert {unquote(link) for link in links} == {file.name for file in files if file is not files[place]}
        assert any(source.startswith("data:image") for source in page.sources) == (place == 0)
    # a shorter report leaves no page of a longer one, and takes nobody else's file for one
    (tmp_path / "a page.4.html").write_text("<title>mine</title>")
    assert doctor(samples, "--output", output).exit_code == 0
    assert sorted(tmp_path.glob("*.html")) == [tmp_path / "a page.4.html", output]
    (tmp_path / "a page.4.html").rename(files[1])
    doctor(samples, "--output", output)
    assert files[1].read_text() == "<title>mine</title>"


def test_an_image_with_many_copies_does_not_fill_the_page(tmp_path: Path) -> None:
    near_duplicates = [
        Finding("near duplicates", ("first", f"copy-{index}"), 1, f"message {index}") for index in range(500)
    ]
    write_doctor_page(DoctorReport(501, tuple(near_duplicates)), tmp_path, "many", tmp_path / "doctor.html")
    text = "".join(path.read_text(encoding="utf-8") for path in tmp_path.glob("*.html"))
    assert "and 480 more" in text
    names = [name for path in tmp_path.glob("*.html") for name in Headings(path.read_text("utf-8")).names]
    assert sorted(names) == sorted(["first", *(f"copy-{index}" for index in range(500))])
    assert text.count(": message ") == 20 + 500


@pytest.mark.parametrize(
    ("flagged", "text"), [(1, "1 of 1 sample is flagged"), (0, "1 sample, none flagged")]
)
def test_one_sample_is_singular_and_the_number_of_a_reason_explained(
    tmp_path: Path, flagged: int, text: str
) -> None:
    findings = (Finding("pose", ("one",), 2, "message"),) * flagged
    write_doctor_page(DoctorReport(1, findings), tmp_path, "one", tmp_path / "doctor.html")
    page = " ".join((tmp_path / "doctor.html").read_text(encoding="utf-8").split())
    assert text in page
    assert ("Each check has a threshold" in page) == bool(flagged)


def test_the_help_names_the_page_of_the_checks() -> None:
    told = CliRunner().invoke(main, ["doctor", "--help"]).output
    (name,) = re.findall(r"docs/how-to/[\w-]+\.md", told)
    page = (Path(__file__).parents[2] / name).read_text(encoding="utf-8")
    title = re.search(r'page\s+"([^"]+)"', told)
    assert title is not None and page.startswith(f"# {' '.join(title[1].split())}\n")
    assert all(check in page for check in CHECKS)


def test_excluded_samples_are_passed_over(samples: Path) -> None:
    (samples / "person-1" / "body.png").write_bytes(b"")
    assert doctor(samples).exit_code == 1
    write_excluded(samples, ["person-1"])
    assert "3 samples, 0 flagged" in doctor(samples).output


def test_thresholds_are_options(samples: Path) -> None:
    result = doctor(samples, "--config", '{"min_side": 65}')
    assert result.exit_code == 1 and "4 samples, 4 flagged" in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--config", "{"], "--config: not valid JSON"),
        (["--config", "[1]"], "--config: give a JSON object"),
        (
            ["--config", '{"near_duplicate_distanc": 4}'],
            "Error: --config: near_duplicate_distanc: unknown field",
        ),
        (
            ["--config", json.dumps(dict.fromkeys(map(str, range(26)), 1))],
            "; --config: and 6 more\n",
        ),
        (["--test-fraction", "2"], "--test-fraction: must be below 1"),
        (["--test-fraction", "0.9", "--validation-fraction", "0.1"], "leave nothing to train on"),
    ],
)
def test_bad_options_are_told(samples: Path, arguments: list[str], told: str) -> None:
    result = doctor(samples, *arguments)
    assert result.exit_code == 2 and told in result.output and "Traceback" not in result.output


def test_the_documentation_lists_every_threshold() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "check-data.md").read_text(encoding="utf-8")
    elsewhere = ("test_fraction", "validation_fraction", "num_workers")
    fields = {name: field for name, field in DoctorConfig.model_fields.items() if name not in elsewhere}
    for name, field in fields.items():
        assert f"| `{name}` | {field.default:g} | {field.description} |" in page


def test_a_folder_without_samples(tmp_path: Path) -> None:
    assert doctor(tmp_path).exit_code == 2
    result = doctor(tmp_path / "nowhere")
    assert result.exit_code == 2 and "no such folder" in result.output
