"""``skinfw share``: publish a run on the Hugging Face hub."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click


@click.command(name="share", short_help="Publish a run on the Hugging Face hub.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--to", "repo", metavar="ORG/NAME", required=True, help="The repository on the hub.")
@click.option("--dry-run", is_flag=True, help="Show what would be uploaded, and upload nothing.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Keep the folder that is uploaded, which must not exist yet.",
)  # fmt: skip
@click.option("--private", is_flag=True, help="Create the repository as a private one.")
@click.option(
    "--license", "license_expression", metavar="SPDX",
    help="The license under which you publish the weights, such as CC-BY-NC-4.0.",
)  # fmt: skip
@click.option("--bom", is_flag=True, help="Add a CycloneDX bill of materials; needs the extra share.")
@click.option("--no-onnx", is_flag=True, help="Share no exported ONNX file.")
def command(
    run: Path,
    repo: str,
    dry_run: bool,
    output: Path | None,
    private: bool,
    license_expression: str | None,
    bom: bool,
    no_onnx: bool,
) -> None:
    """Publish RUN, an evaluated run folder: its best weights, spec, metrics, licenses and a model card.

    Everybody with access can then name it, as hub:ORG/NAME@COMMIT, wherever a run folder can be named.
    Log in first with hf auth login. The spec, without places on your machine, and the names of the test
    samples become public.
    """
    from skinfw.system.existing import reject_existing

    if output is not None:
        reject_existing([output], overwrite=False, in_python=False)

    from skinfw.runs.trained import open_trained
    from skinfw.sharing.stage import stage
    from skinfw.sharing.upload import upload
    from skinfw.system.leftovers import replacing_folder, writing

    opened = open_trained(run, "best")
    with tempfile.TemporaryDirectory() if output is None else replacing_folder(output) as folder:
        with writing(output or Path(folder)):
            staged = stage(
                opened,
                Path(folder),
                repo,
                license_expression=license_expression,
                export=not no_onnx,
                bom=bom,
            )
        for name, size in staged.files.items():
            click.echo(f"{size:>13,}  {name}")
        click.echo(f"{sum(staged.files.values()):>13,}  bytes in all")
        click.echo(f"Licenses: {staged.ledger.summary}")
        if dry_run:
            click.echo(f"Nothing was uploaded to {repo}; leave out --dry-run to do it.")
            return
        click.echo(f"Shared: {upload(staged, private=private)}")
