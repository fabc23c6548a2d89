"""Choose the fine styles that a network learns beside the movements, and find a painting's among them.

Knows nothing about pictures or networks: styles come in as the collections spell them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from artnet.taxonomy import normalise_style

# Of fewer in train, a split of 70:15:15 leaves less than ten or so to measure on.
ENOUGH_PAINTINGS = 50
NONE = -1  # the index of a painting whose style is not among those learnt


def common_styles(found: Iterable[str]) -> tuple[str, ...]:
    """Name the styles of at least `ENOUGH_PAINTINGS` paintings, in alphabetical order, each in its commonest spelling.

    A painting without a style counts for none; spellings meet as in the taxonomy.
    """
    spellings: dict[str, Counter[str]] = {}
    for style in found:
        spellings.setdefault(normalise_style(style), Counter())[style.replace("_", " ").strip()] += 1
    spellings.pop("", None)
    kept = [counts for counts in spellings.values() if counts.total() >= ENOUGH_PAINTINGS]
    return tuple(sorted(min(counts, key=lambda name: (-counts[name], name)) for counts in kept))


def index_styles(found: Iterable[str], names: Sequence[str]) -> NDArray[np.int64]:
    """Give each painting's place in `names`, in any spelling; `NONE` where its style is not among them."""
    places = {normalise_style(name): index for index, name in enumerate(names)}
    return np.array([places.get(normalise_style(style), NONE) for style in found], np.int64)
