"""The preparation of collections as one dataset: select, extract views, find duplicates, split, assemble, audit."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from shlex import quote
from typing import Any

from artnet.atomic import atomic_folder, check_absent
from artnet.data.artists import normalise_artist
from artnet.data.audit import Entry, Excluded, audit
from artnet.data.audit_report import audit_page
from artnet.data.card import dataset_card
from artnet.data.catalog import Catalog
from artnet.data.dataset import DatasetInfo, SplitWriter, digest_of_ids, write_info
from artnet.data.duplicates import near_duplicates
from artnet.data.exclusions import NO_EXCLUSIONS, Exclusions
from artnet.data.split import SPLITS, Ratios, Split, assign_split, check_split_by, group_of
from artnet.data.view_chunks import (
    CHUNK_FORMAT,
    ChunkSettings,
    PaintingFacts,
    Rejection,
    SelectedRecord,
    read_facts,
    read_rows,
    write_chunks,
)
from artnet.errors import DataError, OutputError, SourceError
from artnet.imaging.views import Fit
from artnet.sources.item import DEFAULT_RULES, SourceRules
from artnet.sources.stores import is_remote, stamp
from artnet.taxonomy import Taxonomy

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PrepareOptions:
    """Views, split and reading; the defaults are the 2020 project's views and a split by artist."""

    size_px: int = 256
    fit: Fit = "letterbox"
    trim: bool = True
    split_by: str = "artist"
    ratios: Ratios = field(default_factory=Ratios)
    seed: int = 0
    rules: SourceRules = DEFAULT_RULES
    exclusions: Exclusions = NO_EXCLUSIONS
    processes: int = 0  # 0: one for each processor; 1: none besides this one
    paintings_per_chunk: int = 32  # a kill costs a few seconds, and the processors finish nearly together


@dataclass(frozen=True)
class Painting:
    """A painting that was read, and its split."""

    selected: SelectedRecord
    facts: PaintingFacts
    artist: str | None  # normalised
    split: Split


Pair = tuple[Painting, Painting]


@dataclass(frozen=True)
class Selection:
    """What is kept, with the pairs of near-duplicates, and what is not.

    `unmatched` are the lines of the exclusions that name none of the paintings that were read.
    """

    paintings: Sequence[Painting]
    pairs: Sequence[Pair]
    rejected: Sequence[Rejection]
    unmatched: Sequence[int]


