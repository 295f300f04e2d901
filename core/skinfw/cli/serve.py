"""``skinfw serve``: paint skin in the browser, or over HTTP."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Literal

import click

from skinfw.cli.options import checkpoint_option, device_option, painting_options, trust_option


@click.command(name="serve", short_help="Paint photos in the browser or over HTTP.")
@click.argument("models", metavar="[MODEL]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--token", envvar="SKINFW_TOKEN", metavar="TEXT",
    help="What clients must send; needed with another --host. Default: $SKINFW_TOKEN.",
)  # fmt: skip
@painting_options
@checkpoint_option
@device_option
@click.option(
    "--max-megabytes", type=click.FloatRange(0, 2000, min_open=True), default=60, show_default=True,
    help="Maximum size of a request.",
)  # fmt: skip
@click.option(
    "--max-megapixels", type=click.FloatRange(0, 100, min_open=True), default=50, show_default=True,
    help="Maximum size of an image.",
)  # fmt: skip
@click.option(
    "--queue", type=click.IntRange(0, 1000), default=8, show_default=True,
    help="Jobs that may wait for each model; a further one gets the status 503.",
)  # fmt: skip
@trust_option
def command(
    models: tuple[Path, ...],
    host: str,
    port: int,
    token: str | None,
    segmenter: str | None,
    pose_encoder: str | None,
    background: str | None,
    checkpoint: Literal["best", "last"],
    device: Literal["auto", "cpu"],
    max_megabytes: float,
    max_megapixels: float,
    queue: int,
    trust: bool,
) -> None:
    """Serve each MODEL; the first is the default.

    MODEL is a run folder, a checkpoint, an exported .onnx file, a shared model like hub:ORG/NAME@COMMIT, or
    one in skinfw like skinfw:NAME (see skinfw list models). Without it, the models in skinfw are served that
    paint masks and regions.

    Open the address in a browser to mark what to paint, or send photos to /v1/paint and /v1/repair;
    /openapi.json describes the interface. Photos stay on this machine: nothing of them is kept.
    """
    from skinfw.errors import UserError

    try:
        import fastapi  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise UserError("serving needs more packages: pip install 'skinfw[serve]'") from error

    from skinfw.cli.components import optional_component
    from skinfw.models.defaults import default_painters
    from skinfw.models.hub import pinned
    from skinfw.models.named import is_named
    from skinfw.serving.limits import Limits
    from skinfw.serving.models import load_models
    from skinfw.serving.server import Server

    click.echo("loading the models", err=True)
    limits = Limits(megabytes=max_megabytes, megapixels=max_megapixels, waiting=queue)
    served = load_models(
        [pinned(model) for model in models] or default_painters(),
        queue,
        checkpoint=checkpoint,
        device=device,
        segmenter=optional_component("segmenter", segmenter, "--segmenter"),
        pose_encoder=optional_component("pose_encoder", pose_encoder, "--pose-encoder"),
        background=optional_component("generator", background, "--background"),
        trust=trust,
    )
    # a process that a shell starts in the background ignores Ctrl+C until it says otherwise
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Server(served, host=host, port=port, token=token, limits=limits) as server:
        for model in served:
            if is_named(model.segmenter):
                click.echo(f"{model.name}: {model.segmenter} finds the parts of the person", err=True)
        click.echo(f"{', '.join(model.name for model in served)}: open {server.address}; Ctrl+C ends")
        server.serve_forever()
