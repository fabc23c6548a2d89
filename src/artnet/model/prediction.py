"""A prediction, and how it follows from the views' logits: vote, calibration and decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from artnet.imaging.views import WHOLE, Box
from artnet.metrics.classification import sigmoid, softmax
from artnet.metrics.conformal import prediction_sets
from artnet.model.config import ModelConfig

Decision = Literal["confident", "unsure", "unfamiliar"]
_LIKELY_STYLE = 0.5  # in models without thresholds of their own


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
        ood_score: distance from the training data (see `ood`), higher is less familiar, infinite for one
            colour; None where it is not known
        styles: score of each fine style, 0 to 1 each for itself; empty in models without a head for styles
        likely_styles: those that reach the threshold at which four of five are right, the highest score first
        set: movements among which the true one is in a known share of cases, see `movement_set`; None in older models
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
    likely_styles: tuple[str, ...] = ()
    set: tuple[str, ...] | None = None

    @property
    def box(self) -> Box:
        """The painting in its image, without the margins; all of the image where the whole view has no vote."""
        whole = (view.box for view in self.views if view.name == WHOLE)
        return next(whole, Box(0, 0, self.width, self.height))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that `artnet classify --json` prints."""
        return {
            "source": self.source,
            "movement": self.movement,
            "confidence": self.confidence,
            "decision": self.decision,
            "set": None if self.set is None else list(self.set),
            "scores": dict(self.scores),
            **({"styles": dict(self.styles), "likely_styles": list(self.likely_styles)} if self.styles else {}),
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


def likely_styles(scores: Mapping[str, float], thresholds: Mapping[str, float] | None) -> tuple[str, ...]:
    """Return the styles whose scores reach their thresholds, the highest first; one without a threshold never does.

    Without any thresholds, as in older models, a style needs a score of one half.
    """
    if thresholds is None:
        thresholds = dict.fromkeys(scores, _LIKELY_STYLE)
    return tuple(name for name in ranked(scores) if name in thresholds and scores[name] >= thresholds[name])


def movement_set(scores: Mapping[str, float], threshold: float | None) -> tuple[str, ...] | None:
    """Return the conformal prediction set, never empty, the likeliest movement first; None without a threshold."""
    if threshold is None:
        return None
    members = prediction_sets(np.array([list(scores.values())]), threshold)[0]
    return ranked({name: score for (name, score), member in zip(scores.items(), members, strict=True) if member})


def ranked(scores: Mapping[str, float]) -> tuple[str, ...]:
    """Return the names of scores, the highest first."""
    return tuple(sorted(scores, key=lambda name: -scores[name]))


def decision_words(prediction: Prediction) -> str:
    """Return the decision in words; `unsure` names what the painting may be, by its set or else the two best scores.

    >>> scores = {"Cubism": 0.2, "Realism": 0.5, "Abstract": 0.3}
    >>> decision_words(Prediction("a.jpg", "Realism", 0.5, "unsure", scores, (), "", 1, 1))
    'unsure: Realism or Abstract'
    """
    if prediction.decision != "unsure":
        return prediction.decision
    names = ranked(prediction.scores)[:2] if prediction.set is None else prediction.set
    first, last = names[:-1] or names, names[-1] if len(names) > 1 else "another"
    return f"unsure: {', '.join(first)} or {last}"


def decide(config: ModelConfig, confidence: float, ood_score: float | None) -> Decision:
    """Return whether a prediction can be relied on.

    `unfamiliar` comes first: of an image unlike the training data, not even the confidence means anything.
    """
    if config.ood is not None and ood_score is not None and ood_score > config.ood.threshold:
        return "unfamiliar"
    return "unsure" if confidence < config.calibration.unsure_below else "confident"
