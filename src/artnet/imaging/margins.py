"""Uniform margins around a painting: white paper, a letterbox's bars, a scanner's lid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.imaging.views import Box

# All in whole numbers, so that graph/margins.js decides alike. docs/margins.md says how they were chosen.
_LARGEST = 3  # a margin is at most a third of its side: beyond, a plain ground is more likely the painting's own
_SMALLEST = 100  # and at least a hundredth, since a thinner one changes no answer
_NOISE = 20  # levels of 255 from the margin's colour that a twentieth of its outermost line may exceed no more
_TOLERANCE = 8  # levels from its colour to which a margin without noise keeps
_SPECKS = 50  # one in so many pixels of a line may deviate more: dust, hairs
_EDGE = 24  # levels from the margin's colour at which a pixel counts as the painting's
_RAMP_PX = 16  # over which a margin becomes the painting: JPEG rings over a block, and over two where colour is halved
_SHORT_RAMP, _LONG_RAMP = 16, 100  # but at most a 16th of the side, and at least a 100th, in images that were enlarged
_ENDS = 10  # the first and last tenth of an edge must be the painting's, too: it is a rectangle
_CONTENT = 10  # one in so many pixels along the edge must differ from the others: no second plain band lies there

Lines = NDArray[np.uint8]  # (lines, pixels, 3), from a side of the image inwards


@dataclass(frozen=True)
class _Band:
    """The uniform lines at one side of an image.

    Attributes:
        lines: how many
        ramp: over how many more they may become the painting
        colour: (3,)
        tolerance: levels by which pixels deviate from it
    """

    lines: int
    ramp: int
    colour: NDArray[np.int16]
    tolerance: int


def find_margins(image: Image.Image) -> Box:
    """Return the box of the painting inside its uniform margins: all of an image that has none.

    A margin is a band of one colour along a whole side, of at most a third of the image. It ends at a straight edge
    that spans the painting from end to end; a pale sky or a plain ground ends at the outline of a tree or a figure, or
    fades. Where the painting is as light or dark as its margin, so that there is no such edge, a margin of the same
    colour at the opposite side tells it, too. A side in doubt stays as it is, and so does an image where one plain band
    lies inside another, since that is how some paintings are.

    Args:
        image: RGB
    """
    bands = [_band(image, side) for side in range(4)]
    lines = [band.lines + band.ramp if band else 0 for band in bands]
    # Along the rows between the margins at top and bottom for left and right, and the other way round.
    margins = [
        _margin(image, side, band, slice(lines[1 - side % 2], -lines[3 - side % 2] or None)) if band else 0
        for side, band in enumerate(bands)
    ]
    if None in margins:
        return Box(0, 0, *image.size)
    left, top, right, bottom = (
        margin or (band.lines if band and margins[side - 2] and _same_colour(band, bands[side - 2]) else 0)
        for side, (margin, band) in enumerate(zip(margins, bands, strict=True))
    )
    return Box(left, top, image.width - right, image.height - bottom)


def _lines(image: Image.Image, side: int, count: int) -> Lines:
    """Return the outermost lines of a side: 0 left, 1 top, 2 right, 3 bottom."""
    width, height = image.size
    left, top = (width - count if side == 2 else 0), (height - count if side == 3 else 0)
    box = (left, top, left + count, height) if side % 2 == 0 else (left, top, width, top + count)
    pixels = np.asarray(image.crop(box))
    inwards = pixels if side % 2 else pixels.transpose(1, 0, 2)
    return inwards if side < 2 else inwards[::-1]


def _band(image: Image.Image, side: int) -> _Band | None:
    """Return the uniform lines at a side; None where there are too few of them, or no others within the limit."""
    total = image.height if side % 2 else image.width
    outermost = _lines(image, side, 1)[0]
    colour = _median(outermost)
    deviations = np.sort(_deviations(outermost, colour))
    noise = int(deviations[len(deviations) * 19 // 20])
    if noise > _NOISE:
        return None
    tolerance = max(_TOLERANCE, noise * 3 // 2)  # about three standard deviations, if the noise is Gaussian
    strays = (_deviations(_lines(image, side, total // _LARGEST + 1), colour) > tolerance).sum(1)
    others = np.flatnonzero(strays > 1 + len(outermost) // _SPECKS)
    count = int(others[0]) if len(others) else 0
    ramp = max(1, min(_RAMP_PX, total // _SHORT_RAMP), total // _LONG_RAMP)
    return _Band(count, ramp, colour, tolerance) if count * _SMALLEST >= total else None


def _margin(image: Image.Image, side: int, band: _Band, along: slice) -> int | None:
    """Return how many lines lie outside of the painting's edge: 0 without one, None with another plain band behind it.

    Only the pixels `along` of each line count, those between the margins at its two ends.
    """
    total = image.height if side % 2 else image.width
    lines = _lines(image, side, min(total, band.lines + 2 * band.ramp))[band.lines :, along]
    outside = _deviations(lines[: band.ramp], band.colour) > max(_EDGE, 2 * band.tolerance)
    end = max(1, outside.shape[1] // _ENDS)
    spans = _most(outside) & _most(outside[:, :end]) & _most(outside[:, -end:])
    if not spans.any():
        return 0
    start = int(spans.argmax())
    differing = [(_deviations(line, _median(line)) > band.tolerance).sum() for line in lines[start : start + band.ramp]]
    if max(differing) * _CONTENT < lines.shape[1]:
        return None
    return band.lines + start if (band.lines + start) * _LARGEST <= total else 0


def _same_colour(band: _Band, other: _Band | None) -> bool:
    return other is not None and int(np.abs(band.colour - other.colour).max()) <= band.tolerance


def _median(line: Lines) -> NDArray[np.int16]:
    median: NDArray[np.int16] = np.sort(line, axis=0)[len(line) // 2].astype(np.int16)
    return median


def _deviations(lines: Lines, colour: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return how far each pixel is from a colour, in the channel that is farthest."""
    deviations: NDArray[np.int16] = np.abs(lines - colour).max(-1)
    return deviations


def _most(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return, line by line, whether at least half of the pixels are marked."""
    most: NDArray[np.bool_] = marked.sum(1) * 2 >= marked.shape[1]
    return most
