"""``skinfw pack``: sample folders to tar shards."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="pack", short_help="Pack sample folders into tar shards.")
@click.argument("data", type=click.Path(path_type=Path))
@click.argument("shards", type=click.Path(path_type=Path))
@click.option(
    "--shard-size", type=click.IntRange(min=1), metavar="MIB",
    help="Maximum size of a shard in MiB; a larger sample gets its own. Default: 1024.",
)  # fmt: skip
@click.option(
    "--shuffle", type=click.IntRange(min=0), metavar="SEED",
    help="Shuffle the samples with this seed. Default: sorted by name. Training does not depend on it.",
)  # fmt: skip
@click.option(
    "--duplicate-distance", type=click.IntRange(0, 16),
    help="Bits of 64 in which duplicates, which the split keeps together, may differ. Default: 4.",
)  # fmt: skip
def command(
    data: Path, shards: Path, shard_size: int | None, shuffle: int | None, duplicate_distance: int | None
) -> None:
    """Pack the samples in DATA, sample folders as skinfw prepare writes them, into the folder SHARDS.

    SHARDS gets plain tar files and index.jsonl, which says where each sample is. Copy the folder to any disk
    or server; the data set {"type": "shards", "root": ...} reads it from there.
    """
    from skinfw.preparation.config import NEAR_DUPLICATE
    from skinfw.preparation.pack import SHARD_MIB, pack
    from skinfw.system.bar import progress_bar

    try:
        with progress_bar("pack") as progress:
            report = pack(
                data,
                shards,
                shard_mib=shard_size or SHARD_MIB,
                shuffle=shuffle,
                duplicate_distance=NEAR_DUPLICATE if duplicate_distance is None else duplicate_distance,
                progress=progress,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Interrupted; nothing was written.") from None
    click.echo(f"{report.summary()}: {click.format_filename(shards)}")
