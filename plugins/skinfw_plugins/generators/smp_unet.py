"""Decoders of segmentation-models-pytorch on pretrained encoders."""

from __future__ import annotations

from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch
from huggingface_hub import constants
from segmentation_models_pytorch.decoders.deeplabv3.decoder import ASPPPooling
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import pad

from skinfw.config import Size, nearest
from skinfw.errors import UserError
from skinfw.interfaces import GeneratorIO
from skinfw.spec import DataSpec
from skinfw.weights import hub_folder
from skinfw_plugins.generators.conditional import ConditionalGenerator, Guide, incoming_channels
from skinfw_plugins.generators.config_outlook import SmpUnetConfig

_TIMM = "tu-"
_OUTPUT_STRIDE = 16
"""How much smaller the innermost features of DeepLabV3+ are at most (Chen et al. 2018, section 4)."""


class SmpUnetGenerator(ConditionalGenerator[SmpUnetConfig]):
    """A decoder of segmentation-models-pytorch on an encoder of that library or of timm.

    Three channels come out of the decoder, and go through tanh. Pictures are padded to the encoder's stride,
    at the right and below, by repeating their edge, and cropped back. The colour of the visible skin and
    dropout act on the encoder's innermost features; the decoders' own dropout is off. The pooled branch of
    DeepLabV3+ is normalised over channels: a batch of one has no statistics for it. What an encoder has
    beyond what its decoder uses is frozen.

    Args:
        config: the parameters of the network.
        io: the size and the names of the input pictures.

    Raises:
        UserError: the encoder is unknown, or does not go with the decoder or the size.
    """

    def __init__(self, config: SmpUnetConfig, io: GeneratorIO) -> None:
        incoming = incoming_channels(config, io)
        _check_encoder(config.encoder)
        try:
            network = _build(config, incoming)
            stride = int(network.encoder.output_stride)
            unused = _unused_parameters(network, (1, incoming, *_padded(io.size, stride)))
        except Exception as error:  # timm's models fail in many ways where they cannot serve as an encoder
            raise UserError(
                f"smp_unet: the encoder {config.encoder!r} does not go with the decoder {config.decoder!r} "
                f"for {io.size[0]}x{io.size[1]} pixels: {error}; take another encoder or decoder"
            ) from error
        for parameter in unused:
            parameter.requires_grad_(False)
        super().__init__(config, io, network.encoder.out_channels[-1])
        self.network = network
        self.stride = stride

    def prepare_training(self, data: DataSpec) -> None:
        """Load the encoder's pretrained weights, if the configuration asks for some.

        The first convolution is spread over the input's channels, each picture's red, green and blue alike.

        Raises:
            UserError: there are no such weights, or they are not on disk and cannot be downloaded.
        """
        if self.config.encoder_weights is None:
            return
        _check_weights(self.config.encoder, self.config.encoder_weights)
        try:
            pretrained = smp.encoders.get_encoder(
                self.config.encoder,
                in_channels=self.incoming,
                depth=self.config.encoder_depth,
                # a timm model's name tells which weights
                weights=True if self.config.encoder.startswith(_TIMM) else self.config.encoder_weights,
                **_stride_argument(self.config, "output_stride"),
            )
        except Exception as error:  # whatever a hub raises that has no file or cannot be reached
            reason = str(error).split("\n")[0].rstrip(".")
            raise UserError(
                f"smp_unet: {self.config.encoder_weights!r} of the encoder {self.config.encoder!r} is not on "
                f"disk and cannot be downloaded ({reason}). Bring the file from a machine with a network to "
                f"Hugging Face's cache {constants.HF_HUB_CACHE}, or to {hub_folder()} where it is not from "
                "there; or set encoder_weights to null"
            ) from error
        self.network.encoder.load_state_dict(pretrained.state_dict())

    def paint(self, channels: Tensor, guide: Guide) -> Tensor:
        """Run the network. See `ConditionalGenerator.paint`."""
        height, width = channels.shape[-2:]
        padded = _padded((height, width), self.stride)
        if padded != (height, width):
            channels = pad(channels, (0, padded[1] - width, 0, padded[0] - height), mode="replicate")
        features = self._encode(channels)
        features[-1] = guide.drop(self.modulate(features[-1], guide))
        output: Tensor = self.network.segmentation_head(self.network.decoder(features))
        return torch.tanh(output[..., :height, :width])

    def _encode(self, channels: Tensor) -> list[Tensor]:
        try:
            return list(self.network.encoder(channels))
        except ValueError as error:
            if not self.training or len(channels) > 1:
                raise
            raise UserError(
                f"smp_unet: the encoder {self.config.encoder!r} cannot be trained on batches of one picture "
                f"({error}); raise batch_size or take another encoder"
            ) from error


