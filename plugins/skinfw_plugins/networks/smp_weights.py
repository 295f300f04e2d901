"""Loading pretrained encoders of segmentation-models-pytorch, timm and BodyPix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import timm
from huggingface_hub import constants
from safetensors.torch import load_file
from torch import Tensor

from skinfw.assembly.without_data import without_data
from skinfw.components.weights import hub_folder
from skinfw.errors import UserError
from skinfw_plugins.networks.smp import TIMM, stride_argument
from skinfw_plugins.networks.smp_config import (
    BODYPIX,
    BODYPIX_ENCODERS,
    BODYPIX_STRIDE,
    WEIGHTS_SUFFIX,
    SmpConfig,
)


def load_pretrained(owner: str, config: SmpConfig, network: Any, incoming: int) -> None:
    """Load the encoder's pretrained weights, if the configuration asks for some.

    The first convolution is repeated for the red, green and blue of each input image.

    Args:
        owner: the component's name, for errors.
        config: the encoder and its weights.
        network: the result of `build_network` for it.
        incoming: input channels.

    Raises:
        UserError: the weights do not exist, are for another network, or are not on disk and cannot be
            downloaded.
    """
    if config.encoder_weights is None:
        return
    if config.encoder in BODYPIX_ENCODERS:
        pretrained = _bodypix(owner, config, incoming)
    elif config.encoder_weights.endswith(WEIGHTS_SUFFIX):
        pretrained = _from_file(owner, config, Path(config.encoder_weights), incoming)
    else:
        _check_weights(owner, config.encoder, config.encoder_weights)
        pretrained = _published(owner, config, incoming)
    network.encoder.load_state_dict(pretrained.state_dict())


def _bodypix(owner: str, config: SmpConfig, incoming: int) -> Any:
    """Return an encoder with the weights of BodyPix 2."""
    from skinfw_plugins.networks.bodypix import (
        published_file,  # imports ONNX, which other encoders do not need
    )

    encoder = _encoder(config, 3, weights=None)
    by_name = config.encoder_weights == BODYPIX
    try:
        if by_name:
            path = published_file(BODYPIX_ENCODERS[config.encoder], BODYPIX_STRIDE)
        else:
            path = Path(str(config.encoder_weights))
        encoder.load(path)
    except UserError as error:
        others = ". Any ONNX file of BodyPix 2 works: set encoder_weights to its path" if by_name else ""
        raise UserError(f"{owner}: {error}{others}") from error
    encoder.set_in_channels(incoming, pretrained=True)
    return encoder


def _published(owner: str, config: SmpConfig, incoming: int) -> Any:
    """Return an encoder with published weights."""
    try:
        return _encoder(
            config,
            incoming,
            # a timm model's name determines the weights
            weights=True if config.encoder.startswith(TIMM) else config.encoder_weights,
        )
    except Exception as error:  # whatever a hub raises if it lacks the file or cannot be reached
        reason = str(error).split("\n")[0].rstrip(".")
        raise UserError(
            f"{owner}: {config.encoder_weights!r} of the encoder {config.encoder!r} is not on "
            f"disk and cannot be downloaded ({reason}). Copy the file from a machine with network access to "
            f"Hugging Face's cache {constants.HF_HUB_CACHE}, or to {hub_folder()} if it is from elsewhere; "
            "or set encoder_weights to null"
        ) from error


def _from_file(owner: str, config: SmpConfig, path: Path, incoming: int) -> Any:
    """Return an encoder with the weights of a file, as published by timm or the library."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; encoder_weights must be the weights of {config.encoder!r}")
    try:
        weights = load_file(path)
        if config.encoder.startswith(TIMM):
            _check_complete(config.encoder.removeprefix(TIMM), weights)
            return _encoder(config, incoming, weights=True, pretrained_cfg_overlay={"state_dict": weights})
        encoder = _encoder(config, 3, weights=None)
        encoder.load_state_dict(weights)
        encoder.set_in_channels(incoming, pretrained=True)
        return encoder
    except Exception as error:  # whatever timm, torch or safetensors raise for another network's file
        reason = str(error).split("\n")[0].rstrip(".")
        raise UserError(
            f"{path}: does not hold weights of the encoder {config.encoder!r} ({reason}); use another file "
            "or "
            "encoder"
        ) from error


def _check_complete(name: str, weights: dict[str, Tensor]) -> None:
    """Reject incomplete weights of a timm model, except for its classifier: timm loads what is there."""
    with without_data():
        model: Any = timm.create_model(name)
    # a string, or a tuple of several
    classifier = model.pretrained_cfg.get("classifier") or ()
    needed = [key for key in model.state_dict() if not key.startswith(classifier)]
    missing = [key for key in needed if key not in weights]
    if missing:
        raise ValueError(f"{len(missing)} of {len(needed)} tensors are missing, such as {missing[0]}")


def _encoder(config: SmpConfig, incoming: int, **arguments: Any) -> Any:
    stride = stride_argument(config, "output_stride")
    return smp.encoders.get_encoder(
        config.encoder, in_channels=incoming, depth=config.encoder_depth, **stride, **arguments
    )


def _check_weights(owner: str, encoder: str, weights: str) -> None:
    timm_name = encoder.removeprefix(TIMM)
    if encoder.startswith(TIMM):
        known = [TIMM + name for name in timm.list_pretrained(f"{timm_name.split('.')[0]}*")]
        found, asked = timm.models.is_model_pretrained(timm_name), "pretrained weights"
    else:
        known = list(smp.encoders.encoders[encoder]["pretrained_settings"])
        found, asked = weights in known, f"weights {weights!r}"
    if not found:
        raise UserError(
            f"{owner}: the encoder {encoder!r} has no {asked} (there are: {', '.join(known) or 'none'})"
        )
