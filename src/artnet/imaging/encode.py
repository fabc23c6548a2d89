"""Resized images and grids, and images as the bytes of a JPEG or PNG file."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

Floats = NDArray[np.float32]
CellBox = tuple[float, float, float, float]  # left, top, right, bottom


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


def resize_grid(grid: Floats, size: tuple[int, int], resampling: Resampling, box: CellBox | None = None) -> Floats:
    """Resample a heatmap (h, w), or `box` of it in cells, to `size` (width, height) with Pillow's filters."""
    image = Image.fromarray(np.ascontiguousarray(grid, np.float32))
    return np.asarray(image.resize(size, resampling, box), np.float32)


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
