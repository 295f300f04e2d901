"""``skinfw inspect``: a contact sheet of samples in the browser."""

from __future__ import annotations

import signal
from pathlib import Path

import click

FOLDER = "contact_sheet"


@click.command(name="inspect", short_help="Browse samples and exclude bad ones.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Folder of the sheet. Default: contact_sheet in DATA.",
)  # fmt: skip
@click.option(
    "--photos", type=click.Path(path_type=Path), metavar="FOLDER",
    help="The folder that the samples were prepared from; shows its photos too.",
)  # fmt: skip
@click.option("--serve", is_flag=True, help="Serve the sheet on this machine and save exclusions at once.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port to serve on. Default: a free one."
)
@click.option("--num-workers", type=click.IntRange(1, 256), help="Processes. Default: one per core.")
def command(
    data: Path, output: Path | None, photos: Path | None, serve: bool, port: int, num_workers: int | None
) -> None:
    """Write a contact sheet of the samples in DATA, a folder of sample folders or a glob.

    Samples that you exclude on it are listed in DATA/excluded.jsonl, and no run uses them. Without --serve
    the browser remembers them, and a button saves the file.
    """
    from skinfw.contact_sheet.build import build_sheet
    from skinfw.contact_sheet.server import SheetServer
    from skinfw.data.excluded import EXCLUDED_FILE
    from skinfw.data.sample_search import all_samples
    from skinfw.errors import UserError, counted
    from skinfw.system.bar import progress_bar

    if port and not serve:
        raise UserError("--port needs --serve")
    if photos is not None and not photos.is_dir():
        raise UserError(f"{photos}: no such folder; give the one that the samples were prepared from")
    base, names = all_samples(data.absolute())
    folder = (output or base / FOLDER).absolute()

    def build() -> Path:
        with progress_bar("inspect") as progress:
            return build_sheet(base, names, folder, photos=photos, num_workers=num_workers, progress=progress)

    if not serve:
        click.echo(f"{counted(len(names), 'sample')}: open {build()}")
        click.echo(f"Save what you exclude as {base / EXCLUDED_FILE}")
        return
    # a process that a shell starts in the background ignores Ctrl+C until it says otherwise
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with SheetServer(folder, base, names, port) as server:  # a taken port is an error before the work
        build()
        click.echo(f"{counted(len(names), 'sample')}: open {server.address}")
        click.echo(f"What you exclude is saved in {base / EXCLUDED_FILE}; Ctrl+C ends")
        server.serve_forever()
