"""A prediction, and how it follows from the views' logits: vote, calibration and decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from artnet.imaging.views import Box
from artnet.metrics.classification import sigmoid, softmax
from artnet.model.config import ModelConfig

Decision = Literal["confident", "unsure", "unfamiliar"]


@dataclass(frozen=True)
class ViewScores:
    """The scores of one view alone, by movement, and its box in the image's own pixels."""

    name: str
    box: Box
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Prediction:
    """The movement of one painting.

    Attributes:
        source: name or path of the image, empty where it has none
        movement: the one with the highest score
        confidence: its score
        decision: see `decide`
        scores: calibrated score of each movement, 0 to 1, adding up to 1
        views: scores of each view alone
        model: name of the model
        width: of the upright image, in pixels
        height: of the upright image, in pixels
        ood_score: distance from the training data (see `ood`), higher is less familiar; None where it is not known
        styles: score of each fine style, 0 to 1 each for itself; empty in models without a head for styles
    """

    source: str
    movement: str
    confidence: float
    decision: Decision
    scores: Mapping[str, float]
    views: tuple[ViewScores, ...]
    model: str
    width: int
    height: int
    ood_score: float | None = None
    styles: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that `artnet classify --json` prints."""
        return {
            "source": self.source,
            "movement": self.movement,
            "confidence": self.confidence,
            "decision": self.decision,
            "scores": dict(self.scores),
            **({"styles": dict(self.styles)} if self.styles else {}),
            "views": [
                {"name": view.name, "box": list(view.box.as_tuple()), "scores": dict(view.scores)}
                for view in self.views
            ],
            "model": self.model,
            "width": self.width,
            "height": self.height,
        }


@dataclass(frozen=True)
class ModelOutputs:
    """What the network computes of the V views of one painting.

    Attributes:
        logits: (V, C)
        ood_score: of the whole view; None without an OOD detector or without that view
        styles: (V, K) logits of the fine styles; None without a head for them
        embedding: (E,) of the whole view; None where it was not computed
    """

    logits: NDArray[np.float32]
    ood_score: float | None
    styles: NDArray[np.float32] | None = None
    embedding: NDArray[np.float32] | None = None


def vote(logits: NDArray[np.floating], weights: Sequence[float], temperature: float) -> NDArray[np.float64]:
    """Return the weighted mean of the views' calibrated scores: logits (..., V, C) to scores (..., C)."""
    shares = np.asarray(weights, np.float64)
    result: NDArray[np.float64] = np.einsum("...vc,v->...c", softmax(logits, temperature), shares / shares.sum())
    return result


def style_scores(logits: NDArray[np.floating], weights: Sequence[float]) -> NDArray[np.float64]:
    """Return the sigmoid of the views' weighted mean logits of styles: (..., V, K) to scores (..., K), 0 to 1 each."""
    shares = np.asarray(weights, np.float64)
    return sigmoid(np.einsum("...vk,v->...k", np.asarray(logits, np.float64), shares / shares.sum()))


def decide(config: ModelConfig, confidence: float, ood_score: float | None) -> Decision:
    """Return whether a prediction can be relied on.

    `unfamiliar` comes first: of an image unlike the training data, not even the confidence means anything.
    """
    if config.ood is not None and ood_score is not None and ood_score > config.ood.threshold:
        return "unfamiliar"
    return "unsure" if confidence < config.calibration.unsure_below else "confident"
