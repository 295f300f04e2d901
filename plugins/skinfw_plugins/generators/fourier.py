"""Fast Fourier convolutions: layers that see the whole image at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skinfw_plugins.networks.layers import norm_layers
from skinfw_plugins.networks.transform import transformed, transformed_back
from skinfw_plugins.shared.fields import Norm


class FourierUnit(nn.Module):
    """A 1x1 convolution between a Fourier transform and its inverse (Chi et al. 2020, section 3.2).

    Each output value depends on every pixel of its image. The transforms always run in at least float32: half
    precision does not support FFTs of every size.

    Args:
        channels: input and output channels.
        norm: normalization of the spectrum, before its ReLU.
    """

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        # real and imaginary parts are separate channels
        self.spectral = _pointwise(2 * channels, 2 * channels, norm)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape ``(B, C, h, w)``, in at least float32."""
        precision = torch.promote_types(x.dtype, torch.float32)
        with torch.autocast(x.device.type, enabled=False):
            spectrum = torch.cat(transformed(x.to(precision)), dim=1)
        parts = self.spectral(spectrum.to(x.dtype))
        with torch.autocast(x.device.type, enabled=False):
            real, imaginary = parts.to(precision).chunk(2, dim=1)
            return transformed_back(real, imaginary, x.shape[-1])


class SpectralTransform(nn.Module):
    """A Fourier unit with half the channels, and a shortcut around it (Chi et al. 2020, section 3.2).

    It omits the paper's local Fourier unit, as large-mask inpainting does.

    Args:
        incoming: input channels.
        outgoing: output channels.
        norm: normalization of the narrow features and of their spectrum.
    """

    def __init__(self, incoming: int, outgoing: int, norm: Norm) -> None:
        super().__init__()
        narrow = max(outgoing // 2, 1)
        self.narrow = _pointwise(incoming, narrow, norm)
        self.unit = FourierUnit(narrow, norm)
        self.widen = nn.Conv2d(narrow, outgoing, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, outgoing, h, w)`` features."""
        x = self.narrow(x)
        widened: Tensor = self.widen((x + self.unit(x)).to(x.dtype))
        return widened


class FourierConv(nn.Module):
    """A convolution with a local and a global branch (Chi et al. 2020, section 3.1).

    The last channels are the global ones. Local features come from all channels through a 3x3 convolution,
    global ones from the local channels through another and from the global ones through a
    `SpectralTransform`. Convolutions mirror the image at its edge; the transform treats it as periodic.

    Args:
        incoming: input channels.
        outgoing: output channels.
        global_in: number of global input channels; 0 for no transform.
        global_out: number of global output channels.
        norm: normalization within the transform, and of the output, which the caller applies.
        stride: 1, or 2 to halve the size, which needs ``global_in`` 0.
    """

    def __init__(
        self, incoming: int, outgoing: int, *, global_in: int, global_out: int, norm: Norm, stride: int = 1
    ) -> None:
        super().__init__()
        self.split = incoming - global_in

        def convolution(channels: int, given: int) -> nn.Conv2d:
            return nn.Conv2d(channels, given, 3, stride, 1, bias=norm == "none", padding_mode="reflect")

        # the sum of two convolutions of two tensors is one convolution of both
        self.to_local = convolution(incoming, outgoing - global_out)
        self.local_to_global = convolution(self.split, global_out)
        self.transform = SpectralTransform(global_in, global_out, norm) if global_in else None

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, outgoing, h / stride, w / stride)`` features, local channels first."""
        far = self.local_to_global(x[:, : self.split])
        if self.transform is not None:
            far = far + self.transform(x[:, self.split :])
        return torch.cat([self.to_local(x), far], dim=1)


class FourierBlock(nn.Module):
    """Two fast Fourier convolutions whose result is added to their input (Suvorov et al. 2022, figure 2).

    Args:
        channels: channels of the features.
        global_channels: how many of them are global.
        norm: normalization after both convolutions.
    """

    def __init__(self, channels: int, global_channels: int, norm: Norm) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            convolution = FourierConv(
                channels, channels, global_in=global_channels, global_out=global_channels, norm=norm
            )
            layers += [convolution, *norm_layers(norm, channels), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        changed: Tensor = x + self.layers(x)
        return changed


def _pointwise(incoming: int, outgoing: int, norm: Norm) -> nn.Sequential:
    convolution = nn.Conv2d(incoming, outgoing, 1, bias=norm == "none")
    return nn.Sequential(convolution, *norm_layers(norm, outgoing), nn.ReLU())
