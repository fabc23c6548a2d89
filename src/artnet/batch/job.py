"""A batch job: a collection, what to compute of it and where; run with resume, progress and a summary."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from artnet.atomic import atomic_write
from artnet.batch.journal import Existing, Journal, check_output, open_journal
from artnet.batch.local_executor import LocalPredictor
from artnet.batch.predict import DEFAULT_MODEL, DEFAULT_OPTIONS, ModelSpec, PredictOptions, Result, predict_items
from artnet.batch.ray_executor import predict_on_ray
from artnet.batch.table import TableSchema, check_suffix, table_row, write_table
from artnet.errors import ArtNetError, UsageError, output_errors
from artnet.hardware import has_fast_bf16
from artnet.imaging.decode import SUFFIXES
from artnet.model.config import CONFIG_FILE, GRAPH_FILE, OOD_FILE, ModelConfig, read_model
from artnet.sources.find import find_items, holds_many
from artnet.sources.item import DEFAULT_RULES, SourceItem, SourceRules, needed_side, printable

Predictor = Callable[[Iterable[SourceItem]], Iterator[Result]]


@dataclass(frozen=True)
class BatchJob:
    """A collection and how to classify it.

    Attributes:
        executor: "local" is this machine, "ray" a cluster; the results are the same
        fail_fast: whether the first failed item ends the job with its error
    """

    sources: Sequence[str]
    options: PredictOptions = DEFAULT_OPTIONS
    rules: SourceRules = DEFAULT_RULES
    model: ModelSpec = DEFAULT_MODEL
    executor: Literal["local", "ray"] = "local"
    fail_fast: bool = False

    def items(self, on_hidden: Callable[[str], None] = lambda name: None) -> Iterator[SourceItem]:
        """Find the items, one by one, from the first; `on_hidden` is called with what is passed over."""
        return find_items(self.sources, self.rules, on_hidden)

    @property
    def is_single(self) -> bool:
        """Whether the job is one image, named itself."""
        return len(self.sources) == 1 and not holds_many(self.sources[0])


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        total: number of items, None while it is unknown
        error: of the last item, if it failed
    """

    done: int
    failed: int
    total: int | None = None
    error: ArtNetError | None = None


@dataclass
class Summary:
    """Counts over the rows of a job: predictions by movement and by decision, failures by kind; and what was hidden."""

    movements: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    hidden: int = 0

    def hide(self, name: str) -> None:
        """Count a file or folder that is passed over."""
        self.hidden += 1

    def count(self, row: Mapping[str, Any]) -> None:
        """Count a row of the table."""
        if row["error_kind"] is not None:
            self.failures[row["error_kind"]] += 1
            return
        self.movements[row["movement"]] += 1
        self.decisions[row["decision"]] += 1

    @property
    def failed(self) -> int:
        """Number of failed items."""
        return self.failures.total()

    @property
    def total(self) -> int:
        """Number of all items."""
        return self.movements.total() + self.failed


def iiif_side_px(sources: Iterable[str], model: Path | None, options: PredictOptions = DEFAULT_OPTIONS) -> int:
    """Return the shorter side, in pixels, to request from IIIF; the model is read only if a source may be IIIF."""
    if not any(holds_many(source) for source in sources):
        return DEFAULT_RULES.shorter_side_px
    config = read_model(model)[1]
    has_regions = options.views == "all" or options.overlay_folder is not None or len(config.voting_views) > 1
    return needed_side(config.preprocessing.size_px, has_regions)


def open_predictor(job: BatchJob) -> Predictor:
    """Load the job's model, or connect its executor to it.

    Raises:
        ModelError: if the model folder is incomplete or altered
        UsageError: if the runtime is unknown
    """
    if job.executor == "ray":
        return partial(predict_on_ray, model=job.model, options=job.options, rules=job.rules)
    # One image is classified soonest by all processors together, as ONNX Runtime classifies all.
    if job.is_single or job.model.runtime != "openvino":
        return partial(predict_items, job.model.load(), options=job.options, rules=job.rules)
    return LocalPredictor(job.model, job.options, job.rules)


def predict_job(job: BatchJob, on_hidden: Callable[[str], None] = lambda name: None) -> Iterator[Result]:
    """Load the job's model and return an iterator over its results; with `fail_fast` it raises the first error."""
    return _results(job, open_predictor(job), job.items(on_hidden))


def _results(job: BatchJob, predictor: Predictor, items: Iterable[SourceItem]) -> Iterator[Result]:
    for result in predictor(items):
        if job.fail_fast and result.error is not None:
            raise result.error
        yield result


def check_table_path(path: Path, existing: Existing = "refuse") -> None:
    """Check that a table can be written, before anything is loaded or read.

    Raises:
        UsageError: if the suffix names no table format
        OutputError: see `check_output`
    """
    check_suffix(path)
    check_output(path, existing)


