"""What the documents show is true: specs are valid, Python runs, commands and links exist."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from skinfw.ablation.file import AblationSize, AblationSpec
from skinfw.ablation.plan import make_plan
from skinfw.cli import COMMANDS, main
from skinfw.components.manifest import MANIFEST
from skinfw.components.reference import use
from skinfw.components.registry import KINDS, Registry, installed
from skinfw.specs.data_spec import DataSpec
from skinfw.specs.spec import Spec, parse_spec
from skinfw.specs.training_spec import TrainingSpec
from skinfw_plugins.segmenters.config_labels import CustomLabels

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PLUGIN = ROOT / "examples" / "plugin"
DOCUMENTS = [README, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md"))]
PAGES = [*DOCUMENTS, *sorted((ROOT / "docs").rglob("*.md"))]


def _blocks(path: Path, language: str) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_readme_shows_a_valid_spec() -> None:
    specs = [json.loads(block) for block in _blocks(README, "json")]
    assert specs
    for spec in specs:
        parse_spec(spec, source="README.md")


def test_readme_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = _blocks(README, "python")
    tiny = code.replace("count=200", "count=60").replace('"epochs": 3', '"epochs": 1')
    assert tiny.count("count=60") == tiny.count('"epochs": 1') == 1
    monkeypatch.chdir(tmp_path)
    exec(compile(tiny, "README.md", "exec"), {"__name__": "__main__"})
    assert (tmp_path / capsys.readouterr().out.strip()).is_file()


@pytest.fixture
def with_plugin(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The components, and those of the example's plugin."""
    monkeypatch.syspath_prepend(PLUGIN)
    found = Registry(dict(installed().entries))
    found.add_manifest((PLUGIN / "skinfw_meantone" / MANIFEST).read_text(encoding="utf-8"), "the example")
    return found


@pytest.mark.parametrize("path", PAGES, ids=_relative)
def test_code_blocks_are_valid(path: Path, with_plugin: Registry) -> None:
    for block in _blocks(path, "json"):
        value = json.loads(block)
        if "variants" in value:
            make_plan(value)
        elif "skinfw" in value:
            parse_spec(value, source=path.name, registry=with_plugin)
        elif path.stem == "published-data":
            dataset = value.get("data", {}).get("dataset", value)
            use("dataset", dataset.pop("type"), **dataset)
        elif path.stem == "segment" and "type" in value:
            use("segmenter", value.pop("type"), **value)
        elif path.stem == "segment":
            CustomLabels.model_validate(value)
    for block in _blocks(path, "python"):
        compile(block, path.name, "exec")


def _commands(path: Path) -> Iterator[list[str]]:
    """Yield the arguments of every ``skinfw`` command that a page shows."""
    for block in _blocks(path, "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            names = [Path(word).name for word in words]
            if "skinfw" in names:
                arguments = words[names.index("skinfw") + 1 :]
                yield arguments[: arguments.index(">")] if ">" in arguments else arguments


@pytest.mark.parametrize("path", PAGES, ids=_relative)
def test_commands_exist_with_their_options(path: Path) -> None:
    context = click.Context(main, info_name="skinfw")
    for name, *arguments in filter(None, _commands(path)):
        command = main.get_command(context, name)
        assert command is not None, name
        command.make_context(name, arguments, parent=context)


def test_commands_are_found_in_pages() -> None:
    shown = {arguments[0] for path in PAGES for arguments in _commands(path) if arguments}
    assert {"run", "validate", "prepare", "evaluate", "compare", "ablate", "generate"} <= shown


@pytest.mark.parametrize("path", DOCUMENTS, ids=_relative)
def test_make_targets_exist(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"\bmake (\w+)", "\n".join(_blocks(path, "bash")))
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("path", PAGES, ids=_relative)
def test_relative_links_lead_to_files(path: Path) -> None:
    """Also where the checkout is read as it is: no page exists only after ``make docs``."""
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=_relative)
def test_links_to_sections_lead_to_headings(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]*\.md|)#([^)\s]+)\)", path.read_text(encoding="utf-8"))
    assert [
        (page, anchor)
        for page, anchor in links
        if anchor not in _anchors(path.parent / page if page else path)
    ] == []


def _anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings; the build of the docs checks those of Python objects."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_generated_parts_say_how_to_print_the_same(generate: ModuleType) -> None:
    found = [
        part
        for path in (ROOT / "docs" / "reference").glob("*.md")
        for part in re.findall(
            r"^<!-- generated: (\w+) -->\n(.*)\n<!-- end -->$", path.read_text("utf-8"), re.MULTILINE
        )
    ]
    assert sorted(name for name, _ in found) == sorted(generate.PARTS)
    for name, note in found:
        assert note.startswith("*`make docs` writes") and "`skinfw " in note, name
        text = generate.on_page_markdown(
            f"a\n<!-- generated: {name} -->\n{note}\n<!-- end -->\nb", *[None] * 3
        )
        assert text == f"a\n{generate.PARTS[name]()}\nb" and "make docs" not in text


def test_images_are_small() -> None:
    images = list((ROOT / "docs" / "images").iterdir())
    assert images
    assert all(image.stat().st_size < 200_000 for image in images)


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    pytest.importorskip("mkdocs", reason="the generated pages need the extra docs")
    description = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert description is not None and description.loader is not None
    module = importlib.util.module_from_spec(description)
    description.loader.exec_module(module)
    return module


def test_generated_pages_name_everything(generate: ModuleType) -> None:
    spec, components, commands = generate.spec_text(), generate.components_text(), generate.commands_text()
    for prefix, model in (("", Spec), ("data.", DataSpec), ("training.", TrainingSpec)):
        fields = [field.alias or name for name, field in model.model_fields.items()]
        sections = ("data", "training") if model is Spec else ()
        assert [name for name in fields if name not in sections and f"| `{prefix}{name}` |" not in spec] == []
    segmentation = generate.segmentation_text()
    sections = {path.rstrip(".") for _, path, _ in generate.SEGMENTATION_PARTS}
    for _, prefix, model in generate.SEGMENTATION_PARTS:
        names = [field.alias or name for name, field in model.model_fields.items()]
        fields = [name for name in names if prefix or name not in sections]
        assert [name for name in fields if f"| `{prefix}{name}` |" not in segmentation] == []
    ablation = generate.ablation_text()
    for prefix, model in (("", AblationSpec), ("sizes.NAME.", AblationSize)):
        fields = [field.alias or name for name, field in model.model_fields.items()]
        assert [name for name in fields if f"| `{prefix}{name}` |" not in ablation] == []
    own = [entry for kind in KINDS for entry in generate.entries(kind)]
    assert {entry.name for entry in own} <= {name for _, name in installed().entries}
    assert [entry for entry in own if f"{{ #{entry.kind}-{entry.name} }}" not in components] == []
    assert [name for name in COMMANDS if f"## `skinfw {name}`" not in commands] == []
    metrics = generate.metrics_table()
    assert [each.name for each in own if each.kind == "metric" and f"| `{each.name}` |" not in metrics] == []


def test_generated_tables_have_four_cells_a_row(generate: ModuleType) -> None:
    rows = [line for line in generate.components_text().splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
