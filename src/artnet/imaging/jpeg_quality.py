"""The quality at which a JPEG was saved, estimated from its quantisation table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

# ITU-T T.81, "Digital compression and coding of continuous-tone still images", 1992, table K.1 (luminance), row by row.
_LUMINANCE = np.array(
    [
        *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
        *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
        *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
        *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
    ]
)


def jpeg_quality(data: bytes) -> int | None:
    """Return the quality, 1 to 100, at which a JPEG file was last saved; None for a file of another format.

    Args:
        data: a file that can be decoded; only its header is read
    """
    if not data.startswith(b"\xff\xd8"):
        return None
    with JpegImageFile(BytesIO(data)) as image:
        return nearest_quality(image.quantization[min(image.quantization)])


def nearest_quality(table: Sequence[int]) -> int:
    """Return the quality whose luminance table is nearest to `table` in the sum of absolute differences.

    libjpeg and all that follow it scale one table, so the answer is exact for them. Encoders with tables of their own,
    such as Photoshop's, get the quality that is as coarse.

    Args:
        table: (64,) step sizes, row by row
    """
    distances = np.abs(_tables() - np.asarray(table)).sum(1)
    return int(distances.argmin()) + 1


def luminance_table(quality: int) -> NDArray[np.int64]:
    """Return libjpeg's luminance table (64,) of a quality from 1 to 100.

    The Independent JPEG Group's `jpeg_quality_scaling`: a scale of 5000 / quality percent below 50, else of 200 minus
    twice the quality; each step is scaled, rounded and kept within 1 to 255.

    >>> luminance_table(50)[:3].tolist(), luminance_table(75)[:3].tolist()
    ([16, 11, 10], [8, 6, 5])
    """
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return ((_LUMINANCE * percent + 50) // 100).clip(1, 255)


@cache
def _tables() -> NDArray[np.int64]:
    return np.stack([luminance_table(quality) for quality in range(1, 101)])  # (100, 64)
