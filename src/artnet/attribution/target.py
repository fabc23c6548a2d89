"""What is asked of an explanation: why this movement, why rather than that one, what speaks against it.

Knows nothing about networks: a question is weights of logits, a score of logits, and words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.errors import UsageError
from artnet.metrics.classification import softmax

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Target:
    """Why `movement`, perhaps rather than another; `against` also asks for what speaks against it."""

    movement: str
    rather_than: str | None = None
    against: bool = False

    @property
    def words(self) -> str:
        """Put the question in words."""
        why = f"why {self.movement}" + (f" rather than {self.rather_than}" if self.rather_than else "")
        return f"what speaks for and against {why.removeprefix('why ')}" if self.against else why

    def target(self, movements: tuple[str, ...]) -> Floats:
        """Write the question as weights of the logits (1, C): the movement is 1, the one it is set against is -1.

        Errors: `UsageError` for a movement that there is not, and for A rather than A.
        """
        target = np.zeros((1, len(movements)), np.float32)
        for name, weight in ((self.movement, 1), (self.rather_than, -1)):
            if name is None:
                continue
            if name not in movements:
                raise UsageError(f"unknown movement {name!r}; this model knows {', '.join(movements)}")
            target[0, movements.index(name)] += weight
        if not target.any():
            raise UsageError(f"{self.movement} rather than {self.rather_than} asks nothing; name two different ones")
        return target


def target_score(logits: NDArray[np.floating], target: Floats) -> NDArray[np.float64]:
    """Give the score of what is asked: logits (N, C) to (N,), 0 to 1.

    It is the softmax of the movement, among all of them, or between the two that are set against each other.
    """
    pair = bool((target < 0).any())
    chosen = np.flatnonzero(target[0]) if pair else np.arange(target.shape[1])
    scores = softmax(np.asarray(logits)[:, chosen], 1.0)
    found: NDArray[np.float64] = scores[:, int(target[0, chosen].argmax())]
    return found
