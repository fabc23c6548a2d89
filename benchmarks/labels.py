"""Measure what training without the surest suspects of `artnet audit-labels` is worth on sources that were left out.

    python benchmarks/labels.py DATA [--model FOLDER] [--rows TABLE]... [--natural COLLECTION]... [--cache FILE.npz]

Takes what benchmarks/shortcut.py takes. For each source that is left out, suspects are searched among the other sources
alone, so that nothing is known of the source's labels; a linear head is fitted with all of them, without those whose
margin is below each limit, and, to tell what is due to fewer paintings, without as many at random. Prints the recall of
the pooled left-out paintings, none of which is removed.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray
from shortcut import FEWEST_OF_SOURCE, Paintings, predict, print_recalls, read_arguments

from artnet.evaluation.labels.audit import out_of_fold_scores
from artnet.metrics.confident_learning import label_issues, normalised_margins

LIMITS = (-0.8, 0.0)


def kept_without(train: Paintings, suspects: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Paintings]:
    """Return the training paintings without suspects, and without as many of each movement at random."""
    drawn = []
    for movement, count in Counter(train.movements[suspects].tolist()).items():
        drawn.append(rng.choice(np.flatnonzero(train.movements == movement), count, replace=False))
    kept = {}
    for name, left_out in (("suspects", suspects), ("as many at random", np.concatenate(drawn or [suspects]))):
        chosen = np.ones(len(train.movements), bool)
        chosen[left_out] = False
        kept[name] = train.subset(chosen)
    return kept


def main() -> None:
    paintings, movements, natural = read_arguments(__doc__ or "")
    counts = Counter(paintings.sources[np.isin(paintings.collections, natural)].tolist())
    rng = np.random.default_rng(0)
    predictions: dict[str, list[NDArray[np.int64]]] = defaultdict(list)
    truth, removed = [], Counter[float]()
    for source in (name for name, count in counts.most_common() if count >= FEWEST_OF_SOURCE):
        tested = paintings.subset(paintings.sources == source)
        train = paintings.subset((paintings.sources != source) & ~np.isin(paintings.groups, tested.groups))
        scores = out_of_fold_scores(train.embeddings, train.movements, train.groups.tolist(), movements)
        suspects, margins = label_issues(train.movements, scores), normalised_margins(train.movements, scores)
        truth.append(tested.movements)
        predictions["all"].append(predict(train, train.movements, len(movements), tested))
        for limit in LIMITS:
            chosen = suspects[margins[suspects] < limit]
            removed[limit] += len(chosen)
            for name, kept in kept_without(train, chosen, rng).items():
                title = f"without {name}, margin below {limit}"
                predictions[title].append(predict(kept, kept.movements, len(movements), tested))
    print({limit: round(count / len(truth)) for limit, count in removed.items()}, "suspects removed on average")
    print(f"| trained | paintings | balanced accuracy | {' | '.join(movements)} |")
    print(f"| --- | ---: | ---: {'| ---: ' * len(movements)}|")
    for name, parts in predictions.items():
        print_recalls(name, np.concatenate(truth), np.concatenate(parts), len(movements))


if __name__ == "__main__":
    main()
