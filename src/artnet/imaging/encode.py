"""Turn a picture into the bytes of a JPEG or PNG file.

Knows nothing about what the picture shows or where the bytes go.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image


def encode_jpeg(image: Image.Image, quality: int, **options: Any) -> bytes:
    """Encode as JPEG; `options` are Pillow's own, such as `subsampling`."""
    return _saved(image, "JPEG", quality=quality, **options)


def encode_png(image: Image.Image, level: int = 6) -> bytes:
    """Encode as PNG; `level` 1 is the fastest, 9 the smallest."""
    return _saved(image, "PNG", compress_level=level)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
