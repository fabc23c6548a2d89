"""Keep a collection's embeddings, scores and names in LanceDB, and find the paintings nearest to one.

Knows nothing about how embeddings are computed; near means a small angle between them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from artnet.batch.journal import check_table_path
from artnet.batch.table import score_column
from artnet.errors import DataError, MissingExtraError, OutputError

_TABLE = "paintings"
_ABOUT = "index.json"
_ROWS_AT_A_TIME = 2000
_ALL_COMPARED = 100_000  # up to as many, all are compared (0.2 s); beyond, an index says which are worth it
_REFINED = 20  # times as many as asked for are compared exactly where the index chose
_PROBED = 40  # of the index's cells


@dataclass(frozen=True)
class Neighbour:
    """A painting of the index; `similarity` is the cosine between the embeddings, 1 for the same picture."""

    source: str
    similarity: float
    sha256: str
    movement: str
    confidence: float
    decision: str
    scores: Mapping[str, float]
    label: str | None
    id: str | None
    thumbnail: Image.Image

    def to_dict(self) -> dict[str, Any]:
        """Give what `artnet similar --json` prints of it; label and id where there are any."""
        names = ("source", "similarity", "sha256", "movement", "confidence", "decision")
        known = {name: getattr(self, name) for name in ("label", "id") if getattr(self, name) is not None}
        return {**{name: getattr(self, name) for name in names}, "scores": dict(self.scores), **known}


def check_installed() -> None:
    """Refuse to begin without LanceDB. Errors: `MissingExtraError`."""
    try:
        import lancedb  # noqa: F401
    except ImportError:
        raise MissingExtraError("LanceDB is not installed; install it with: pip install 'artnet[similar]'") from None


def check_out(folder: Path, resume: bool, overwrite: bool) -> None:
    """Refuse a place for an index before anything is read. Errors: `UsageError`, `OutputError`."""
    if folder.exists() and not overwrite:
        if resume:
            raise OutputError(f"{folder}: is there already, nothing to go on with; make it anew with --overwrite")
        raise OutputError(f"{folder}: exists already; choose another name, or replace it with --overwrite")
    if folder.exists() and not (folder / _ABOUT).is_file():
        raise OutputError(f"{folder}: is no index and would be lost; choose another name or remove it yourself")
    if rows_path(folder).exists() and not (resume or overwrite):
        raise OutputError(f"{folder}: was begun and not finished; go on with --resume, or begin anew with --overwrite")
    check_table_path(rows_path(folder), resume, overwrite)


def rows_path(folder: Path) -> Path:
    """Say where the rows of an index are gathered before it is made."""
    return folder.with_name(f"{folder.name}.rows.parquet")


def write_index(rows: Path, folder: Path, about: Mapping[str, Any]) -> int:
    """Turn a Parquet table of answers with embeddings and thumbnails into an index, and count its paintings.

    Rows of failures are left out. The folder appears when it is whole and replaces one of the same name. Errors:
    `DataError` for a table without a single painting, `OutputError`.
    """
    check_installed()
    import lancedb

    partial, before = (folder.with_name(f".{folder.name}.{word}") for word in ("partial", "before"))
    for stale in (partial, before):
        shutil.rmtree(stale, ignore_errors=True)
    first = next(_batches(rows), None)
    if first is None:
        raise DataError(f"{folder}: none of the pictures could be read, so there is nothing to look among")
    try:
        batches = pa.RecordBatchReader.from_batches(first.schema, _batches(rows))
        table = lancedb.connect(partial).create_table(_TABLE, batches)
        count = int(table.count_rows())
        if count > _ALL_COMPARED:
            table.create_index(metric="cosine", vector_column_name="embedding")
        (partial / _ABOUT).write_text(json.dumps({**about, "paintings": count}, ensure_ascii=False), "utf-8")
        if folder.exists():
            folder.rename(before)
        partial.rename(folder)
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{folder}: cannot be written ({error}); make room and go on with --resume") from error
    shutil.rmtree(before, ignore_errors=True)
    return count


class Index:
    """An index, opened once and asked often. Errors: `DataError` for a folder that is none or is of another model."""

    def __init__(self, folder: Path, model: str) -> None:
        check_installed()
        import lancedb

        try:
            self.about: dict[str, Any] = json.loads((folder / _ABOUT).read_text("utf-8"))
            self._table = lancedb.connect(folder).open_table(_TABLE)
        except (OSError, ValueError) as error:
            raise DataError(f"{folder}: is no index; make one with artnet index COLLECTION --out FOLDER") from error
        if self.about.get("model") != model:
            raise DataError(
                f"{folder}: was made with the model {self.about.get('model')}, this is {model}, whose embeddings mean "
                "something else; give that model, or make the index anew with --overwrite"
            )
        self.count = int(self.about["paintings"])

    def nearest(self, embedding: NDArray[np.float32], count: int = 10) -> list[Neighbour]:
        """Find the paintings nearest to an embedding (E,), the nearest first."""
        query = self._table.search(embedding, vector_column_name="embedding").distance_type("cosine").limit(count)
        if self.count > _ALL_COMPARED:
            query = query.nprobes(_PROBED).refine_factor(_REFINED)
        return [self._neighbour(row) for row in query.to_list()]

    def _neighbour(self, row: Mapping[str, Any]) -> Neighbour:
        with Image.open(BytesIO(row["thumbnail"]), formats=("JPEG",)) as image:
            thumbnail = image.convert("RGB")
        names = ("sha256", "movement", "confidence", "decision")
        return Neighbour(
            source=row["source"],
            similarity=1 - float(row["_distance"]),
            scores={movement: row[score_column(movement)] for movement in self.about["movements"]},
            label=row["label"],
            id=row["id"],
            thumbnail=thumbnail,
            **{name: row[name] for name in names},
        )


def _batches(rows: Path) -> Iterator[pa.RecordBatch]:
    """Give the rows that have an embedding, each of one length, some at a time."""
    with pq.ParquetFile(rows) as file:
        for batch in file.iter_batches(_ROWS_AT_A_TIME):
            kept = batch.filter(pc.is_valid(batch["embedding"]))
            if not len(kept):
                continue
            embeddings = kept["embedding"]
            length = len(embeddings[0])
            fixed = pa.FixedSizeListArray.from_arrays(embeddings.flatten(), length)
            columns = {name: kept[name] for name in kept.schema.names if not name.startswith("error")}
            yield pa.record_batch({**columns, "embedding": fixed})
