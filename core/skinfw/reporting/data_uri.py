"""Images and other content inside a page, as text."""

from __future__ import annotations

import base64
import io

from PIL import Image

from skinfw.data.segmentation import RgbImage


def data_uri(content: bytes, kind: str) -> str:
    """Return content as a ``data:`` URL, for example of kind ``image/png``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def png_uri(image: RgbImage) -> str:
    """Return an image, uint8 RGB ``(H, W, 3)``, as the ``data:`` URL of a PNG."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG", optimize=True)
    return data_uri(stream.getvalue(), "image/png")
