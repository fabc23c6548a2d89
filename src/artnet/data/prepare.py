"""Turn collections into one prepared dataset: select, cut, find duplicates, divide, assemble, audit.

Knows nothing about what the dataset is used for; each step is another module's job.
"""

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

from artnet.atomic import atomic_folder
from artnet.data.artists import normalise_artist
from artnet.data.audit import Entry, LeftOut, audit
from artnet.data.audit_report import audit_page
from artnet.data.card import dataset_card
from artnet.data.catalog import Catalog
from artnet.data.dataset import DatasetInfo, SplitWriter, digest_of_ids, write_info
from artnet.data.duplicates import near_duplicates
from artnet.data.split import SPLITS, Ratios, Split, assign_split, check_split_by, group_of
from artnet.data.view_chunks import (
    PAINTINGS_PER_CHUNK,
    CutSettings,
    Facts,
    Rejection,
    Selected,
    cut_collection,
    open_pool,
    read_facts,
    read_rows,
)
from artnet.errors import DataError, OutputError, SourceError
from artnet.imaging.views import Fit
from artnet.sources.item import DEFAULT_RULES, SourceRules
from artnet.sources.stores import is_remote, stamp
from artnet.taxonomy import Taxonomy

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PrepareOptions:
    """How to cut and divide; the defaults are the 2020 project's views and an honest split."""

    size_px: int = 256
    fit: Fit = "letterbox"
    split_by: str = "artist"
    ratios: Ratios = field(default_factory=Ratios)
    seed: int = 0
    rules: SourceRules = DEFAULT_RULES
    processes: int = 0  # 0: one for each processor this process may use


@dataclass(frozen=True)
class Placed:
    """A painting that was read, and the split it falls into."""

    selected: Selected
    facts: Facts
    artist: str | None
    split: Split


Pair = tuple[Placed, Placed]


