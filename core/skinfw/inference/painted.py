"""A painted photo, and writing it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from skinfw.data.segmentation import Mask, RgbImage
from skinfw.errors import UserError, message
from skinfw.system.json_file import replacing

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's digital source type of an image with generated parts."""

_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    "xmp:CreatorTool={tool} "
    f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
"""XMP data that say so, and what painted the image."""

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Formats by the ending of a file's name."""

LOSSY = ("JPEG",)
"""Formats that change pixels: the kept ones are only nearly those of the photo."""

_JPEG_QUALITY = 95

_PNG_LEVEL = 4
"""Compression of PNG, from 0 to 9: twice as fast as Pillow's default of 6, and files are 7% larger."""


@dataclass(frozen=True)
class Painted:
    """A painted photo.

    Attributes:
        image: uint8 RGB ``(H, W, 3)``, in the photo's own size and color space; every pixel outside
            ``mask`` equals the photo.
        mask: what was painted, bool ``(H, W)``.
        report: what was done, as JSON.
        alpha: opacity, uint8 ``(H, W)``, if the photo has an alpha channel; painted pixels are opaque.
        icc: the photo's ICC profile, or None for sRGB.
        model: names the model that painted; empty if unknown.
        exif: how and when the photo was taken, as EXIF data; None if unknown.
    """

    image: RgbImage
    mask: Mask
    report: Mapping[str, Any] = field(default_factory=dict)
    alpha: NDArray[np.uint8] | None = None
    icc: bytes | None = None
    model: str = ""
    exif: bytes | None = None

    def to_image(self) -> Image.Image:
        """Return the image with its alpha channel, profile and EXIF data, RGB or RGBA."""
        layers = self.image if self.alpha is None else np.dstack([self.image, self.alpha])
        image = Image.fromarray(layers)
        if self.icc is not None:
            image.info["icc_profile"] = self.icc
        if self.exif is not None:
            image.info["exif"] = self.exif
        return image

    def save(self, path: str | Path) -> Path:
        """Write the image as PNG, JPEG or WebP (without loss), by the ending of the name.

        The file says that parts of it are generated (IPTC's digital source type, in XMP) and by which model,
        and has the photo's ICC profile and what its EXIF data say about how and when it was taken. JPEG has
        no alpha channel, and changes pixels outside the mask slightly.

        Raises:
            UserError: the name has another ending, or the format cannot hold the image.
            RunError: the file cannot be written.
        """
        path = Path(path)
        kind = format_of(path)
        with replacing(path) as temporary:
            temporary.write_bytes(self.encoded(kind))
        return path

    def encoded(self, kind: str) -> bytes:
        """Return what `save` writes.

        Args:
            kind: a format of `FORMATS`: ``PNG``, ``JPEG`` or ``WEBP``.
        """
        image, xmp = self.to_image(), xmp_of(self.model)
        options: dict[str, Any] = {"icc_profile": self.icc} if self.icc else {}
        options |= {"exif": self.exif} if self.exif else {}
        if kind == "PNG":
            text = PngInfo()
            text.add_itxt("XML:com.adobe.xmp", xmp)
            options |= {"pnginfo": text, "compress_level": _PNG_LEVEL}
        else:
            options["xmp"] = xmp.encode()
        if kind == "JPEG":
            options |= {"quality": _JPEG_QUALITY, "subsampling": 0}
            image = _on_white(image)
        if kind == "WEBP":
            options |= {"lossless": True, "exact": True}
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        """Return the image for a notebook."""
        return self.encoded("PNG")


def xmp_of(model: str) -> str:
    """Return the XMP data of an image that a model painted; an unknown one is empty."""
    tool = f"skinfw {version('skinfw')}"
    return _XMP.replace("{tool}", quoteattr(message(f"{tool}, {model}" if model else tool)))


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


def format_of(path: Path) -> str:
    """Return the format that a name stands for.

    Raises:
        UserError: it has another ending than those of `FORMATS`.

    Example:
        >>> format_of(Path("anna.webp"))
        'WEBP'
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise UserError(f"{path}: unknown ending {path.suffix!r}; write {', '.join(FORMATS)}")
    return kind
