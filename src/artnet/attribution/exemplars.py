"""Patches of training paintings that excite a channel, as the model folder's gallery holds them."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from artnet.errors import DataError

GALLERY_FILE = "gallery.parquet"


@dataclass(frozen=True)
class Patch:
    """A piece of a painting, and how strongly it excites the channel."""

    depth: int
    channel: int
    strength: float
    painting: str
    image: Image.Image


def read_patches(folder: Path, depth: int, channel: int) -> list[Patch]:
    """Read one channel's patches, the most exciting first; none where the folder has no gallery or not this channel.

    Errors: `DataError` for a gallery that cannot be read.
    """
    path = folder / GALLERY_FILE
    if not path.is_file():
        return []
    try:
        rows = pq.read_table(path, filters=[("depth", "=", depth), ("channel", "=", channel)]).to_pylist()
        found = [_patch(row) for row in rows]
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); export the model again with --gallery") from error
    return sorted(found, key=lambda patch: -patch.strength)


def _patch(row: dict[str, Any]) -> Patch:
    with Image.open(BytesIO(row["patch"])) as image:
        return Patch(row["depth"], row["channel"], row["strength"], row["painting"], image.convert("RGB"))
