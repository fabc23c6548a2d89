"""Embeddings are kept by content, and a cache that cannot be used costs nothing but time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from artnet.data.duplicates import Fingerprint
from artnet.teaching.embedding_cache import EmbeddedImage, EmbeddingCache

IMAGE = EmbeddedImage(np.arange(4, dtype=np.float32), Fingerprint(b"thumbnail", 1.5), np.array([0.5, 2.0]))


def test_what_was_written_is_read_by_another(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path / "new" / "cache.sqlite") as cache:
        cache.write({"a": IMAGE})
    with EmbeddingCache(tmp_path / "new" / "cache.sqlite") as cache:
        found = cache.read(["a", "b"])
    assert list(found) == ["a"]
    assert found["a"].embedding.tolist() == [0, 1, 2, 3]
    assert found["a"].fingerprint == IMAGE.fingerprint


def test_a_broken_cache_is_said_once_and_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"not a database" * 100)
    with EmbeddingCache(path) as cache:
        cache.write({"a": IMAGE})
        assert cache.read(["a"]) == {}
    assert [record.getMessage().partition(" cannot")[0] for record in caplog.records] == [f"{path}: embeddings"]
