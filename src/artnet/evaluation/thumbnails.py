"""Small copies of a dataset's paintings, for reports."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from PIL import Image

from artnet.data.dataset import iterate_rows
from artnet.evaluation.predictions import stored_view
from artnet.imaging.encode import encode_jpeg, thumbnail
from artnet.imaging.views import WHOLE

_THUMBNAIL_PX = 168
_QUALITY = 72  # fifty of them weigh some 400 kB


def painting_thumbnails(data: Path, split: str, ids: Collection[str]) -> dict[str, bytes]:
    """Return a JPEG of each painting of a split that is among `ids`, in its aspect ratio, from one pass over it."""
    return {
        row["id"]: _thumbnail(stored_view(row, WHOLE).image, row["width"] / row["height"])
        for row in iterate_rows(data, split, ["id", "whole", "width", "height"])
        if row["id"] in ids
    }


def _thumbnail(view: Image.Image, aspect: float) -> bytes:
    """Scale a whole view down; one that was stretched is restored to its painting's aspect ratio."""
    image = view.crop(view.getbbox())  # without the letterbox's black bands
    side = max(image.size)
    shape = (max(1, round(side * min(1.0, aspect))), max(1, round(side * min(1.0, 1 / aspect))))
    return encode_jpeg(thumbnail(image.resize(shape), _THUMBNAIL_PX), _QUALITY, optimize=True)
