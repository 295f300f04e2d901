"""Base of the conditional networks: adds the color of visible skin and noise to the input images."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from skinfw.components.config import Size
from skinfw.components.field_names import APPAREL, FACE
from skinfw.interfaces import Generator, GeneratorIO
from skinfw_plugins.generators.config import ConditionalConfig
from skinfw_plugins.shared.skin_tone import visible_tones

ConditionalConfigT = TypeVar("ConditionalConfigT", bound=ConditionalConfig)


class Film(nn.Module):
    """Scales and shifts features, channel by channel, depending on a color (Perez et al. 2018, section 2).

    Initially it changes nothing: the effect of the color is learned.

    Args:
        channels: channels of the features.
        hidden: width of the hidden layer.
    """

    def __init__(self, channels: int, hidden: int = 64) -> None:
        super().__init__()
        last = nn.Linear(hidden, 2 * channels)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Linear(3, hidden), nn.ReLU(), last)

    def forward(self, features: Tensor, tones: Tensor) -> Tensor:
        """Return ``(B, C, h, w)`` features, modulated by ``(B, 3)`` colors in [-1, 1]."""
        scale, shift = self.layers(tones)[:, :, None, None].chunk(2, dim=1)
        modulated: Tensor = features * (1 + scale) + shift
        return modulated


@dataclass(frozen=True)
class Guide:
    """What a network receives besides its input channels.

    Attributes:
        tones: the colors of visible skin, ``(B, 3)`` in [-1, 1]; None if the condition does not include them,
            or they are among the channels.
        sources: the random source of each sample's dropout; None for torch's global one.
        probability: the fraction of values that dropout sets to 0.
        training: whether the network is in training.
    """

    tones: Tensor | None
    sources: tuple[torch.Generator, ...] | None
    probability: float
    training: bool

    def drop(self, features: Tensor) -> Tensor:
        """Apply dropout: only in training, or always, seeded by the sample's noise."""
        if self.sources is None:
            return dropout(features, self.probability, self.training)
        kept = 1 - self.probability
        shape = features.shape[1:]
        masks = [torch.rand(shape, generator=source) < kept for source in self.sources]
        return features * (torch.stack(masks).to(features.device) / kept).to(features.dtype)


def incoming_channels(config: ConditionalConfig, io: GeneratorIO) -> int:
    """Return the channels of input images, color and noise together."""
    tone_channels = 3 if config.condition == "tone" else 0
    noise_channels = 1 if config.noise == "channel" else 0
    return io.condition_channels + tone_channels + noise_channels


class ConditionalGenerator(Generator[ConditionalConfigT]):
    """Base of the conditional networks.

    It scales the condition to [-1, 1], appends the channels of the configured ``condition`` and ``noise``,
    and scales the result of `paint` from [-1, 1] to [0, 1]. A network calls `modulate` on its innermost
    features and ``guide.drop`` where it has dropout.

    Args:
        config: the parameters of the network.
        io: the size and the names of the input images.
        inner_channels: channels of the features that `modulate` is called on.

    Attributes:
        incoming: channels of the tensor passed to `paint`.
    """

    def __init__(self, config: ConditionalConfigT, io: GeneratorIO, inner_channels: int) -> None:
        super().__init__(config, io)
        self.incoming = incoming_channels(config, io)
        self.film = Film(inner_channels) if config.condition == "tone_film" else None

    def noise_shape(self, size: Size) -> tuple[int, ...]:
        """Return the shape of one sample's noise: a channel, the seed of its dropout, or nothing."""
        return {"none": (), "channel": (1, *size), "dropout": (1,)}[self.config.noise]

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Inpaint a batch. See `Generator.forward`."""
        channels, tones, sources = [condition * 2 - 1], None, None
        if self.config.condition != "inputs":
            tones = self._tones(condition) * 2 - 1
            if self.film is None:
                channels.append(tones[:, :, None, None].expand(-1, -1, *condition.shape[-2:]))
        if self.config.noise != "none":
            if noise is None:
                raise ValueError(f"with noise {self.config.noise!r} the network needs noise")
            if self.config.noise == "channel":
                channels.append(noise)
            else:
                sources = tuple(_source(value) for value in noise[:, 0].tolist())
        guide = Guide(tones, sources, self.config.dropout, self.training)
        return (self.paint(torch.cat(channels, dim=1), guide) + 1) / 2

    @abstractmethod
    def paint(self, channels: Tensor, guide: Guide) -> Tensor:
        """Run the network.

        Args:
            channels: ``(B, incoming, H, W)``; input images and colors in [-1, 1], noise standard normal.
            guide: what it receives besides the channels.

        Returns:
            ``(B, C, H, W)`` in [-1, 1], with the configuration's ``output_channels``.
        """

    def modulate(self, features: Tensor, guide: Guide) -> Tensor:
        """Scale and shift the innermost features by the color of visible skin, if configured."""
        if self.film is None or guide.tones is None:
            return features
        modulated: Tensor = self.film(features, guide.tones)
        return modulated

    def _tones(self, condition: Tensor) -> Tensor:
        return visible_tones(*(condition[:, self.io.channels_of(name)] for name in (APPAREL, FACE)))


def _source(value: float) -> torch.Generator:
    """Return a source of random numbers for one sample, on the CPU, seeded by its noise."""
    # a float32 has 24 bits of precision; normal values rarely exceed 8
    return torch.Generator().manual_seed(round((value + 64) * 2**24))
