"""What an explanation is about: a movement, perhaps rather than another, perhaps with what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.errors import UsageError
from artnet.metrics.classification import softmax

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Target:
    """Why `movement`, perhaps `rather_than` another; with `against` also what speaks against it.

    Examples:
        >>> Target("Realism", "Cubism").description
        'why Realism rather than Cubism'
        >>> Target("Realism", "Cubism").logit_weights(("Cubism", "Realism", "Abstract"))
        array([[-1.,  1.,  0.]], dtype=float32)
    """

    movement: str
    rather_than: str | None = None
    against: bool = False

    @property
    def description(self) -> str:
        """The target in words, without a question mark."""
        contrast = self.movement + (f" rather than {self.rather_than}" if self.rather_than else "")
        return f"what speaks for and against {contrast}" if self.against else f"why {contrast}"

    def logit_weights(self, movements: tuple[str, ...]) -> Floats:
        """Return weights of the logits, (1, C): 1 for the movement, -1 for the one it is contrasted with.

        Raises:
            UsageError: for an unknown movement, or for a movement rather than itself
        """
        weights = np.zeros((1, len(movements)), np.float32)
        for name, weight in ((self.movement, 1), (self.rather_than, -1)):
            if name is None:
                continue
            if name not in movements:
                raise UsageError(f"unknown movement {name!r}; this model knows {', '.join(movements)}")
            weights[0, movements.index(name)] += weight
        if not weights.any():
            raise UsageError(f"{self.movement} rather than {self.rather_than} explains nothing; name two movements")
        return weights


def target_score(logits: NDArray[np.floating], weights: Floats) -> NDArray[np.float64]:
    """Return the target's softmax, among all movements or between the two that are contrasted.

    Args:
        logits: (N, C)
        weights: of `Target.logit_weights`, (1, C)

    Returns:
        (N,), 0 to 1
    """
    contrasted = bool((weights < 0).any())
    columns = np.flatnonzero(weights[0]) if contrasted else np.arange(weights.shape[1])
    scores = softmax(np.asarray(logits)[:, columns], 1.0)
    return scores[:, int(weights[0, columns].argmax())]
