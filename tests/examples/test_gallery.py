"""The gallery that `make docs` builds shows every example, and never a photo."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture
def gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The hook, with its own folder of runs, in which the small runs exist already."""
    pytest.importorskip("mkdocs", reason="the gallery needs the extra docs")
    description = importlib.util.spec_from_file_location("gallery", ROOT / "docs" / "gallery.py")
    assert description is not None and description.loader is not None
    module = importlib.util.module_from_spec(description)
    monkeypatch.setitem(sys.modules, "gallery", module)  # dataclasses look it up
    description.loader.exec_module(module)
    monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    real = module.small_run
    monkeypatch.setattr(module, "small_run", lambda path: make_run(tmp_path / "small" / path.stem))
    module.real_small_run = real  # type: ignore[attr-defined]
    yield module


def make_run(folder: Path, dataset: str = "mannequins", page: str = "report.html") -> Path:
    """Write what a run leaves behind; each of its test images is of one color."""
    images = folder / "samples" / "test"
    images.mkdir(parents=True, exist_ok=True)
    (folder / page).write_text('<img src="samples/test/best-1-output.png"><a href="#top">top</a>')
    (folder / "spec.json").write_text(json.dumps({"data": {"dataset": {"type": dataset}}}))
    (folder / "weights.safetensors").write_bytes(b"heavy")
    for row, rank in enumerate(("best", "median", "worst")):
        for column, part in enumerate(("apparel_head_foot", "output", "target")):
            color = (80 * row, 80 * column, 0)
            Image.new("RGB", (8, 16), color).save(images / f"{rank}-1-{part}.png")
    return folder / page


def built(gallery: ModuleType, site: Path) -> str:
    """Build the page and what it links to, and return the page."""
    gallery.on_post_build(SimpleNamespace(site_dir=str(site)))
    page = SimpleNamespace(file=SimpleNamespace(src_uri="gallery.md"))
    markdown = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    text: str = gallery.on_page_markdown(markdown, page, None, None)
    return text


def test_every_example_has_a_card_and_every_link_a_file(gallery: ModuleType, tmp_path: Path) -> None:
    text = built(gallery, tmp_path / "site")
    assert "make docs` puts" not in text
    for path in (*EXAMPLES.glob("*.json"), *(EXAMPLES / "report").glob("*.json")):
        assert f'id="{path.stem}"' in text and path.relative_to(ROOT).as_posix() in text
    links = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert len(links) > 20 and all((tmp_path / "site" / "gallery" / link).is_file() for link in links)
    question = json.loads((EXAMPLES / "report" / "mask.json").read_text(encoding="utf-8"))["question"]
    assert question in text and "<li>without mask</li>" in text


def test_mkdocs_takes_the_hook(gallery: ModuleType) -> None:
    """Whatever is called on_... must be one of its events."""
    from mkdocs.plugins import EVENTS

    events = {name.removeprefix("on_") for name in vars(gallery) if name.startswith("on_")}
    assert events and events <= set(EVENTS)


def test_other_pages_stay_as_they_are(gallery: ModuleType) -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="index.md"))
    assert gallery.on_page_markdown("<!-- cards -->", page, None, None) == "<!-- cards -->"


def test_specs_of_drawn_people_show_a_report(gallery: ModuleType, tmp_path: Path) -> None:
    make_run(tmp_path / "runs" / "quickstart")
    found = {card.path.stem: card for card in gallery.cards()}
    assert found["quickstart"].page == tmp_path / "runs" / "quickstart" / "report.html"
    assert found["region"].page == tmp_path / "small" / "region" / "report.html"
    assert found["region"].note.startswith("Trained small for this page: 400 drawn people, 8 epochs.")
    assert {name for name, card in found.items() if card.page} == {"quickstart", "region"}


def test_photos_and_weights_are_not_published(gallery: ModuleType, tmp_path: Path) -> None:
    for name in ("quickstart", "photos", "mask"):
        make_run(tmp_path / "runs" / name, "photos", "ablation.html" if name == "mask" else "report.html")
    built(gallery, tmp_path / "site")
    site = tmp_path / "site" / "gallery"
    assert not any((site / name / "report.html").exists() for name in ("photos", "report/mask"))
    assert not (site / "report" / "mask" / "ablation.html").exists()
    assert (site / "quickstart" / "report.html").exists()  # of the small run
    assert (site / "quickstart" / "samples" / "test" / "best-1-output.png").exists()
    assert not list(site.rglob("*.safetensors"))


def test_only_what_a_page_links_to_is_published(gallery: ModuleType, tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs" / "mask" / "a b-0").parent
    (run / "evaluations" / "photos").mkdir(parents=True)
    other = ("evaluations/photos/report.html", "samples/test/photo.png", "../ablation.csv", "../../me.png")
    for path in other:
        (run / path).write_text("not drawn")
    (run / "report.html").write_text(
        "".join(f'<a href="{path}">' for path in (other[0], other[3], "https://a.b/c", "gone.png"))
        + '<img src="samples/test/best-1-output.png"><img src="data:image/png;base64,AA==">'
    )
    page = tmp_path / "runs" / "mask" / "ablation.html"
    page.write_text('<a href="a%20b-0/report.html">report</a>')
    gallery.copy_page(page, tmp_path / "site")
    published = {path.relative_to(tmp_path / "site").as_posix() for path in files(tmp_path / "site")}
    assert published == {"ablation.html", "a b-0/report.html", "a b-0/samples/test/best-1-output.png"}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_ablation_on_drawn_people_shows_its_page(gallery: ModuleType, tmp_path: Path) -> None:
    make_run(tmp_path / "runs" / "mask" / "with_mask-0")
    (tmp_path / "runs" / "mask" / "ablation.html").write_text("the page")
    assert 'href="report/mask/ablation.html"' in built(gallery, tmp_path / "site")
    make_run(tmp_path / "runs" / "mask" / "with_mask-1", "photos")
    assert 'href="report/mask/ablation.html"' not in built(gallery, tmp_path / "site")


def test_the_strip_shows_input_output_and_truth_of_three_images(gallery: ModuleType, tmp_path: Path) -> None:
    image = gallery.strip(make_run(tmp_path / "run").parent)
    assert image is not None
    width = 8 * 192 // 16
    assert image.size == (9 * width + 2 * 12, 192)
    for row in range(3):
        for column in range(3):
            x = row * (3 * width + 12) + column * width
            assert {image.getpixel((x + inside, 100)) for inside in (0, width - 1)} == {
                (80 * row, 80 * column, 0)
            }
    (tmp_path / "run" / "samples" / "test" / "worst-1-output.png").unlink()
    assert gallery.strip(tmp_path / "run") is None


def test_a_small_run_that_fails_stops_the_build(gallery: ModuleType, tmp_path: Path) -> None:
    from mkdocs.exceptions import PluginError

    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(PluginError, match=r"broken\.json: cannot be run for the gallery: "):
        gallery.real_small_run(tmp_path / "broken.json")


def test_a_small_run_is_kept_until_its_spec_or_the_code_changes(
    gallery: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[list[str]] = []

    def run(command: list[str], **_: Any) -> Any:
        trained.append(command)
        make_run(Path(command[command.index("-o") + 1]))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(gallery.subprocess, "run", run)
    spec = tmp_path / "spec.json"
    for text in ("{}", "{}", "{ }"):
        spec.write_text(text)
        assert gallery.real_small_run(spec).is_file()
    monkeypatch.setattr(gallery, "code_fingerprint", lambda classes: "of other code")
    gallery.real_small_run(spec)
    assert len(trained) == 3 and "data.dataset.count=400" in trained[0]
