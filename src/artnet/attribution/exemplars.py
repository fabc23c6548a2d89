"""Exemplars: patches of training paintings that activate a channel most, read from the model folder's gallery."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from artnet.errors import DataError, reason

GALLERY_FILE = "gallery.parquet"


@dataclass(frozen=True)
class Patch:
    """A patch of the painting with the id `painting`; `strength` is the channel's largest activation there."""

    depth: int
    channel: int
    strength: float
    painting: str
    image: Image.Image


def read_patches(folder: Path, depth: int, channel: int) -> list[Patch]:
    """Read one channel's patches, the strongest first; none where the folder has no gallery or not this channel.

    Raises:
        DataError: for a gallery that cannot be read
    """
    path = folder / GALLERY_FILE
    if not path.is_file():
        return []
    try:
        rows = pq.read_table(path, filters=[("depth", "=", depth), ("channel", "=", channel)]).to_pylist()
        patches = [_patch(row) for row in rows]
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({reason(error)}); export the model again with --gallery") from error
    return sorted(patches, key=lambda patch: -patch.strength)


def _patch(row: dict[str, Any]) -> Patch:
    with Image.open(BytesIO(row["patch"])) as image:
        return Patch(row["depth"], row["channel"], row["strength"], row["painting"], image.convert("RGB"))
