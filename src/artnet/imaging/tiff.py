"""Kinds of TIFF: how light grey values are, and which kinds Pillow does not read, or reads wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any

from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")  # the last two are BigTIFF's
Tags = Mapping[int, Any]

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC = 254, 256, 257, 258, 262
_STRIPS, _SAMPLES, _PLANAR, _TILES, _EXTRA, _FORMAT, _DNG = 273, 277, 284, 324, 338, 339, 50706
_WHITE_IS_ZERO, _RGB, _CMYK = 0, 2, 5
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_ALPHA = 2
_COLOURS = {
    0: "grey",
    1: "grey",
    2: "RGB",
    3: "palette",
    4: "mask",
    5: "CMYK",
    6: "YCbCr",
    8: "CIE L*a*b*",
    9: "ICC L*a*b*",
    10: "ITU L*a*b*",
    32803: "raw sensor",
    32844: "LogL",
    32845: "LogLuv",
    34892: "linear raw sensor",
}
_FORMATS = {_UNSIGNED: "", _SIGNED: "signed ", _FLOAT: "floating-point "}


def read_tags(data: bytes) -> Tags | None:
    """Return the tags of a file's first image, None where they are damaged or name no pixels inside of the file."""
    with suppress(Exception):  # Pillow's reader raises nearly every built-in class
        directory = ImageFileDirectory_v2(data[: 16 if data[2:4] in (b"+\x00", b"\x00+") else 8])
        file = BytesIO(data)
        file.seek(directory.next)
        directory.load(file)
        places = directory.get(_STRIPS) or directory.get(_TILES) or ()
        if _WIDTH in directory and _HEIGHT in directory and places and max(places) < len(data):
            return dict(directory)
    return None


def is_raw(tags: Tags, data: bytes) -> bool:
    """Return whether a camera wrote its sensor's values, with a small preview as the file's first image."""
    return _DNG in tags or bool(int(tags.get(_SUBFILE, 0)) & 1) or data[8:12] == b"CR\x02\x00"


def misread(tags: Tags) -> bool:
    """Return whether Pillow opens a kind of TIFF and then reads values that are not the stored ones, or fails."""
    if _SIGNED in _all(tags, _FORMAT):
        return True
    if tags.get(_PLANAR, 1) != 2 or int(tags.get(_SAMPLES, 1)) == 1:
        return False
    others = set(_all(tags, _EXTRA)) - {_ALPHA}
    return max(_all(tags, _BITS) or (1,)) > 8 or tags.get(_PHOTOMETRIC) not in (_RGB, _CMYK) or bool(others)


def describe(tags: Tags) -> str:
    """Return a kind of TIFF in words, such as "RGB of 32-bit floating-point samples".

    >>> describe({262: 2, 258: (32, 32, 32), 277: 3, 339: (3, 3, 3), 284: 2})
    'RGB of 32-bit floating-point samples in separate planes'
    """
    photometric, extra = int(tags.get(_PHOTOMETRIC, 0)), _all(tags, _EXTRA)
    colour = _COLOURS.get(photometric, f"photometric interpretation {photometric}")
    bits = max(_all(tags, _BITS) or (1,))
    kind = _FORMATS.get(next(iter(_all(tags, _FORMAT)), 1), "complex or untyped ")
    words = f"{colour}{' with alpha or another extra sample' if extra else ''} of {bits}-bit {kind}samples"
    return words + (" in separate planes" if tags.get(_PLANAR, 1) == 2 else "")


def grey_levels(image: TiffImageFile) -> tuple[float, float]:
    """Return the integers that are black and white in a grey image of more than 8 bits."""
    tags = image.tag_v2
    full = float(2 ** max(_all(tags, _BITS) or (16,)) - 1)
    return (full, 0.0) if is_inverted(image) else (0.0, full)


def is_inverted(image: TiffImageFile) -> bool:
    """Return whether 0 is white."""
    return bool(image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO)


def _all(tags: Tags, tag: int) -> tuple[int, ...]:
    value = tags.get(tag, ())
    return tuple(value) if isinstance(value, tuple) else (int(value),)
