"""Labelled images of a collection, embedded: classes by any name, files read once, each failure named."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from artnet.data.catalog import Catalog, Record, RecordReader
from artnet.data.duplicates import fingerprint
from artnet.data.split import group_folds
from artnet.errors import ArtNetError, DataError
from artnet.evaluation.labels.audit import painting_groups
from artnet.hardware import processor_count
from artnet.imaging.decode import ImageFile
from artnet.imaging.properties import measure_properties
from artnet.imaging.views import without_letterbox
from artnet.model.classifier import Classifier
from artnet.sources.item import DEFAULT_RULES, SourceRules
from artnet.teaching.embedding_cache import EmbeddedImage, EmbeddingCache, cache_path

MAX_CLASSES = 200
FOLDS = 5
_BATCH = 64  # images that are read and embedded together, and lost when a command is interrupted

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Unused:
    """An image that is not learnt, and the sentence that says why."""

    source: str
    message: str


@dataclass(frozen=True)
class LabelledImages:
    """Images with their classes.

    Attributes:
        name: of the collection
        classes: their C names
        labels: (N,) indices of `classes`
        embeddings: (N, E) float32
        properties: (N, P), as `measure_properties` returns them
        groups: of the N images; those that must not be on both sides of a cross-validation share one
        grouped_by: `artist` or `painting`
        unused: images that are not among the N
        notes: what else the user should know, a sentence each
    """

    name: str
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    embeddings: NDArray[np.float32]
    properties: NDArray[np.float64]
    groups: Sequence[Hashable]
    grouped_by: str
    unused: tuple[Unused, ...]
    notes: tuple[str, ...]


def read_labelled_images(
    catalog: Catalog,
    classifier: Classifier,
    rules: SourceRules = DEFAULT_RULES,
    progress: Progress = lambda done, total: None,
) -> LabelledImages:
    """Embed the images of a catalog, whose styles are the classes.

    Identical files count once, and not at all where they have two classes.

    Raises:
        DataError: for fewer than two classes or more than 200
    """
    names, notes = merge_names(record.style for record in catalog.records)
    records = [record for record in catalog.records if record.style.strip() or record.error is not None]
    without = len(catalog.records) - len(records)
    if without:
        notes.append(f"{without} images have no class and are not learnt")
    _check_count({names[record.style] for record in records if record.style.strip()}, catalog)
    unused: list[Unused] = []
    embedded: dict[str, EmbeddedImage] = {}
    listings: defaultdict[str, list[Record]] = defaultdict(list)  # by the SHA-256 of the file
    with RecordReader(rules) as reader, EmbeddingCache(cache_path(classifier.config)) as cache:
        for done, batch in _batches(records):
            files: dict[str, ImageFile] = {}
            for record, file in _read(batch, reader, rules, unused):
                sha256 = hashlib.sha256(file.data).hexdigest()
                if not listings[sha256]:
                    files[sha256] = file
                listings[sha256].append(record)
            embedded |= embed(files, classifier, cache, unused)
            progress(done, len(records))
    kept, copies = [], 0
    for sha256, image in embedded.items():
        source, listed = listings[sha256][0].source, sorted({names[record.style] for record in listings[sha256]})
        if len(listed) > 1:
            unused.append(Unused(source, f"{source}: the same file is listed under {' and '.join(listed)}"))
            continue
        copies += len(listings[sha256]) - 1
        kept.append((listed[0], next((each.artist for each in listings[sha256] if each.artist), None), image))
    if copies:
        notes.append(f"{copies} images are copies of another file and count once")
    return _labelled(catalog.name, kept, unused, notes)


def merge_names(names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return one spelling for each name, and a sentence for each class whose names differ in case or blanks alone.

    The most frequent spelling is kept, the first of those equally frequent.

    >>> merge_names(["Fauvism", "fauvism ", "Fauvism", "Op/Art"])[0]
    {'Fauvism': 'Fauvism', 'fauvism ': 'Fauvism', 'Op/Art': 'Op/Art'}
    """
    spellings: dict[str, Counter[str]] = {}
    for name in names:
        spellings.setdefault(_folded(name), Counter())[name] += 1
    merged: dict[str, str] = {}
    notes = []
    for counts in spellings.values():
        chosen = _tidy(counts.most_common(1)[0][0])
        merged |= dict.fromkeys(counts, chosen)
        others = sorted({_tidy(name) for name in counts} - {chosen})
        if others:
            notes.append(f"{' and '.join(others)} and {chosen} are one class, {chosen}: they differ in case alone")
    return merged, notes