def _padded(size: Size, stride: int) -> Size:
    """Return the size that pictures are padded to.

    Two innermost pixels a side are the least that a batch of one can be normalised by.
    """
    height, width = (max(-(-side // stride), 2) * stride for side in size)
    return height, width


def _check_encoder(name: str) -> None:
    timm_name = name.removeprefix(_TIMM)
    known = set(smp.encoders.get_encoder_names())
    if timm.is_model(timm_name) if name.startswith(_TIMM) else name in known:
        return
    known |= {_TIMM + model for model in timm.list_models()}
    hint = nearest(name, sorted(known))
    if not name.startswith(_TIMM) and timm.is_model(name):
        hint = f"; did you mean {_TIMM + name!r}?"
    raise UserError(
        f"smp_unet: {name!r} is neither an encoder of segmentation-models-pytorch "
        f"{smp.__version__} nor {_TIMM} and the name of a model of timm {timm.__version__}{hint}"
    )


def _check_weights(encoder: str, weights: str) -> None:
    timm_name = encoder.removeprefix(_TIMM)
    if encoder.startswith(_TIMM):
        known = [_TIMM + name for name in timm.list_pretrained(f"{timm_name.split('.')[0]}*")]
        found, asked = timm.models.is_model_pretrained(timm_name), "pretrained weights"
    else:
        known = list(smp.encoders.encoders[encoder]["pretrained_settings"])
        found, asked = weights in known, f"weights {weights!r}"
    if not found:
        raise UserError(
            f"smp_unet: the encoder {encoder!r} has no {asked} (there are: {', '.join(known) or 'none'})"
        )


def _build(config: SmpUnetConfig, incoming: int) -> Any:
    """Return the network with random weights: a model of segmentation-models-pytorch."""
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
        classes=3,
        **arguments[config.decoder],
    )
    for module in network.modules():
        if isinstance(module, ASPPPooling):
            # one value a channel is left of each picture
            module[2] = nn.GroupNorm(1, wide)
    return network


def _stride_argument(config: SmpUnetConfig, name: str) -> dict[str, int]:
    return {name: _OUTPUT_STRIDE} if config.decoder == "deeplabv3plus" else {}


def _unused_parameters(network: nn.Module, shape: tuple[int, ...]) -> list[nn.Parameter]:
    """Return the parameters that the output does not depend on.

    The network runs on tensors without content, which costs next to nothing at any size.
    """
    training = network.training
    parameters = dict(network.named_parameters())
    empty = {name: value.detach().to("meta").requires_grad_() for name, value in parameters.items()}
    buffers = {name: value.to("meta") for name, value in network.named_buffers()}
    with torch.enable_grad():
        output = functional_call(network.eval(), {**empty, **buffers}, torch.empty(shape, device="meta"))
        gradients = torch.autograd.grad(output.sum(), list(empty.values()), allow_unused=True)
    network.train(training)
    return [
        parameter
        for parameter, gradient in zip(parameters.values(), gradients, strict=True)
        if gradient is None
    ]
