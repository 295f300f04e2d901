"""Networks of segmentation-models-pytorch: building, checking and loading pretrained encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import load_file
from segmentation_models_pytorch.decoders.deeplabv3.decoder import ASPPPooling
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import pad

from skinfw.components.config import Size
from skinfw.components.strict_model import nearest
from skinfw.components.weights import hub_folder
from skinfw.errors import UserError
from skinfw_plugins.networks.bodypix_encoder import BodyPixEncoder
from skinfw_plugins.networks.smp_config import (
    BODYPIX,
    BODYPIX_ENCODERS,
    BODYPIX_STRIDE,
    WEIGHTS_SUFFIX,
    SmpConfig,
)

_TIMM = "tu-"
_OUTPUT_STRIDE = 16
"""Maximum stride of the innermost features of DeepLabV3+ (Chen et al. 2018, section 4)."""

# registers encoders of other packages in the library
smp.encoders.encoders |= {
    name: {
        "encoder": BodyPixEncoder,
        "pretrained_settings": {},
        "params": {"multiplier": multiplier},
    }
    for name, multiplier in BODYPIX_ENCODERS.items()
}


def build_network(owner: str, config: SmpConfig, size: Size, incoming: int, outgoing: int) -> Any:
    """Return a network with random weights: a model of segmentation-models-pytorch.

    The decoders' own dropout is off. The pooled branch of DeepLabV3+ is normalized over channels: a batch of
    one has no statistics for it. Encoder layers that the decoder does not use are frozen.

    Args:
        owner: the component's name, for errors.
        config: decoder and encoder.
        size: height and width of the images in pixels.
        incoming: input channels.
        outgoing: output channels.

    Raises:
        UserError: the encoder is unknown or incompatible with the decoder or the size.
    """
    _check_encoder(owner, config.encoder)
    try:
        network = _build(config, incoming, outgoing)
        stride = int(network.encoder.output_stride)
        unused = _unused(config, network, (1, incoming, *padded_size(size, stride)))
    except Exception as error:  # timm's models fail in many ways if they cannot serve as an encoder
        raise UserError(
            f"{owner}: the encoder {config.encoder!r} does not work with the decoder {config.decoder!r} for "
            f"{size[0]}x{size[1]} pixels: {error}; use another encoder or decoder"
        ) from error
    for name in unused:
        network.get_parameter(name).requires_grad_(False)
    return network


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
            weights=True if config.encoder.startswith(_TIMM) else config.encoder_weights,
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
        if config.encoder.startswith(_TIMM):
            _check_complete(config.encoder.removeprefix(_TIMM), weights)
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
    with torch.device("meta"):
        model: Any = timm.create_model(name)
    # a string, or a tuple of several
    classifier = model.pretrained_cfg.get("classifier") or ()
    needed = [key for key in model.state_dict() if not key.startswith(classifier)]
    missing = [key for key in needed if key not in weights]
    if missing:
        raise ValueError(f"{len(missing)} of {len(needed)} tensors are missing, such as {missing[0]}")


def _encoder(config: SmpConfig, incoming: int, **arguments: Any) -> Any:
    stride = _stride_argument(config, "output_stride")
    return smp.encoders.get_encoder(
        config.encoder, in_channels=incoming, depth=config.encoder_depth, **stride, **arguments
    )


def encode(owner: str, config: SmpConfig, network: Any, channels: Tensor) -> list[Tensor]:
    """Return the features of an encoder at all its scales.

    Raises:
        UserError: it cannot be trained on a batch of one image.
    """
    try:
        return list(network.encoder(channels))
    except ValueError as error:
        if not network.training or len(channels) > 1:
            raise
        raise UserError(
            f"{owner}: the encoder {config.encoder!r} cannot be trained on batches of one image "
            f"({error}); raise batch_size or use another encoder"
        ) from error


def padded(channels: Tensor, stride: int) -> Tensor:
    """Return images ``(B, C, H, W)`` padded at the right and below to whole strides, by their edge."""
    height, width = channels.shape[-2:]
    size = padded_size((height, width), stride)
    if size == (height, width):
        return channels
    return pad(channels, (0, size[1] - width, 0, size[0] - height), mode="replicate")


def padded_size(size: Size, stride: int) -> Size:
    """Return the size that images are padded to.

    Normalizing a batch of one needs at least two innermost pixels per side.
    """
    height, width = (max(-(-side // stride), 2) * stride for side in size)
    return height, width


def _check_encoder(owner: str, name: str) -> None:
    timm_name = name.removeprefix(_TIMM)
    known = set(smp.encoders.get_encoder_names())
    if timm.is_model(timm_name) if name.startswith(_TIMM) else name in known:
        return
    known |= {_TIMM + model for model in timm.list_models()}
    hint = nearest(name, sorted(known))
    if not name.startswith(_TIMM) and timm.is_model(name):
        hint = f"; did you mean {_TIMM + name!r}?"
    raise UserError(
        f"{owner}: {name!r} is neither an encoder of segmentation-models-pytorch {smp.__version__} or of "
        f"BodyPix, nor {_TIMM} and the name of a model in timm {timm.__version__}{hint}"
    )


def _check_weights(owner: str, encoder: str, weights: str) -> None:
    timm_name = encoder.removeprefix(_TIMM)
    if encoder.startswith(_TIMM):
        known = [_TIMM + name for name in timm.list_pretrained(f"{timm_name.split('.')[0]}*")]
        found, asked = timm.models.is_model_pretrained(timm_name), "pretrained weights"
    else:
        known = list(smp.encoders.encoders[encoder]["pretrained_settings"])
        found, asked = weights in known, f"weights {weights!r}"
    if not found:
        raise UserError(
            f"{owner}: the encoder {encoder!r} has no {asked} (there are: {', '.join(known) or 'none'})"
        )


def _build(config: SmpConfig, incoming: int, outgoing: int) -> Any:
    wide = 16 * config.base_channels
    levels = range(config.encoder_depth - 1, -1, -1)
    doubled = [config.base_channels * 2**level for level in levels]
    arguments: dict[str, dict[str, Any]] = {
        "unet": {"decoder_channels": doubled},
        "unetplusplus": {"decoder_channels": doubled},
        "manet": {"decoder_channels": doubled},
        "fpn": {
            "decoder_pyramid_channels": wide,
            "decoder_segmentation_channels": wide // 2,
            "decoder_dropout": 0.0,
        },
        "deeplabv3plus": {
            "decoder_channels": wide,
            "decoder_aspp_dropout": 0.0,
            **_stride_argument(config, "encoder_output_stride"),
        },
        "linknet": {},
    }
    network = smp.create_model(
        config.decoder,
        encoder_name=config.encoder,
        encoder_depth=config.encoder_depth,
        encoder_weights=None,
        in_channels=incoming,
        classes=outgoing,
        **arguments[config.decoder],
    )
    for module in network.modules():
        if isinstance(module, ASPPPooling):
            # one value per channel is left of each image
            module[2] = nn.GroupNorm(1, wide)
    return network


def _stride_argument(config: SmpConfig, name: str) -> dict[str, int]:
    return {name: _OUTPUT_STRIDE} if config.decoder == "deeplabv3plus" else {}


_known_unused: dict[tuple[Any, ...], list[str]] = {}
"""Results of `_unused_parameters`: a run builds a network several times, and this is the slowest step."""


def _unused(config: SmpConfig, network: nn.Module, shape: tuple[int, ...]) -> list[str]:
    shapes = tuple((name, parameter.shape) for name, parameter in network.named_parameters())
    key = (config.decoder, config.encoder, shape, shapes)
    if key not in _known_unused:
        _known_unused[key] = _unused_parameters(network, shape)
    return _known_unused[key]


def _unused_parameters(network: nn.Module, shape: tuple[int, ...]) -> list[str]:
    """Return the names of the parameters that the output does not depend on.

    The network runs on meta tensors, which costs almost nothing at any size.
    """
    training = network.training
    parameters = dict(network.named_parameters())
    empty = {name: value.detach().to("meta").requires_grad_() for name, value in parameters.items()}
    buffers = {name: value.to("meta") for name, value in network.named_buffers()}
    with torch.enable_grad():
        output = functional_call(network.eval(), {**empty, **buffers}, torch.empty(shape, device="meta"))
        gradients = torch.autograd.grad(output.sum(), list(empty.values()), allow_unused=True)
    network.train(training)
    return [name for name, gradient in zip(parameters, gradients, strict=True) if gradient is None]