def embed(
    files: Mapping[str, ImageFile], classifier: Classifier, cache: EmbeddingCache, unused: list[Unused]
) -> dict[str, EmbeddedImage]:
    """Return images, by SHA-256, embedded now or before; add those that cannot be decoded to `unused`."""
    known = cache.read(list(files))
    missing = {sha256: file for sha256, file in files.items() if sha256 not in known}
    with ThreadPoolExecutor(processor_count() + 1) as pool:
        results = list(pool.map(lambda file: _embed_or_fail(file, classifier), missing.values()))
    new = {key: result for key, result in zip(missing, results, strict=True) if isinstance(result, EmbeddedImage)}
    cache.write(new)
    unused += [each for each in results if isinstance(each, Unused)]
    found = known | new
    return {key: found[key] for key in files if key in found}


def _embed_or_fail(file: ImageFile, classifier: Classifier) -> EmbeddedImage | Unused:
    try:
        opened = classifier.open(file)
    except ArtNetError as error:
        return Unused(file.name, str(error))
    view = opened.whole_view()
    width, height = opened.size
    shown = without_letterbox(view, classifier.config.preprocessing.fit)
    properties = np.array(list(measure_properties(shown).values()))
    return EmbeddedImage(classifier.embed(opened), fingerprint(shown, width / height), properties)


def _batches(records: Sequence[Record]) -> Iterator[tuple[int, list[Record]]]:
    """Yield batches of records, each with the number of records that are done after it."""
    remaining, done = iter(records), 0
    while batch := list(islice(remaining, _BATCH)):
        done += len(batch)
        yield done, batch


def _read(
    records: Sequence[Record], reader: RecordReader, rules: SourceRules, unused: list[Unused]
) -> Iterator[tuple[Record, ImageFile]]:
    for record in records:
        try:
            yield record, ImageFile(reader.read(record), record.source, rules.limits)
        except ArtNetError as error:
            unused.append(Unused(record.source, str(error)))


def _check_count(classes: set[str], catalog: Catalog) -> None:
    if not 2 <= len(classes) <= MAX_CLASSES:
        names = f" ({', '.join(sorted(classes))})" if len(classes) < 2 else ""
        raise DataError(
            f"{catalog.name}: has {len(classes)} classes{names}, and a model needs 2 to {MAX_CLASSES}; put the images "
            "of each class into a folder of its name, or write a table with the columns path and class"
        )


def _labelled(
    name: str, images: Sequence[tuple[str, str | None, EmbeddedImage]], unused: list[Unused], notes: list[str]
) -> LabelledImages:
    images = sorted(images, key=itemgetter(0))  # so that folds, filled in turn, each get some of every class
    classes = tuple(sorted({label for label, _, _ in images}))
    if len(classes) < 2:
        example = f"; for example {unused[0].message}" if unused else ""
        raise DataError(f"{name}: fewer than two classes have an image that could be read{example}")
    labels = np.array([classes.index(label) for label, _, _ in images], np.int64)
    fingerprints = [image.fingerprint for _, _, image in images]
    artists = [artist for _, artist, _ in images]
    groups, grouped_by = painting_groups(artists, fingerprints), "artist"
    if not any(artists):
        grouped_by = "painting"
    elif lost := unmeasured_classes(groups, labels) - unmeasured_classes(
        apart := painting_groups([None] * len(images), fingerprints), labels
    ):
        groups, grouped_by = apart, "painting"
        one = ", ".join(classes[index] for index in sorted(lost))
        notes.append(
            f"all images of {one} are by one artist, so artists are on both sides of the cross-validation: the "
            "accuracy is that for other paintings by these artists"
        )
    embeddings = np.stack([image.embedding for _, _, image in images])
    properties = np.stack([image.properties for _, _, image in images])
    return LabelledImages(
        name, classes, labels, embeddings, properties, groups, grouped_by, tuple(unused), tuple(notes)
    )


def unmeasured_classes(groups: Sequence[Hashable], labels: NDArray[np.int64]) -> set[int]:
    """Return the classes all of whose images are in one fold: no head can be fitted without having seen them."""
    folds = group_folds(groups, FOLDS)
    return {int(label) for label in np.unique(labels) if len(np.unique(folds[labels == label])) < 2}


def _tidy(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())


def _folded(name: str) -> str:
    return _tidy(name).casefold()