def prepare(
    catalogs: Sequence[Catalog],
    out: Path,
    taxonomy: Taxonomy,
    options: PrepareOptions,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Write a prepared dataset to `out` and return its audit.

    Everything is written to `out` with ".partial" appended and renamed at the end, so that a dataset is either
    whole or not there. What was cut when it was stopped is kept there, and the same call goes on from it to the same
    bytes. Errors: `OutputError` where `out` exists or cannot be written, `DataError` where too little is left.
    """
    check_out(out)
    check_split_by(options.split_by)
    _check_there(catalogs)
    unmapped, unread, selected = _select(catalogs, taxonomy)
    settings = CutSettings(taxonomy.movements, options.size_px, options.fit, options.rules)
    info = DatasetInfo(
        name=" + ".join(catalog.name for catalog in catalogs),
        movements=taxonomy.movements,
        taxonomy=taxonomy.name,
        size_px=options.size_px,
        fit=options.fit,
        split_by=options.split_by,
        ratios=(options.ratios.train, options.ratios.val, options.ratios.test),
        seed=options.seed,
    )
    with atomic_folder(out, _digest(selected, settings)) as folder:
        with open_pool(options.processes) as pool:
            chunks = cut_collection(selected, folder / "chunks", settings, pool, progress)
        placed, pairs, rejected = _decide(chunks, selected, taxonomy, options)
        rejected = [*unread, *rejected]
        _assemble(folder, chunks, placed, info)
        summary = audit(
            [_entry(item, taxonomy, options) for item in placed],
            LeftOut(unmapped, Counter(item.reason for item in rejected)),
            [(_entry(first, taxonomy, options), _entry(second, taxonomy, options)) for first, second in pairs],
            options.ratios,
        )
        _write_rejected(folder / "rejected.csv", rejected)
        (folder / "audit.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", "utf-8")
        (folder / "audit.html").write_text(audit_page(info.name, summary), "utf-8")
        (folder / "README.md").write_text(dataset_card(info, summary), "utf-8")
        trained_on = digest_of_ids(item.facts.id for item in placed if item.split == "train")
        write_info(folder, replace(info, train_sha256=trained_on))
    return summary


def check_out(out: Path, sources: Iterable[str | Path] = ()) -> None:
    """Refuse a place that is taken, or that lies in a collection, which would read it as its own the next time."""
    if out.exists() or out.is_symlink():
        raise OutputError(f"{out}: exists already; choose another folder or remove it first")
    for source in (str(source) for source in sources):
        if not is_remote(source) and out.resolve().is_relative_to(Path(source).resolve()):
            raise OutputError(f"{out}: lies inside the collection {source}; choose a folder outside of it")


def _check_there(catalogs: Sequence[Catalog]) -> None:
    for catalog in catalogs:
        if catalog.missing == len(catalog.records):
            raise DataError(
                f"{catalog.name}: lists {catalog.missing} paintings, and the picture of none of them is there; looked "
                f"in {catalog.searched}; the first is {catalog.records[0].source}"
            )


def _select(catalogs: Sequence[Catalog], taxonomy: Taxonomy) -> tuple[Counter[str], list[Rejection], list[Selected]]:
    """Keep the records whose style has a movement, and count the styles that have none.

    What could not be read far enough to have a style, such as a manifest that is gone, is a rejection already.
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
            selected.append(Selected(record, taxonomy.movements.index(movement)))
    _check_enough([item.movement for item in selected], taxonomy, _unmapped_styles(unmapped))
    return unmapped, unread, selected


def _decide(
    chunks: Sequence[Path], selected: Sequence[Selected], taxonomy: Taxonomy, options: PrepareOptions
) -> tuple[list[Placed], list[Pair], list[Rejection]]:
    """Say which paintings are kept and where they fall, and which of them show the same."""
    rejected: list[Rejection] = []
    facts: list[Facts] = []
    for chunk in chunks:
        good, bad = read_facts(chunk)
        facts += good
        rejected += bad
    movements = {each.position: taxonomy.movements[selected[each.position].movement] for each in facts}
    facts, copies = _without_copies(facts, selected, movements)
    placed = [_place(selected[each.position], each, options) for each in facts]
    pairs = [(placed[i], placed[j]) for i, j in near_duplicates([item.facts.fingerprint for item in placed])]
    placed, divided = _without_divided(placed, pairs)
    rejected += [*copies, *divided]
    _check_enough([item.selected.movement for item in placed], taxonomy, _losses(rejected))
    _check_splits(placed, options)
    return placed, pairs, rejected


def _without_copies(
    facts: Sequence[Facts], selected: Sequence[Selected], movements: Mapping[int, str]
) -> tuple[list[Facts], list[Rejection]]:
    """Keep the first of identical files; drop all of them where they stand under two movements."""
    standing: dict[str, set[str]] = {}
    for each in facts:
        standing.setdefault(each.id, set()).add(movements[each.position])
    first: dict[str, str] = {}
    unique, rejected = [], []
    for each in facts:
        record = selected[each.position].record
        if len(standing[each.id]) > 1:
            message = f"the same file stands under {' and '.join(sorted(standing[each.id]))}"
            rejected.append(Rejection(record.source, record.style, "conflict", message))
        elif each.id in first:
            message = f"the same file as {first[each.id]}"
            rejected.append(Rejection(record.source, record.style, "duplicate", message))
        else:
            first[each.id] = record.source
            unique.append(each)
    return unique, rejected


def _place(item: Selected, facts: Facts, options: PrepareOptions) -> Placed:
    artist = normalise_artist(item.record.artist)
    group = group_of(facts.id, artist, options.split_by)
    return Placed(item, facts, artist, assign_split(group, options.ratios, options.seed))


def _without_divided(placed: Sequence[Placed], pairs: Sequence[Pair]) -> tuple[list[Placed], list[Rejection]]:
    """Drop one of two near-duplicates that fall on different sides, so that no painting leaks.

    A painting is never moved, which would tear it from its artist; of the two, the one with a known artist stays, or
    else the one with the lower id, whatever the order of the catalog.
    """
    dropped: dict[str, Placed] = {}
    divided = [sorted(pair, key=_precedence) for pair in pairs if pair[0].split != pair[1].split]
    for kept, other in sorted(divided, key=lambda pair: _precedence(pair[0])):
        if kept.facts.id not in dropped:
            dropped[other.facts.id] = kept
    rejected = [_rejected_copy(item, dropped[item.facts.id]) for item in placed if item.facts.id in dropped]
    return [item for item in placed if item.facts.id not in dropped], rejected


def _precedence(item: Placed) -> tuple[bool, str]:
    return (item.artist is None, item.facts.id)


def _rejected_copy(item: Placed, kept: Placed) -> Rejection:
    record = item.selected.record
    message = f"shows the same painting as {kept.selected.record.source}, which falls into {kept.split}"
    return Rejection(record.source, record.style, "near-duplicate", message)


def _check_enough(movements: Iterable[int], taxonomy: Taxonomy, lost: str = "") -> None:
    counts = Counter(movements)
    poor = [name for index, name in enumerate(taxonomy.movements) if counts[index] < 2]
    if poor:
        options = " ".join(f"--without {quote(name)}" for name in poor)
        without = f", or do without: {options}" if len(taxonomy.movements) - len(poor) >= 2 else ""
        raise DataError(
            f"fewer than two paintings of {', '.join(poor)} were found{lost}; add pictures of them{without}"
        )


def _unmapped_styles(unmapped: Counter[str]) -> str:
    """Name the commonest styles of no movement."""
    styles = ", ".join(f"{style} {count}" for style, count in unmapped.most_common(5))
    return f" ({unmapped.total()} are of styles that the taxonomy does not know: {styles} ...)" if unmapped else ""


def _losses(rejected: Sequence[Rejection]) -> str:
    """Say how many paintings were left out and why, with one of them."""
    if not rejected:
        return ""
    reasons = ", ".join(
        f"{count} {reason}" for reason, count in Counter(item.reason for item in rejected).most_common()
    )
    one = rejected[0].message.removeprefix(f"{rejected[0].source}: ")
    return f" ({len(rejected)} were left out: {reasons}; for one, {rejected[0].source}: {one})"


def _check_splits(placed: Sequence[Placed], options: PrepareOptions) -> None:
    counts = Counter(item.split for item in placed)
    empty = [split for split in SPLITS if getattr(options.ratios, split) > 0 and not counts[split]]
    if empty:
        raise DataError(
            f"no painting fell into {' and '.join(empty)}: {len(placed)} paintings are too few groups for these "
            "ratios; add paintings by more artists, try another --seed or --split-by painting"
        )


def _assemble(folder: Path, chunks: Sequence[Path], placed: Sequence[Placed], info: DatasetInfo) -> None:
    """Copy the kept paintings from the chunks into the shards of their splits, in the catalog's order."""
    for stale in folder.glob("*.parquet"):
        stale.unlink()
    sides = {item.facts.position: item.split for item in placed}
    counts = Counter(sides.values())
    with ExitStack() as stack:
        writers = {
            split: stack.enter_context(SplitWriter(folder, split, counts[split], info.movements)) for split in SPLITS
        }
        for split, rows in read_rows(chunks, sides):
            writers[split].write(rows)


def _entry(item: Placed, taxonomy: Taxonomy, options: PrepareOptions) -> Entry:
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
    )


def _digest(selected: Sequence[Selected], settings: CutSettings) -> str:
    """Name what the chunks depend on: the pictures, in order, with their sizes and dates, and the settings."""
    # Where reading may go and how long it may take decides no byte of what was read.
    kept = SourceRules(settings.rules.limits, shorter_side_px=settings.rules.shorter_side_px)
    plan = hashlib.sha256(json.dumps([PAINTINGS_PER_CHUNK, asdict(replace(settings, rules=kept))]).encode())
    stamps: dict[str, tuple[int, str] | None] = {}
    for item in selected:
        location = item.record.location.path if item.record.location is not None else ""
        if location and location not in stamps:
            stamps[location] = _stamp(location)
        plan.update(repr((item, stamps.get(location))).encode())
    return plan.hexdigest()


def _stamp(location: str) -> tuple[int, str] | None:
    try:
        return stamp(location)
    except SourceError:  # what cannot be read is left out later, by name
        return None


def _write_rejected(path: Path, rejected: Iterable[Rejection]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["source", "style", "reason", "message"])
        writer.writerows((item.source, item.style, item.reason, item.message) for item in rejected)
