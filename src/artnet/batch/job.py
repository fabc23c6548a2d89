"""Classify a collection into a table that can be stopped and gone on with.

Knows nothing about how answers are computed: here or on a cluster, a `Executor` turns pictures into answers, in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from artnet.batch.journal import ResumableTable
from artnet.batch.predict import (
    DEFAULT_MODEL,
    DEFAULT_OPTIONS,
    ModelSpec,
    PredictOptions,
    Result,
    predict_items,
)
from artnet.batch.ray_executor import predict_on_ray
from artnet.batch.summary import Summary
from artnet.batch.table import RowSchema, printable, table_row
from artnet.errors import UsageError
from artnet.hardware import has_fast_bf16, inference_concurrency
from artnet.model.config import CONFIG_FILE, GRAPH_FILE, OOD_FILE, ModelConfig
from artnet.sources.find import find_items, holds_many
from artnet.sources.item import DEFAULT_RULES, SourceItem, SourceRules

Executor = Callable[[Iterable[SourceItem]], Iterator[Result]]
Seen = Callable[[Result | None, Summary], None]


@dataclass(frozen=True)
class BatchJob:
    """A collection and what is asked of it: its sources, the model, what is wanted, here or `on_ray`."""

    sources: Sequence[str]
    rules: SourceRules = DEFAULT_RULES
    loading: ModelSpec = DEFAULT_MODEL
    wanted: PredictOptions = DEFAULT_OPTIONS
    on_ray: bool = False

    @property
    def pictures(self) -> Iterator[SourceItem]:
        """Find the pictures, one after the other, from the first."""
        return find_items(self.sources, self.rules)

    @property
    def single(self) -> bool:
        """Say whether one picture is asked for, by its own name."""
        return len(self.sources) == 1 and not holds_many(self.sources[0])


def open_executor(asked: BatchJob) -> Executor:
    """Load what answers. Errors: `ModelError`, `UsageError`, `MissingPartError` where Ray is not installed."""
    if asked.on_ray:
        return partial(predict_on_ray, model=asked.loading, options=asked.wanted, rules=asked.rules)
    # A single picture is answered soonest by all processors at once, many by one each.
    classifier = asked.loading.load(1 if asked.single else inference_concurrency())
    return partial(predict_items, classifier, options=asked.wanted, rules=asked.rules)


def until_failure(answers: Iterable[Result]) -> Iterator[Result]:
    """Pass answers on until one has an error, and raise that."""
    for answer in answers:
        if answer.error is not None:
            raise answer.error
        yield answer


def row_schema_of(config: ModelConfig, wanted: PredictOptions) -> RowSchema:
    """Give the columns of a table with what is wanted."""
    overlay = wanted.overlay_folder is not None
    return RowSchema(config.movements, wanted.views == "all", wanted.embedding, overlay, wanted.thumbnail)


def resume_settings(folder: Path, config: ModelConfig, asked: BatchJob) -> Mapping[str, Any]:
    """Name what decides the rows of a table, the model by its content.

    Not the sources: they are compared picture by picture. Nor the executor, since all give the same rows.
    """
    loading, wanted = asked.loading, asked.wanted
    fast = loading.precision == "auto" and loading.runtime == "openvino" and has_fast_bf16()
    return {
        "model": model_fingerprint(folder, config),
        "runtime": loading.runtime,
        "precision": "bf16" if fast else "f32",
        "views": wanted.views,
        "embeddings": wanted.embedding,
        "explain": None if wanted.overlay_folder is None else str(wanted.overlay_folder.resolve()),
        "iiif-px": asked.rules.shorter_side_px,
        "max-mb": asked.rules.limits.size_bytes // 2**20,
    }


def model_fingerprint(folder: Path, config: ModelConfig) -> str:
    """Name a model by its own name and its content."""
    digest = hashlib.sha256()
    for name in (CONFIG_FILE, GRAPH_FILE, OOD_FILE):
        if (folder / name).exists():
            digest.update((folder / name).read_bytes())
    return f"{config.name} ({digest.hexdigest()[:16]})"


def run_job(table: ResumableTable, pictures: Iterable[SourceItem], executor: Executor, seen: Seen) -> Summary:
    """Write a row for each picture that the table does not hold yet, and finish it.

    `seen` is told of every answer, and with None of those that were there. Errors: `UsageError` where the pictures are
    not those that the table was begun with; whatever the executor raises, with what it answered before kept.
    """
    summary = Summary()
    rest = iter(pictures)
    for row in table.done():
        found = next(rest, None)
        if found is None or printable(found.name) != printable(row["source"]):
            raise UsageError(
                f"{table.path}: row {summary.total + 1} is of {row['source']}, but the sources now have "
                f"{'nothing' if found is None else printable(found.name)} there; give the same sources to go on, or "
                "begin anew with --overwrite"
            )
        summary.count(row)
    seen(None, summary)
    for answer in executor(rest):
        row = table_row(answer, table.shape)
        table.add(row)
        summary.count(row)
        seen(answer, summary)
    table.finish()
    return summary
