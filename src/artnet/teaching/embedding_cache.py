"""Embeddings of images that were computed before, by the content of their files, in the user's cache folder."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from artnet.data.duplicates import Fingerprint
from artnet.errors import reason
from artnet.model.config import ModelConfig

FORMAT = 2  # to be raised whenever what is kept changes
_logger = logging.getLogger(__name__)
_AT_ONCE = 500  # parameters of one query; SQLite takes no more than 999


@dataclass(frozen=True)
class EmbeddedImage:
    """What teaching needs of an image: its embedding (E,), what finds its near-duplicates, and its properties (P,)."""

    embedding: NDArray[np.float32]
    fingerprint: Fingerprint
    properties: NDArray[np.float64]


class EmbeddingCache:
    """A database that can be lost: where it cannot be read or written, that is said once and nothing is kept.

    SQLite, because each of thousands of files would be synchronised with the disk on its own, and what was computed
    before Ctrl-C or by another process at the same time must be there. For one thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=10)
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS images "
                "(sha256 TEXT PRIMARY KEY, embedding BLOB, thumbnail BLOB, aspect REAL, properties BLOB)"
            )
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def __enter__(self) -> EmbeddingCache:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database is not None:
            self._database.close()

    def read(self, hashes: Sequence[str]) -> dict[str, EmbeddedImage]:
        """Return what is known of images, by the SHA-256 of their files."""
        found: dict[str, EmbeddedImage] = {}
        try:
            for start in range(0, len(hashes) if self._database is not None else 0, _AT_ONCE):
                some = hashes[start : start + _AT_ONCE]
                query = f"SELECT * FROM images WHERE sha256 IN ({','.join('?' * len(some))})"
                for sha256, embedding, thumbnail, aspect, properties in self._database.execute(query, some):  # type: ignore[union-attr]
                    found[sha256] = EmbeddedImage(
                        np.frombuffer(embedding, "<f4"),
                        Fingerprint(thumbnail, aspect),
                        np.frombuffer(properties, "<f8"),
                    )
        except sqlite3.Error as error:
            self._give_up(error)
        return found

    def write(self, images: Mapping[str, EmbeddedImage]) -> None:
        """Keep images, all or none of them."""
        if self._database is None:
            return
        rows: Iterable[tuple[str, bytes, bytes, float, bytes]] = (
            (
                sha256,
                image.embedding.astype("<f4").tobytes(),
                image.fingerprint.thumbnail,
                image.fingerprint.aspect,
                image.properties.astype("<f8").tobytes(),
            )
            for sha256, image in images.items()
        )
        try:
            with self._database:  # one transaction
                self._database.executemany("INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        _logger.warning(
            "%s: embeddings cannot be kept for the next time (%s); make room, or remove that file",
            self._path,
            reason(error),
        )
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
        self._database = None


def cache_path(config: ModelConfig) -> Path:
    """Return where the embeddings of a model's graph and preprocessing are kept."""
    key = f"{FORMAT} {config.graph_sha256} {config.preprocessing}"
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    return user_cache_path("artnet", appauthor=False) / "embeddings" / f"{name}.sqlite"
