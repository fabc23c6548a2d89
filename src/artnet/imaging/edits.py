"""Edits that change one property of a painting, and neutral ones: pixels in, pixels of the same size out.

Pixels are sRGB, (H, W, 3) uint8, any H and W from 1 on.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from math import isqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.errors import UsageError
from artnet.imaging.encode import encode_jpeg
from artnet.imaging.filters import gaussian_blur, median_filter, mode_filter, structure_tensor
from artnet.imaging.lab import from_lab, to_lab

Pixels = NDArray[np.uint8]
_MIDDLE_GREY = 127.5
_STRONGEST_SHARE = 0.99  # of pixels under the edge that is drawn black: a single strong one would blank the others
_SAMPLE_PX = 64  # a side of the grid of pixels from which a palette is chosen
_LEAST_EDGE = 1.0  # in units of Lab a pixel, about what can just be told apart: a plain area has no outlines


def scale_chroma(pixels: Pixels, factor: float) -> Pixels:
    """Multiply the chroma of each pixel in CIELAB; 0 leaves only the lightness, 1 changes nothing."""
    return from_lab(to_lab(pixels) * np.array([1, factor, factor], np.float32))


def shift_lightness(pixels: Pixels, difference: float) -> Pixels:
    """Add to the lightness L* of each pixel, within 0 to 100; a* and b* stay."""
    lab = to_lab(pixels)
    lab[..., 0] = np.clip(lab[..., 0] + difference, 0, 100)
    return from_lab(lab)


def scale_contrast(pixels: Pixels, factor: float) -> Pixels:
    """Multiply each pixel's distance from the mean lightness L*, within 0 to 100; a* and b* stay."""
    lab = to_lab(pixels)
    mean = lab[..., 0].mean()
    lab[..., 0] = np.clip(mean + factor * (lab[..., 0] - mean), 0, 100)
    return from_lab(lab)


def limit_palette(pixels: Pixels, colours: int) -> Pixels:
    """Replace each pixel's colour by the nearest of a few that are the painting's own, or one that is hardly farther.

    Median cut in Pillow, without dithering; Heckbert, "Color image quantization for frame buffer display", 1982. The
    palette is that of a sample of the pixels: of 50,000 it would take 90 ms and not 2.
    """
    return np.asarray(_quantized(pixels, colours).convert("RGB"))


def smooth_strokes(pixels: Pixels, share: float) -> Pixels:
    """Replace each pixel by the median of its neighbourhood, channel by channel: strokes go, edges stay.

    The neighbourhood is a square that reaches `share` of the longer side in each direction, at least a pixel.
    """
    return median_filter(pixels, _pixels_of(pixels, share))


def keep_detail(pixels: Pixels, share: float) -> Pixels:
    """Apply a high-pass filter: the difference from a Gaussian blur of sigma `share` of the longer side, on grey."""
    wide = pixels.astype(np.float32)
    sigma = max(share * max(pixels.shape[0], pixels.shape[1]), 0.5)
    blurred = np.stack([gaussian_blur(wide[..., channel], sigma) for channel in range(3)], -1)
    return _to_pixels(wide - blurred + _MIDDLE_GREY)


def draw_outlines(pixels: Pixels, sigma: float = 1.0) -> Pixels:
    """Draw only the edges, black on white, the darker the stronger.

    An edge's strength is the square root of the structure tensor's larger eigenvalue over L*, a* and b* (Di Zenzo, "A
    note on the gradient of a multi-image", 1986), at a scale of `sigma` pixels.
    """
    strength = np.sqrt(structure_tensor(to_lab(pixels), sigma).eigenvalues()[0])
    strongest = max(float(np.quantile(strength, _STRONGEST_SHARE)), _LEAST_EDGE)
    grey = _to_pixels(255 * (1 - np.minimum(strength / strongest, 1)))
    return np.repeat(grey[..., None], 3, axis=-1)


