"""Classify a collection into a table that can be stopped and gone on with.

Knows nothing about how answers are computed: here or on a cluster, a `Road` turns pictures into answers, in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from artnet.batch.journal import GrowingTable
from artnet.batch.predict import DEFAULT_LOADING, DEFAULT_WANTED, Answer, Loading, Wanted, answer_all
from artnet.batch.ray_executor import answer_on_ray
from artnet.batch.summary import Summary
from artnet.batch.table import Shape, printable, table_row
from artnet.errors import UsageError
from artnet.hardware import busy_callers, has_fast_bf16
from artnet.model.config import CONFIG_FILE, FAMILIARITY_FILE, GRAPH_FILE, ModelConfig
from artnet.sources.find import find_pictures, holds_many
from artnet.sources.item import DEFAULT_RULES, Found, SourceRules

Road = Callable[[Iterable[Found]], Iterator[Answer]]
Seen = Callable[[Answer | None, Summary], None]


@dataclass(frozen=True)
class Asked:
    """A collection and what is asked of it: its sources, the model, what is wanted, here or `on_ray`."""

    sources: Sequence[str]
    rules: SourceRules = DEFAULT_RULES
    loading: Loading = DEFAULT_LOADING
    wanted: Wanted = DEFAULT_WANTED
    on_ray: bool = False

    @property
    def pictures(self) -> Iterator[Found]:
        """Find the pictures, one after the other, from the first."""
        return find_pictures(self.sources, self.rules)

    @property
    def single(self) -> bool:
        """Say whether one picture is asked for, by its own name."""
        return len(self.sources) == 1 and not holds_many(self.sources[0])


def open_road(asked: Asked) -> Road:
    """Load what answers. Errors: `ModelError`, `UsageError`, `MissingPartError` where Ray is not installed."""
    if asked.on_ray:
        return partial(answer_on_ray, loading=asked.loading, wanted=asked.wanted)
    # A single picture is answered soonest by all processors at once, many by one each.
    classifier = asked.loading.load(1 if asked.single else busy_callers())
    return partial(answer_all, classifier, wanted=asked.wanted)


def until_failure(answers: Iterable[Answer]) -> Iterator[Answer]:
    """Pass answers on until one has an error, and raise that."""
    for answer in answers:
        if answer.error is not None:
            raise answer.error
        yield answer


def shape_of(config: ModelConfig, wanted: Wanted) -> Shape:
    """Give the columns of a table with what is wanted."""
    overlay = wanted.overlays is not None
    return Shape(config.movements, wanted.views == "all", wanted.embedding, overlay, wanted.thumbnail)


def settings_of(folder: Path, config: ModelConfig, asked: Asked) -> Mapping[str, Any]:
    """Name what decides the rows of a table, the model by its content.

    Not the sources: they are compared picture by picture. Nor the road, since all give the same rows.
    """
    loading, wanted = asked.loading, asked.wanted
    fast = loading.precision == "auto" and loading.runtime == "openvino" and has_fast_bf16()
    return {
        "model": model_mark(folder, config),
        "runtime": loading.runtime,
        "precision": "bf16" if fast else "f32",
        "views": wanted.views,
        "embeddings": wanted.embedding,
        "explain": None if wanted.overlays is None else str(wanted.overlays.resolve()),
        "iiif-px": asked.rules.shorter_side_px,
        "max-mb": asked.rules.limits.size_bytes // 2**20,
    }


def model_mark(folder: Path, config: ModelConfig) -> str:
    """Name a model by its own name and its content."""
    digest = hashlib.sha256()
    for name in (CONFIG_FILE, GRAPH_FILE, FAMILIARITY_FILE):
        if (folder / name).exists():
            digest.update((folder / name).read_bytes())
    return f"{config.name} ({digest.hexdigest()[:16]})"


def fill_table(table: GrowingTable, pictures: Iterable[Found], road: Road, seen: Seen) -> Summary:
    """Write a row for each picture that the table does not hold yet, and finish it.

    `seen` is told of every answer, and with None of those that were there. Errors: `UsageError` where the pictures are
    not those that the table was begun with; whatever the road raises, with what it answered before kept.
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
    for answer in road(rest):
        row = table_row(answer, table.shape)
        table.add(row)
        summary.count(row)
        seen(answer, summary)
    table.finish()
    return summary
