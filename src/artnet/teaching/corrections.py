"""Corrections of a model's predictions, and its head drawn towards them without forgetting."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile

import numpy as np
from numpy.typing import NDArray

from artnet.atomic import check_absent
from artnet.errors import ArtNetError, DataError, ModelError, reason
from artnet.imaging.decode import ImageFile
from artnet.model.classifier import Classifier
from artnet.model.config import GRAPH_FILE, OOD_FILE, PROPERTIES_FILE, ModelConfig
from artnet.model.logistic_regression import LogisticRegression, adapt_logistic_regression
from artnet.model.ood import OodDetector
from artnet.sources.find import find_items
from artnet.sources.item import DEFAULT_RULES, SourceRules
from artnet.sources.tables import separated_rows
from artnet.teaching.embedding_cache import EmbeddedImage, EmbeddingCache, cache_path
from artnet.teaching.graph import read_head
from artnet.teaching.images import MAX_CLASSES, Unused, embed, merge_names
from artnet.teaching.teach import check_teachable, write_model

PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
MAX_FORGOTTEN = 0.02  # share of remembered predictions that may change
REMEMBERED = 4000  # embeddings drawn from the detector's Gaussians

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Corrected:
    """What corrections changed.

    Attributes:
        learnt: of the corrections' images, how many are now predicted as corrected
        forgotten: share of remembered predictions that changed
        unused: corrections that are not learnt
    """

    config: ModelConfig
    corrections: int
    learnt: int
    forgotten: float
    penalty: float
    unused: tuple[Unused, ...]


def read_corrections(path: Path) -> tuple[dict[str, str], list[Unused]]:
    """Return the right class by the image's SHA-256, and the corrections that contradict each other.

    Raises:
        DataError: for a file that cannot be read, lacks the columns `sha256` and `correction`, or corrects nothing
    """
    try:
        rows = [row for _, row in separated_rows(str(path))]
    except (ArtNetError, OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a table ({reason(error)})") from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    if not {"sha256", "correction"} <= set(header):
        raise DataError(f"{path}: needs a header with the columns sha256 and correction")
    found: dict[str, set[str]] = {}
    for row in rows[1:]:
        cells = dict(zip(header, row, strict=False))
        sha256, correction = (cells.get(name, "").strip() for name in ("sha256", "correction"))
        if sha256 and correction:
            found.setdefault(sha256.lower(), set()).add(correction)
    if not found:
        raise DataError(f"{path}: corrects nothing")
    names, _ = merge_names(name for given in found.values() for name in sorted(given))
    merged = {sha256: sorted({names[name] for name in given}) for sha256, given in found.items()}
    unused = [
        Unused(sha256, f"{path}: {sha256[:12]}… is corrected to {' and to '.join(given)}")
        for sha256, given in merged.items()
        if len(given) > 1
    ]
    return {sha256: given[0] for sha256, given in merged.items() if len(given) == 1}, unused


def correct(
    classifier: Classifier, table: Path, pictures: str, out: Path, rules: SourceRules = DEFAULT_RULES
) -> Corrected:
    """Write a model folder whose head is drawn towards corrections.

    Args:
        classifier: the model that was wrong
        table: of corrections, as the page saves it
        pictures: folder, archive or list that holds the images
        out: folder to create
        rules: for reading images

    Raises:
        DataError: for a table that cannot be used, or none of whose images is there
        ModelError: for a model that cannot be taught
        OutputError: where `out` exists or cannot be written
    """
    check_absent(out)
    base = check_teachable(classifier)
    if classifier.ood is None:
        raise ModelError(f"{base}: has no {OOD_FILE}, which says what must not be forgotten; export the model again")
    corrections, unused = read_corrections(table)
    with EmbeddingCache(cache_path(classifier.config)) as cache:
        images = _find(corrections, pictures, rules, classifier, cache, unused)
    if not images:
        raise DataError(f"{pictures}: holds none of the images that {table} corrects; name the folder that does")
    movements = _with_new(classifier.config.movements, [corrections[sha256] for sha256 in images])
    folded = {name.casefold(): index for index, name in enumerate(movements)}
    labels = np.array([folded[corrections[sha256].casefold()] for sha256 in images], np.int64)
    graph_head = read_head(base / GRAPH_FILE)
    prior = _widened(LogisticRegression(graph_head.weight, graph_head.bias), len(movements))
    embeddings = np.stack([image.embedding for image in images.values()])
    features = graph_head.features(embeddings)
    remembered = graph_head.features(_remembered(classifier.ood, embeddings))
    head, penalty, forgotten = _adapt(prior, features, labels, remembered)
    learnt = int(((features @ head.weight + head.bias).argmax(1) == labels).sum())
    before = classifier.config.training
    corrections_before = before.get("corrections", 0)  # of a model that was corrected already
    config = replace(
        classifier.config,
        name=out.name,
        movements=movements,
        scores={},  # they were another head's
        training={**before, "corrections": corrections_before + len(labels), "corrected_from": classifier.config.name},
    )

    def copy_files(folder: Path, config: ModelConfig) -> ModelConfig:
        for name, kept in ((OOD_FILE, config.ood is not None), (PROPERTIES_FILE, bool(config.properties_sha256))):
            if kept:
                copyfile(base / name, folder / name)
        return config

    config = write_model(out, config, base / GRAPH_FILE, head, copy_files)
    return Corrected(config, len(labels), learnt, forgotten, penalty, tuple(unused))


def _find(
    corrections: dict[str, str],
    pictures: str,
    rules: SourceRules,
    classifier: Classifier,
    cache: EmbeddingCache,
    unused: list[Unused],
) -> dict[str, EmbeddedImage]:
    """Return the corrections' images, embedded; name those that are not there."""
    files: dict[str, ImageFile] = {}
    for item in find_items([pictures], rules):
        try:
            data = item.read(rules)
        except ArtNetError:  # an image that nobody corrected, for all that is known
            continue
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 in corrections:
            files[sha256] = ImageFile(data, item.name, rules.limits)
    missing = [sha256 for sha256 in corrections if sha256 not in files]
    unused += [
        Unused(
            sha256, f"{pictures}: holds no image with the SHA-256 {sha256[:12]}…, corrected to {corrections[sha256]}"
        )
        for sha256 in missing
    ]
    return embed(files, classifier, cache, unused)