def job_journal(job: BatchJob, output: Path, existing: Existing = "refuse") -> AbstractContextManager[Journal]:
    """Open the journal of a job; see `open_journal`."""
    folder, config = read_model(job.model.folder)
    return open_journal(output, table_schema(config, job.options), resume_settings(folder, config, job), existing)


def table_schema(config: ModelConfig, options: PredictOptions) -> TableSchema:
    """Return the columns of a table of results."""
    has_overlay = options.overlay_folder is not None
    return TableSchema(config.movements, options.views == "all", options.embedding, has_overlay, options.thumbnail)


def resume_settings(folder: Path, config: ModelConfig, job: BatchJob) -> Mapping[str, Any]:
    """Return what determines the rows of a job, the model by its content.

    Sources are not among them, since items are compared one by one, nor the executor, since all give the same rows.
    """
    model, options = job.model, job.options
    is_bf16 = model.precision == "auto" and model.runtime == "openvino" and has_fast_bf16()
    return {
        "model": model_fingerprint(folder, config),
        "runtime": model.runtime,
        "precision": "bf16" if is_bf16 else "f32",
        "views": options.views,
        "trim": options.trim,
        "embeddings": options.embedding,
        "explain": None if options.overlay_folder is None else str(options.overlay_folder.resolve()),
        "iiif-px": job.rules.shorter_side_px,
        "max-mb": job.rules.limits.size_bytes // 2**20,
    }


def model_fingerprint(folder: Path, config: ModelConfig, trim: bool = True) -> str:
    """Return the name of a model with a digest of its content, and whether it is used without its trimming."""
    digest = hashlib.sha256()
    for name in (CONFIG_FILE, GRAPH_FILE, OOD_FILE):
        if (folder / name).exists():
            digest.update((folder / name).read_bytes())
    return f"{config.name} ({digest.hexdigest()[:16]})" + ("" if trim else " with --no-trim")


def run_job(
    job: BatchJob,
    journal: Journal,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    count_total: bool = False,
    predictor: Predictor | None = None,
) -> Summary:
    """Append a row to the journal for each item that it lacks.

    Args:
        job: what to classify
        journal: of that job, from `job_journal`
        on_progress: called once with what the journal holds already, then after each new row
        count_total: whether to count the items in a thread, where that costs little: in local folders
        predictor: what predicts in place of `open_predictor(job)`

    Raises:
        UsageError: if the journal's rows are of other items than the sources now name
        ArtNetError: with `fail_fast`, that of the first failed item
    """
    predictor = predictor or open_predictor(job)
    summary = Summary()
    items = job.items(summary.hide)
    _skip_rows(journal, items, summary)
    with _item_count(job, count_total) as total:
        on_progress(Progress(summary.total, summary.failed, total()))
        for result in _results(job, predictor, items):
            row = table_row(result, journal.schema)
            journal.append(row)
            summary.count(row)
            on_progress(Progress(summary.total, summary.failed, total(), result.error))
    return summary


def write_results(journal: Journal) -> None:
    """Write the table of a finished journal, complete or not at all, and delete the journal.

    Raises:
        OutputError: if it cannot be written; the journal stays
    """
    hint = f"its rows are kept in {journal.path}; make room and continue with --resume"
    with output_errors(journal.output, hint), atomic_write(journal.output) as partial:
        write_table(partial, journal.rows(), journal.schema)
    journal.delete()


def _skip_rows(journal: Journal, items: Iterator[SourceItem], summary: Summary) -> None:
    """Count the journal's rows and advance `items` past theirs."""
    for row in journal.summary_rows():
        item = next(items, None)
        if item is None or printable(item.name) != row["source"]:
            name = "nothing" if item is None else printable(item.name)
            raise UsageError(
                f"{journal.output}: row {summary.total + 1} is of {row['source']}, but the sources now have {name} "
                "there; use the same sources to resume, or start again with --overwrite"
            )
        summary.count(row)


@contextmanager
def _item_count(job: BatchJob, enabled: bool) -> Iterator[Callable[[], int | None]]:
    """Count the job's items in a thread; yield a function that returns their number once it is known."""
    total: int | None = None
    stopped = threading.Event()

    def count() -> None:
        nonlocal total
        number = 0
        for _ in job.items():
            number += 1
            if stopped.is_set():
                return
        total = number

    if enabled and all(map(_is_local, job.sources)):
        threading.Thread(target=count, daemon=True).start()
    try:
        yield lambda: total
    finally:
        stopped.set()


def _is_local(source: str) -> bool:
    """Return whether a source is a local folder or image; unlike pathlib's, these tests accept any name."""
    return os.path.isdir(source) or (os.path.isfile(source) and Path(source).suffix.lower() in SUFFIXES)  # noqa: PTH112, PTH113
