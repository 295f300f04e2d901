"""Networks of segmentation-models-pytorch: building, checking and running them."""

from __future__ import annotations

from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch
from segmentation_models_pytorch.decoders.deeplabv3.decoder import ASPPPooling
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import pad

from skinfw.components.config import Size
from skinfw.components.strict_model import nearest
from skinfw.errors import UserError
from skinfw_plugins.networks.bodypix_encoder import BodyPixEncoder
from skinfw_plugins.networks.smp_config import (
    BODYPIX_ENCODERS,
    SmpConfig,
)

TIMM = "tu-"
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
    timm_name = name.removeprefix(TIMM)
    known = set(smp.encoders.get_encoder_names())
    if timm.is_model(timm_name) if name.startswith(TIMM) else name in known:
        return
    known |= {TIMM + model for model in timm.list_models()}
    hint = nearest(name, sorted(known))
    if not name.startswith(TIMM) and timm.is_model(name):
        hint = f"; did you mean {TIMM + name!r}?"
    raise UserError(
        f"{owner}: {name!r} is neither an encoder of segmentation-models-pytorch {smp.__version__} or of "
        f"BodyPix, nor {TIMM} and the name of a model in timm {timm.__version__}{hint}"
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
            **stride_argument(config, "encoder_output_stride"),
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


def stride_argument(config: SmpConfig, name: str) -> dict[str, int]:
    """Return the maximum stride for decoders that have one, under the name of its argument."""
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
