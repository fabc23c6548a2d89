"""An index of a collection's embeddings in LanceDB, and the paintings of it that are nearest to an image."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from artnet.batch.journal import Existing, check_output
from artnet.batch.table import Row, TableSchema, record_batches, score_column
from artnet.errors import DataError, MissingExtraError, OutputError, reason
from artnet.extras import install_command
from artnet.workers import signals_held_back

_TABLE = "paintings"
_METADATA = "index.json"
_BATCH_ROWS = 2000
EXHAUSTIVE_UP_TO = 100_000  # paintings that a search compares with all of (0.2 s); beyond, LanceDB's index selects some
_REFINE_FACTOR = 20  # times the number to find are compared exactly where the index selects
_PROBES = 40  # of the index's cells


@dataclass(frozen=True)
class Neighbour:
    """A painting of the index; `similarity` is the cosine between the embeddings, 1 for the same image."""

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
        """Return what `artnet similar --json` prints of it; label and id only where there are any."""
        names = ("source", "similarity", "sha256", "movement", "confidence", "decision")
        optional = {name: getattr(self, name) for name in ("label", "id") if getattr(self, name) is not None}
        return {**{name: getattr(self, name) for name in names}, "scores": dict(self.scores), **optional}


def check_installed() -> None:
    """Raise a `MissingExtraError` if LanceDB is not installed."""
    try:
        import lancedb  # noqa: F401
    except ImportError:
        raise MissingExtraError(f"LanceDB is not installed; install it with: {install_command('similar')}") from None


def check_index_path(folder: Path, existing: Existing = "refuse") -> None:
    """Check that an index can be written, before anything is loaded or read.

    Raises:
        OutputError: see `check_output`; also if the folder is complete and to be resumed, or is not an index
    """
    check_output(folder, existing)
    if folder.exists() and existing == "resume":
        raise OutputError(f"{folder}: is complete already; build it again with --overwrite")
    if folder.exists() and not (folder / _METADATA).is_file():
        raise OutputError(f"{folder}: is not an index and would be lost; choose another name or remove it yourself")


def write_index(
    folder: Path, rows: Iterable[Row], schema: TableSchema, model: str, exhaustive_up_to: int = EXHAUSTIVE_UP_TO
) -> int:
    """Write an index of the rows with an embedding, complete or not at all, and return their number.

    Args:
        folder: the index; one that exists is replaced
        rows: of a table with embeddings and thumbnails
        schema: of that table
        model: fingerprint of the model that computed the embeddings
        exhaustive_up_to: number of paintings beyond which LanceDB builds an index of its own

    Raises:
        DataError: if no row has an embedding
        OutputError: if the folder cannot be written
    """
    check_installed()
    import lancedb

    partial, before = (folder.with_name(f".{folder.name}.{word}") for word in ("partial", "before"))
    for stale in (partial, before):
        shutil.rmtree(stale, ignore_errors=True)
    batches = _batches(rows, schema)
    first = next(batches, None)
    if first is None:
        raise DataError(f"{folder}: none of the images could be read, so there is nothing to index")
    try:
        reader = pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))
        table = lancedb.connect(partial).create_table(_TABLE, reader)
        count = int(table.count_rows())
        if count > exhaustive_up_to:
            table.create_index(metric="cosine", vector_column_name="embedding")
        metadata = {"model": model, "movements": schema.movements, "paintings": count}
        (partial / _METADATA).write_text(json.dumps(metadata, ensure_ascii=False), "utf-8")
        with signals_held_back():  # between the two there is no index
            if folder.exists():
                folder.rename(before)
            partial.rename(folder)
    except (OSError, RuntimeError) as error:
        message = f"{folder}: cannot be written ({reason(error)}); make room and continue with --resume"
        raise OutputError(message) from error
    shutil.rmtree(before, ignore_errors=True)
    return count


class Index:
    """An index, opened once and searched often."""

    def __init__(self, folder: Path, model: str, exhaustive_up_to: int = EXHAUSTIVE_UP_TO) -> None:
        """Open an index.

        Args:
            folder: written by `write_index`
            model: fingerprint of the model that will compute the embeddings to search for
            exhaustive_up_to: as for `write_index`

        Raises:
            DataError: if the folder is not an index, or is of another model
            MissingExtraError: if LanceDB is not installed
        """
        check_installed()
        import lancedb

        try:
            metadata = json.loads((folder / _METADATA).read_text("utf-8"))
            self._table = lancedb.connect(folder).open_table(_TABLE)
        except (OSError, ValueError) as error:
            message = f"{folder}: is not an index; build one with artnet index COLLECTION --out FOLDER"
            raise DataError(message) from error
        if metadata.get("model") != model:
            raise DataError(
                f"{folder}: was built with the model {metadata.get('model')}, this is {model}, whose embeddings cannot "
                "be compared; use that model, or build the index again with --overwrite"
            )
        self.count = int(metadata["paintings"])
        self._movements = tuple(metadata["movements"])
        self._is_exhaustive = self.count <= exhaustive_up_to

    def nearest(self, embedding: NDArray[np.float32], count: int = 10) -> list[Neighbour]:
        """Return the `count` paintings nearest to an embedding (E,), the nearest first."""
        query = self._table.search(embedding, vector_column_name="embedding").distance_type("cosine").limit(count)
        if not self._is_exhaustive:
            query = query.nprobes(_PROBES).refine_factor(_REFINE_FACTOR)
        return [self._neighbour(row) for row in query.to_list()]

    def _neighbour(self, row: Mapping[str, Any]) -> Neighbour:
        with Image.open(BytesIO(row["thumbnail"]), formats=("JPEG",)) as image:
            thumbnail = image.convert("RGB")
        names = ("source", "sha256", "movement", "confidence", "decision", "label", "id")
        return Neighbour(
            similarity=1 - float(row["_distance"]),
            scores={movement: row[score_column(movement)] for movement in self._movements},
            thumbnail=thumbnail,
            **{name: row[name] for name in names},
        )


def _batches(rows: Iterable[Row], schema: TableSchema) -> Iterator[pa.RecordBatch]:
    """Yield the rows with an embedding, without the columns of errors."""
    for batch in record_batches((row for row in rows if row["embedding"] is not None), schema, _BATCH_ROWS):
        embeddings = batch["embedding"]
        columns = {name: batch[name] for name in batch.schema.names if not name.startswith("error")}
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(embeddings.flatten(), len(embeddings[0]))
        yield pa.record_batch(columns)