def prepare(
    catalogs: Sequence[Catalog],
    out: Path,
    taxonomy: Taxonomy,
    options: PrepareOptions,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Write a prepared dataset and return its audit.

    Everything is written to `out` with ".partial" appended and renamed at the end. After a kill or a full disk the same
    call continues from there to the same bytes.

    Args:
        catalogs: the collections
        out: folder to create
        taxonomy: decides the movement of each style
        options: views, split and reading
        progress: called with the number of paintings done and their total

    Raises:
        OutputError: where `out` exists or cannot be written
        DataError: where too few paintings are left
        WorkerError: where a worker process was killed
    """
    check_out(out)
    check_split_by(options.split_by)
    _check_present(catalogs)
    unmapped, unread, selected = _select(catalogs, taxonomy)
    settings = ChunkSettings(
        taxonomy.movements, options.size_px, options.fit, options.trim, options.rules, options.paintings_per_chunk
    )
    info = DatasetInfo(
        name=" + ".join(catalog.name for catalog in catalogs),
        movements=taxonomy.movements,
        taxonomy=taxonomy.name,
        size_px=options.size_px,
        fit=options.fit,
        trim=options.trim,
        split_by=options.split_by,
        ratios=(options.ratios.train, options.ratios.val, options.ratios.test),
        seed=options.seed,
    )
    with atomic_folder(out, _digest(selected, settings)) as folder:
        chunks = write_chunks(selected, folder / "chunks", settings, options.processes, progress)
        selection = _select_paintings(chunks, selected, taxonomy, options)
        paintings, rejected = selection.paintings, [*unread, *selection.rejected]
        _assemble(folder, chunks, paintings, info)
        summary = audit(
            [_entry(item, taxonomy, options) for item in paintings],
            Excluded(unmapped, Counter(item.reason for item in rejected), selection.unmatched),
            [
                (_entry(first, taxonomy, options), _entry(second, taxonomy, options))
                for first, second in selection.pairs
            ],
            options.ratios,
        )
        _write_rejected(folder / "rejected.csv", rejected)
        _write_audit(folder, info, summary)
        train_sha256 = digest_of_ids(item.facts.id for item in paintings if item.split == "train")
        write_info(folder, replace(info, train_sha256=train_sha256))
    return summary


def check_out(out: Path, sources: Iterable[str | Path] = ()) -> None:
    """Raise `OutputError` where `out` exists or is inside a source, which would contain it when read again."""
    check_absent(out)
    for source in (str(source) for source in sources):
        if not is_remote(source) and out.resolve().is_relative_to(Path(source).resolve()):
            raise OutputError(f"{out}: is inside the collection {source}; choose a folder outside of it")


def _check_present(catalogs: Sequence[Catalog]) -> None:
    for catalog in catalogs:
        if catalog.missing == len(catalog.records):
            raise DataError(
                f"{catalog.name}: lists {catalog.missing} paintings, but none of their images exists; looked in "
                f"{catalog.searched}; the first is {catalog.records[0].source}"
            )


def _select(
    catalogs: Sequence[Catalog], taxonomy: Taxonomy
) -> tuple[Counter[str], list[Rejection], list[SelectedRecord]]:
    """Return the counts of the styles without a movement, the records without a style, and all others.

    A record has no style if it could not be read far enough, such as a manifest that is gone.
    """
    unmapped: Counter[str] = Counter()
    unread, selected = [], []
    for record in (record for catalog in catalogs for record in catalog.records):
        movement = taxonomy.movement_of(record.style)
        if movement is None and record.error is not None and not record.style:
            unread.append(Rejection(record.source, "", record.error.kind, str(record.error)))
        elif movement is None:
            unmapped[record.style] += 1
        else:
            selected.append(SelectedRecord(record, taxonomy.movements.index(movement)))
    _check_enough([item.movement for item in selected], taxonomy, _describe_unmapped(unmapped))
    return unmapped, unread, selected


def _select_paintings(
    chunks: Sequence[Path], selected: Sequence[SelectedRecord], taxonomy: Taxonomy, options: PrepareOptions
) -> Selection:
    rejected: list[Rejection] = []
    facts: list[PaintingFacts] = []
    for chunk in chunks:
        readable, unreadable = read_facts(chunk)
        facts += readable
        rejected += unreadable
    facts, excluded, unmatched = _without_excluded(facts, selected, options.exclusions)
    movements = {each.position: taxonomy.movements[selected[each.position].movement] for each in facts}
    facts, copies = _without_copies(facts, selected, movements)
    paintings = [_assign(selected[each.position], each, options) for each in facts]
    pairs = [(paintings[i], paintings[j]) for i, j in near_duplicates([each.facts.fingerprint for each in paintings])]
    paintings, leaked = _without_leaks(paintings, pairs)
    rejected += [*excluded, *copies, *leaked]
    _check_enough([item.selected.movement for item in paintings], taxonomy, _describe_rejected(rejected))
    _check_splits(paintings, options)
    return Selection(paintings, pairs, rejected, unmatched)


def _without_excluded(
    facts: Sequence[PaintingFacts], selected: Sequence[SelectedRecord], exclusions: Exclusions
) -> tuple[list[PaintingFacts], list[Rejection], list[int]]:
    """Return what is not excluded, what is, and the lines that exclude nothing."""
    kept, rejected, matched = [], [], set()
    for each in facts:
        record = selected[each.position].record
        line = exclusions.line_of(each.id, record.source)
        if line is None:
            kept.append(each)
        else:
            matched.add(line)
            message = f"left out by {exclusions.path}, line {line}"
            rejected.append(Rejection(record.source, record.style, "excluded", message))
    return kept, rejected, sorted(set(exclusions.lines.values()) - matched)


def _without_copies(
    facts: Sequence[PaintingFacts], selected: Sequence[SelectedRecord], movements: Mapping[int, str]
) -> tuple[list[PaintingFacts], list[Rejection]]:
    """Keep the first of identical files, or none of them where they are listed under two movements."""
    listed: dict[str, set[str]] = {}
    for each in facts:
        listed.setdefault(each.id, set()).add(movements[each.position])
    first: dict[str, str] = {}
    unique, rejected = [], []
    for each in facts:
        record = selected[each.position].record
        if len(listed[each.id]) > 1:
            message = f"the same file is listed under {' and '.join(sorted(listed[each.id]))}"
            rejected.append(Rejection(record.source, record.style, "conflict", message))
        elif each.id in first:
            message = f"the same file as {first[each.id]}"
            rejected.append(Rejection(record.source, record.style, "duplicate", message))
        else:
            first[each.id] = record.source
            unique.append(each)
    return unique, rejected


def _assign(item: SelectedRecord, facts: PaintingFacts, options: PrepareOptions) -> Painting:
    artist = normalise_artist(item.record.artist)
    group = group_of(facts.id, artist, options.split_by)
    return Painting(item, facts, artist, assign_split(group, options.ratios, options.seed))


def _without_leaks(paintings: Sequence[Painting], pairs: Sequence[Pair]) -> tuple[list[Painting], list[Rejection]]:
    """Drop one of two near-duplicates in different splits.

    A painting is never moved, which would separate it from its artist. The one with a known artist is kept, else the
    one with the lower id, so that the catalogs' order does not matter.
    """
    dropped: dict[str, Painting] = {}
    across = [sorted(pair, key=_precedence) for pair in pairs if pair[0].split != pair[1].split]
    for kept, other in sorted(across, key=lambda pair: _precedence(pair[0])):
        if kept.facts.id not in dropped:
            dropped[other.facts.id] = kept
    rejected = [_reject_leak(item, dropped[item.facts.id]) for item in paintings if item.facts.id in dropped]
    return [item for item in paintings if item.facts.id not in dropped], rejected


def _precedence(item: Painting) -> tuple[bool, str]:
    return (item.artist is None, item.facts.id)


def _reject_leak(item: Painting, kept: Painting) -> Rejection:
    record = item.selected.record
    message = f"shows the same painting as {kept.selected.record.source}, which falls into {kept.split}"
    return Rejection(record.source, record.style, "near-duplicate", message)


def _check_enough(movements: Iterable[int], taxonomy: Taxonomy, excluded: str = "") -> None:
    counts = Counter(movements)
    poor = [name for index, name in enumerate(taxonomy.movements) if counts[index] < 2]
    if poor:
        options = " ".join(f"--without {quote(name)}" for name in poor)
        without = f", or leave them out: {options}" if len(taxonomy.movements) - len(poor) >= 2 else ""
        raise DataError(
            f"fewer than two paintings of {', '.join(poor)} were found{excluded}; add images of them{without}"
        )


def _describe_unmapped(unmapped: Counter[str]) -> str:
    styles = ", ".join(f"{style} {count}" for style, count in unmapped.most_common(5))
    return f" ({unmapped.total()} have styles that the taxonomy does not contain: {styles} ...)" if unmapped else ""


def _describe_rejected(rejected: Sequence[Rejection]) -> str:
    if not rejected:
        return ""
    counts = Counter(item.reason for item in rejected)
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    example = rejected[0].message.removeprefix(f"{rejected[0].source}: ")
    return f" ({len(rejected)} were left out: {reasons}; for example {rejected[0].source}: {example})"


def _check_splits(paintings: Sequence[Painting], options: PrepareOptions) -> None:
    counts = Counter(item.split for item in paintings)
    empty = [split for split in SPLITS if getattr(options.ratios, split) > 0 and not counts[split]]
    if empty:
        raise DataError(
            f"no painting fell into {' and '.join(empty)}: {len(paintings)} paintings are too few groups for these "
            "ratios; add paintings by more artists, try another --seed or --split-by painting"
        )


def _assemble(folder: Path, chunks: Sequence[Path], paintings: Sequence[Painting], info: DatasetInfo) -> None:
    """Copy the paintings from the chunks into the shards of their splits, in the catalogs' order."""
    for stale in folder.glob("*.parquet"):
        stale.unlink()
    splits = {item.facts.position: item.split for item in paintings}
    counts = Counter(splits.values())
    with ExitStack() as stack:
        writers = {
            split: stack.enter_context(SplitWriter(folder, split, counts[split], info.movements)) for split in SPLITS
        }
        for split, rows in read_rows(chunks, splits):
            writers[split].write(rows)


def _entry(item: Painting, taxonomy: Taxonomy, options: PrepareOptions) -> Entry:
    record, facts = item.selected.record, item.facts
    return Entry(
        movement=taxonomy.movements[item.selected.movement],
        style=record.style,
        artist=item.artist,
        split=item.split,
        source=record.source,
        group=item.artist if options.split_by == "artist" else None,
        shorter_side_px=min(facts.width, facts.height),
        aspect=facts.width / facts.height,
        bytes_per_pixel=facts.size_bytes / (facts.width * facts.height),
        sharpness=facts.sharpness,
        jpeg_quality=100 if facts.jpeg_quality is None else facts.jpeg_quality,
    )


def _digest(selected: Sequence[SelectedRecord], settings: ChunkSettings) -> str:
    """Return a digest of what decides the chunks: the images, in order, with sizes and dates, and the settings."""
    # Where reading may go and how long it may take decides no byte of what was read.
    rules = SourceRules(settings.rules.limits, shorter_side_px=settings.rules.shorter_side_px)
    plan = {"format": CHUNK_FORMAT, **asdict(replace(settings, rules=rules))}
    digest = hashlib.sha256(json.dumps(plan).encode())
    stamps: dict[str, tuple[int, str] | None] = {}
    for item in selected:
        path = item.record.location.path if item.record.location is not None else ""
        if path and path not in stamps:
            stamps[path] = _stamp(path)
        digest.update(repr((item, stamps.get(path))).encode())
    return digest.hexdigest()


def _stamp(path: str) -> tuple[int, str] | None:
    try:
        return stamp(path)
    except SourceError:  # rejected later, by name
        return None


def _write_audit(folder: Path, info: DatasetInfo, summary: dict[str, Any]) -> None:
    (folder / "audit.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (folder / "audit.html").write_text(audit_page(info.name, summary), "utf-8")
    (folder / "README.md").write_text(dataset_card(info, summary), "utf-8")


def _write_rejected(path: Path, rejected: Iterable[Rejection]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["source", "style", "reason", "message"])
        writer.writerows((item.source, item.style, item.reason, item.message) for item in rejected)