def _with_new(movements: tuple[str, ...], corrections: Sequence[str]) -> tuple[str, ...]:
    """Return the movements, then those that only corrections name."""
    known = {name.casefold() for name in movements}
    result = (*movements, *sorted({name for name in corrections if name.casefold() not in known}))
    if len(result) > MAX_CLASSES:
        raise DataError(f"the corrections make {len(result)} classes, and a model has at most {MAX_CLASSES}")
    return result


def _widened(head: LogisticRegression, classes: int) -> LogisticRegression:
    """Return a head with new classes, which nothing speaks for yet: no weights, and the mean bias."""
    new = classes - len(head.bias)
    weight = np.hstack([head.weight, np.zeros((len(head.weight), new))])
    return LogisticRegression(weight, np.append(head.bias, np.full(new, head.bias.mean())))


def _remembered(detector: OodDetector, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return embeddings (N, E) like those of the training images, as long as those of the corrected ones.

    The model folder holds no training images, but their Gaussians: Robins, "Catastrophic forgetting, rehearsal and
    pseudorehearsal", 1995.
    """
    length = float(np.median(np.linalg.norm(embeddings, axis=1)))
    return detector.sample(REMEMBERED, np.random.default_rng(0)) * length


def _adapt(
    prior: LogisticRegression,
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    remembered: NDArray[np.float32],
) -> tuple[LogisticRegression, float, float]:
    """Return the head with the weakest penalty that forgets no more than allowed, the penalty, and what it forgets.

    Half of what is remembered holds the head, the other half judges it.
    """
    held, judging = remembered[::2], remembered[1::2]
    before = (judging @ prior.weight + prior.bias).argmax(1)
    for penalty in PENALTIES:
        head = adapt_logistic_regression(prior, features, labels, penalty, held)
        forgotten = float(((judging @ head.weight + head.bias).argmax(1) != before).mean())
        if forgotten <= MAX_FORGOTTEN:
            break
    return head, penalty, forgotten
