"""``skinfw init``: a spec to start with, which fits the photos."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skinfw.cli.options import ComponentOption

if TYPE_CHECKING:
    from skinfw.components.config import Size
    from skinfw.preparation.survey import Survey
    from skinfw.specs.spec import AnySpec

SCHEMA_FILE = "skinfw.schema.json"
"""The JSON Schema beside the spec, for editors."""


@click.command(name="init", short_help="Write a spec to start with.")
@click.argument("photos", type=click.Path(path_type=Path), required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default="spec.json", show_default=True,
    metavar="FILE", help="The spec to write. A relative path in it counts from its folder.",
)  # fmt: skip
@click.option(
    "--segmenter", cls=ComponentOption, kind="segmenter", own="what fits the photos",
    help='Finds skin, head, feet and apparel: a name, or JSON like {"type": "NAME", ...}.',
)  # fmt: skip
@click.option(
    "--pose-encoder", cls=ComponentOption, kind="pose_encoder", own="what fits the photos",
    help='Finds the pose: a name, or JSON like {"type": "NAME", ...}.',
)  # fmt: skip
@click.option(
    "--size",
    metavar="HxW",
    help="Height and width of the network's images. Default: those of the recommended spec; on a machine "
    "with a GPU, each twice as large for photos that are as high as that.",
)
@click.option("-y", "--yes", is_flag=True, help="Ask nothing and take the defaults.")
@click.option("--overwrite", is_flag=True, help="Replace the spec.")
def command(
    photos: Path | None,
    output: Path,
    segmenter: str | None,
    pose_encoder: str | None,
    size: str | None,
    yes: bool,
    overwrite: bool,
) -> None:
    """Write a spec that fits PHOTOS: a folder, an archive or a list. Without PHOTOS, it draws people.

    The command looks at the photos, asks what is not given as an option, and proposes an answer. The other
    settings are those that worked best in our measurements. Next to the spec it writes skinfw.schema.json,
    the JSON Schema for editors.
    """
    from skinfw.errors import UserError
    from skinfw.specs.first_spec import measured_size
    from skinfw.system.existing import reject_existing

    reject_existing([output], overwrite=overwrite, in_python=False)
    given = {"--segmenter": segmenter, "--pose-encoder": pose_encoder}
    if photos is None and any(given.values()):
        raise UserError("--segmenter and --pose-encoder need PHOTOS; name the folder of the photos")
    if photos is not None:
        _reject_unfit(_as_given(photos, output))
    found = None if photos is None else _look_at(photos)
    proposed = {} if found is None else _proposed(found)
    if size is None:
        fitting = measured_size(drawn=True) if found is None else _fitting(found)
        proposed["--size"] = "{}x{}".format(*fitting)
    else:
        proposed["--size"] = size
    if found is not None and any(found.shift) and segmenter is None:
        _say_misaligned(found)
    answers = _answers(proposed, {**given, "--size": size}, yes)
    dataset = None
    if photos is not None:
        dataset = {
            "root": _as_given(photos, output),
            "segmenter": _component("segmenter", answers["--segmenter"], "--segmenter"),
            "pose_encoder": _component("pose_encoder", answers["--pose-encoder"], "--pose-encoder"),
            **(_missing(found, given, answers) if found is not None else {}),
        }
    _write(output, _size(answers["--size"]), dataset, found)


def _reject_unfit(path: str) -> None:
    """Reject a path that a spec would expand."""
    from skinfw.components.variables import VARIABLE
    from skinfw.errors import UserError

    found = VARIABLE.search(path)
    if found or path.startswith("~"):
        what = f"{found.group()} means an environment variable" if found else "~ means a home folder"
        raise UserError(f"{path}: in a spec, {what}; rename the folder, or use a symbolic link")


def _look_at(photos: Path) -> Survey:
    from skinfw.preparation.survey import survey

    found = survey(photos, photos / "samples")
    click.echo(f"{click.format_filename(photos)}: {found}")
    return found


def _say_misaligned(found: Survey) -> None:
    from skinfw.preparation.label_shifts import misalignment

    how, shift = misalignment(*found.shift), list(found.shift)
    click.echo(f"The label maps are misaligned, {how}: the proposed segmenter moves them, shift {shift}.")


def _proposed(found: Survey) -> dict[str, str]:
    """Return the components that fit the photos: those that read files if any photo has them."""
    return {
        "--segmenter": _reader(found, "--segmenter") if found.labeled else _without_label_maps(),
        "--pose-encoder": _default("pose_encoder" if found.posed else "photos_without_poses"),
    }


def _fitting(found: Survey) -> Size:
    """Return the size to propose for the photos on this machine."""
    from skinfw.specs.first_spec import size_for_photos

    def accelerator() -> bool:
        from skinfw.system.devices import pick_device

        return pick_device().type != "cpu"

    return size_for_photos(found.sizes, accelerator)


def _missing(found: Survey, given: dict[str, str | None], answers: dict[str, str]) -> dict[str, Any]:
    """Return what finds the label maps and poses that some photos lack, for components that read files.

    An option that names the reader rejects these photos.
    """
    missing = {}
    accepted = {
        option for option, text in given.items() if text is None and answers[option] == _reader(found, option)
    }
    if found.partly_labeled and "--segmenter" in accepted:
        missing["missing_label_maps"] = _component("segmenter", _without_label_maps(), "segmenter")
    if found.partly_posed and "--pose-encoder" in accepted:
        missing["missing_poses"] = _default("photos_without_poses")
    return missing


def _reader(found: Survey, option: str) -> str:
    """Return the component that reads files, for the option that names it."""
    if option == "--pose-encoder":
        return _default("pose_encoder")
    return found.label_map_reader.shown()


def _without_label_maps() -> str:
    """Return the segmenter of photos without label maps: the parser in the package, if there is one."""
    import json

    from skinfw.models.defaults import SEGMENTING
    from skinfw.models.embedded import default_model

    parser = default_model(SEGMENTING)
    return _default(SEGMENTING) if parser is None else json.dumps(parser.segmenter)


def _default(role: str) -> str:
    from skinfw.components.registry import installed

    return installed().defaults(role)[0]


def _answers(proposed: dict[str, str], given: dict[str, str | None], yes: bool) -> dict[str, str]:
    """Return the value of each option: given, accepted or asked for."""
    from skinfw.errors import UserError

    missing = [option for option in proposed if given[option] is None]
    if missing and not yes and not can_ask():
        options = shlex.join(word for option in missing for word in (option, proposed[option]))
        raise UserError(f"questions need a terminal; give {options}, or accept these defaults with --yes")
    checks: dict[str, Callable[[str], Any]] = {
        "--segmenter": lambda text: _component("segmenter", text, "segmenter"),
        "--pose-encoder": lambda text: _component("pose_encoder", text, "pose encoder"),
        "--size": _size,
    }
    answers = {}
    for option, proposal in proposed.items():
        text = given[option]
        if text is None:
            text = proposal if yes else _ask(option, proposal, checks[option])
        checks[option](text)
        answers[option] = text
    return answers


def can_ask() -> bool:
    """Return whether somebody can answer questions."""
    return sys.stdin.isatty()


def _ask(option: str, proposal: str, check: Callable[[str], Any]) -> str:
    from skinfw.errors import UserError

    def checked(text: str) -> str:
        try:
            check(text)
        except UserError as error:  # click then asks again
            raise click.UsageError(str(error)) from None
        return text

    question = option.removeprefix("--").replace("-", " ").capitalize()
    answer: str = click.prompt(question, default=proposal, value_proc=checked)
    return answer


def _component(kind: str, text: str, option: str) -> Any:
    """Return a component as the spec names it; its paths are absolute, as they count from here."""
    from skinfw.cli.components import read_option
    from skinfw.components.reference import read_reference
    from skinfw.system.json_file import parse_json

    checked = read_option(kind, text, option)
    if text == checked.name:
        return text
    here = read_reference(kind, parse_json(text), Path.cwd())
    return {"type": here.name, **here.config.model_dump(mode="json", by_alias=True, exclude_unset=True)}


def _size(text: str) -> Size:
    from skinfw.errors import UserError
    from skinfw.specs.first_spec import measured_size

    sides = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", text.strip())
    if sides is None:
        example = "{}x{}".format(*measured_size(drawn=False))
        raise UserError(f"--size {text}: give height and width in pixels, for instance {example}")
    return int(sides[1]), int(sides[2])


def _as_given(photos: Path, output: Path) -> str:
    """Return the path of the photos for the spec: relative to its folder if it was given as relative."""
    if photos.is_absolute():
        return str(photos)
    return Path(os.path.relpath(photos, output.parent)).as_posix()


def _write(output: Path, size: Size, dataset: dict[str, Any] | None, found: Survey | None) -> None:
    """Check the spec, write it and its schema, and say what to do next."""
    from skinfw.cli.validate import in_one_line
    from skinfw.components.weights import VARIABLE
    from skinfw.specs.first_spec import first_spec
    from skinfw.specs.schema import schema_text, spec_schema
    from skinfw.specs.spec import parse_spec
    from skinfw.system.json_file import write_json, write_text

    name = re.sub(r"[^A-Za-z0-9_-]+", "-", output.stem).strip("-_") or "first"
    spec = first_spec(name, size, dataset, None if found is None else found.count, SCHEMA_FILE)
    checked = parse_spec(spec, source=str(output), folder=output.absolute().parent)
    write_text(output.with_name(SCHEMA_FILE), f"{schema_text(spec_schema())}\n")
    write_json(output, spec)
    shown = click.format_filename(output)
    click.echo(f"{shown}: {in_one_line(checked)}")
    missing = list(_missing_files(checked))
    for line in missing:
        click.echo(line)
    if missing:
        what = "it" if len(missing) == 1 else "them"
        click.echo(f"Without a network, put {what} into a folder and set {VARIABLE} to that folder.")
    click.echo(f"Next: skinfw run {shlex.quote(shown)}")


def _missing_files(spec: AnySpec) -> Iterator[str]:
    """Yield a line for each file of weights that components of a spec download, and that is not on disk."""
    from skinfw.components.weights import WeightsFile, weights_on_disk
    from skinfw.errors import UserError, listed
    from skinfw.runs.environment import components_of

    users: dict[WeightsFile, list[str]] = {}
    for each in components_of(spec):
        for file in each.config.published_files():
            users.setdefault(file, []).append(f"{each.kind.replace('_', ' ')} {each.name}")
    for file, names in users.items():
        try:
            if weights_on_disk(file) is None:
                where = f"not on this machine; skinfw run downloads it from {file.url}"
                yield f"{file.name}, for {listed(names)}, is {where}"
        except UserError as error:  # another file has its name
            yield f"{file.name}, for {listed(names)}: {error}"