def flatten_areas(pixels: Pixels, colours: int, share: float) -> Pixels:
    """Limit the palette, then give each pixel the colour that is most frequent around it: areas of one colour.

    The neighbourhood is that of `smooth_strokes`.
    """
    limited = _quantized(pixels, colours)
    palette = np.array(limited.getpalette("RGB"), np.uint8).reshape(-1, 3)
    flattened: Pixels = palette[mode_filter(np.asarray(limited), _pixels_of(pixels, share))]
    return flattened


def shuffle_blocks(pixels: Pixels, order: Sequence[int]) -> Pixels:
    """Cut a painting into n x n blocks and lay them in another order: the texture stays, the composition goes.

    Args:
        pixels: a side that n does not divide keeps the rest, on the right or at the bottom, where it is
        order: of each place, row by row, which block goes there; n * n numbers from 0 on, each once

    Raises:
        UsageError: for an order that is none
    """
    count = isqrt(len(order))
    if count == 0 or sorted(order) != list(range(count * count)):
        raise UsageError(f"order is {list(order)}; name each of n x n blocks once, from 0 on")
    height, width = pixels.shape[0] // count, pixels.shape[1] // count
    shuffled = pixels.copy()
    for place, block in enumerate(order):
        (row, column), (top, left) = divmod(place, count), divmod(block, count)
        shuffled[row * height : (row + 1) * height, column * width : (column + 1) * width] = pixels[
            top * height : (top + 1) * height, left * width : (left + 1) * width
        ]
    return shuffled


def mirror(pixels: Pixels) -> Pixels:
    """Exchange left and right."""
    return np.ascontiguousarray(pixels[:, ::-1])


def turn_upside_down(pixels: Pixels) -> Pixels:
    """Turn a painting by 180 degrees."""
    return np.ascontiguousarray(pixels[::-1, ::-1])


def remove_border(pixels: Pixels, share: float) -> Pixels:
    """Fill the border, `share` of each side wide, with the painting's mean colour."""
    margins = [round(share * side) for side in pixels.shape[:2]]
    inside = tuple(slice(margin, side - margin) for margin, side in zip(margins, pixels.shape[:2], strict=True))
    filled = np.empty_like(pixels)
    filled[...] = _to_pixels(pixels.sum(0).sum(0) / (pixels.size // 3))  # axis by axis: a tenth of the time of `mean`
    filled[inside] = pixels[inside]
    return filled


def reencode(pixels: Pixels, quality: int) -> Pixels:
    """Write a JPEG of this quality and read it again."""
    with Image.open(BytesIO(encode_jpeg(Image.fromarray(pixels), quality))) as image:
        return np.asarray(image.convert("RGB"))


def crop_pixel(pixels: Pixels, corner: int) -> Pixels:
    """Cut off one row and one column, those that meet in a corner (0 to 3, clockwise from the upper left), and enlarge.

    A side of one pixel stays.
    """
    height, width = pixels.shape[:2]
    left, top = (int(corner in (0, 3) and width > 1), int(corner in (0, 1) and height > 1))
    right, bottom = (width - int(corner in (1, 2) and width > 1), height - int(corner in (2, 3) and height > 1))
    cropped = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC, (left, top, right, bottom))
    return np.asarray(cropped)


def scale_brightness(pixels: Pixels, factor: float) -> Pixels:
    """Multiply each sRGB value, within 0 to 255."""
    return _to_pixels(pixels * np.float32(factor))


def _quantized(pixels: Pixels, colours: int) -> Image.Image:
    image = Image.fromarray(pixels)
    sample_size = min(image.width, _SAMPLE_PX), min(image.height, _SAMPLE_PX)
    sample = image.resize(sample_size, Image.Resampling.NEAREST)
    palette = sample.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def _pixels_of(pixels: Pixels, share: float) -> int:
    longer: int = max(pixels.shape[0], pixels.shape[1])
    return max(1, round(share * longer))


def _to_pixels(values: NDArray[np.floating]) -> Pixels:
    result: Pixels = np.clip(values + 0.5, 0, 255).astype(np.uint8)
    return result
