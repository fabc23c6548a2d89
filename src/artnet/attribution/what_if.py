"""What if: a painting classified again with one property changed at a time, told where it is more than noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.errors import UsageError
from artnet.imaging.edits import (
    crop_pixel,
    draw_outlines,
    flatten_areas,
    keep_detail,
    limit_palette,
    mirror,
    reencode,
    remove_border,
    scale_brightness,
    scale_chroma,
    scale_contrast,
    shift_lightness,
    shuffle_blocks,
    smooth_strokes,
    turn_upside_down,
)
from artnet.imaging.views import WHOLE, whole_view, without_letterbox
from artnet.metrics.classification import softmax
from artnet.model.classifier import Classifier
from artnet.model.prediction import Decision, Prediction, decide
from artnet.model.preprocessing import ImageSource, OpenedImage

Pixels = NDArray[np.uint8]
PixelFunction = Callable[[Pixels], Pixels]

# No block stays where it is, and no two that touched do so again.
BLOCK_ORDER = (8, 5, 14, 0, 11, 2, 4, 12, 13, 10, 3, 6, 1, 7, 15, 9)
_NOISE_FACTOR = 1.5  # of 100 paintings, 5 to 7 changed by more under a crop that was not among `NEUTRAL`


@dataclass(frozen=True)
class Edit:
    """One change to a painting.

    Attributes:
        name: by which it is chosen
        label: what is seen then, in a caption
        condition: the beginning of a sentence that goes on with "it would be"
        property: what the change takes away or alters: colour, light, strokes, outlines, composition, orientation,
            border
        apply: pixels (H, W, 3) uint8 to pixels
    """

    name: str
    label: str
    condition: str
    property: str
    apply: PixelFunction


_EDITS = (
    Edit("no-colour", "without colour", "Without colour", "colour", partial(scale_chroma, factor=0)),
    Edit("half-colour", "half the colour", "With half the colour", "colour", partial(scale_chroma, factor=0.5)),
    Edit("more-colour", "stronger colour", "In stronger colour", "colour", partial(scale_chroma, factor=1.5)),
    Edit("eight-colours", "eight colours", "In eight colours", "colour", partial(limit_palette, colours=8)),
    Edit("darker", "darker", "If darker,", "light", partial(shift_lightness, difference=-20)),
    Edit("lighter", "lighter", "If lighter,", "light", partial(shift_lightness, difference=20)),
    Edit("half-contrast", "half the contrast", "With half the contrast", "light", partial(scale_contrast, factor=0.5)),
    Edit(
        "smooth", "strokes smoothed", "With its strokes smoothed away", "strokes", partial(smooth_strokes, share=0.01)
    ),
    Edit(
        "areas",
        "flat areas",
        "In flat areas of twelve colours",
        "strokes",
        partial(flatten_areas, colours=12, share=0.015),
    ),
    Edit("detail", "fine detail alone", "By its fine detail alone", "outlines", partial(keep_detail, share=0.02)),
    Edit("outlines", "outlines alone", "By its outlines alone", "outlines", draw_outlines),
    Edit(
        "shuffled",
        "blocks shuffled",
        "With its blocks shuffled",
        "composition",
        partial(shuffle_blocks, order=BLOCK_ORDER),
    ),
    Edit("mirrored", "mirrored", "Mirrored,", "orientation", mirror),
    Edit("upside-down", "upside down", "Upside down,", "orientation", turn_upside_down),
    Edit("border-10", "without its outer 10%", "Without its outer 10%", "border", partial(remove_border, share=0.1)),
    Edit("border-20", "without its outer 20%", "Without its outer 20%", "border", partial(remove_border, share=0.2)),
    Edit("border-30", "without its outer 30%", "Without its outer 30%", "border", partial(remove_border, share=0.3)),
)
EDITS: Mapping[str, Edit] = {edit.name: edit for edit in _EDITS}
# What nobody would call another painting; the spread of their scores is the noise.
NEUTRAL: tuple[PixelFunction, ...] = (
    partial(reencode, quality=85),
    partial(crop_pixel, corner=0),
    partial(crop_pixel, corner=2),
    partial(scale_brightness, factor=1.02),
    partial(scale_brightness, factor=0.98),
)


@dataclass(frozen=True)
class Outcome:
    """What the model says of a painting after one edit.

    Attributes:
        edit: the change
        image: the whole view as it was changed, without a letterbox's bands
        scores: by movement, 0 to 1
        decision: as of any prediction; an edited painting may well be unfamiliar
        changes: of each movement's score, -1 to 1
        sentence: the change in words; empty where it is within the noise
    """

    edit: Edit
    image: Image.Image
    scores: Mapping[str, float]
    decision: Decision
    changes: Mapping[str, float]
    sentence: str

    @property
    def movement(self) -> str:
        """The movement with the highest score."""
        return max(self.scores, key=lambda name: self.scores[name])

    @property
    def largest_change(self) -> float:
        """The change of the score that changes most, as a number from 0 to 1."""
        return max(map(abs, self.changes.values()))


@dataclass(frozen=True)
class WhatIf:
    """A painting's scores as it is and after each edit.

    Attributes:
        prediction: of the painting, by all voting views
        image: the whole view, without a letterbox's bands
        scores: of the whole view alone, which is what the edits change
        noise: changes up to this, 0 to 1, say nothing
        outcomes: in the order of `EDITS`
    """

    prediction: Prediction
    image: Image.Image
    scores: Mapping[str, float]
    noise: float
    outcomes: tuple[Outcome, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is more than noise, in words: other answers first, then the larger changes; at the end the noise."""
        answer = _best(self.scores)
        told = sorted(
            (outcome for outcome in self.outcomes if outcome.sentence),
            key=lambda outcome: (outcome.movement == answer, -outcome.largest_change),
        )
        quiet = [outcome.edit.label for outcome in self.outcomes if not outcome.sentence]
        points = f"{100 * self.noise:.1f} points"
        rest = [f"No more than noise ({points}): {', '.join(quiet)}."] if quiet else [f"Noise: {points}."]
        return (*(outcome.sentence for outcome in told), *rest)

    def in_proportion(self, image: Image.Image) -> Image.Image:
        """Return one of the views in the painting's own proportions, no side longer than the view's."""
        sides = self.prediction.box.width, self.prediction.box.height
        size = (max(1, round(side * max(image.size) / max(sides))) for side in sides)
        return image.resize((next(size), next(size)), Image.Resampling.BICUBIC)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that `artnet explain --what-if --json` prints."""
        return {
            "prediction": self.prediction.to_dict(),
            "scores": dict(self.scores),
            "noise": self.noise,
            "edits": [
                {
                    "name": outcome.edit.name,
                    "label": outcome.edit.label,
                    "property": outcome.edit.property,
                    "movement": outcome.movement,
                    "confidence": outcome.scores[outcome.movement],
                    "decision": outcome.decision,
                    "scores": dict(outcome.scores),
                    "changes": dict(outcome.changes),
                    "sentence": outcome.sentence or None,
                }
                for outcome in self.outcomes
            ],
            "sentences": list(self.sentences),
        }


def what_if(classifier: Classifier, image: ImageSource | OpenedImage, names: Sequence[str] = tuple(EDITS)) -> WhatIf:
    """Classify a painting again after each edit.

    The edits change the whole view, the very pixels that the network sees: what is finer than those changes nothing.
    They are asked of the whole view alone, even where regions vote.

    Args:
        classifier: whose answers change
        image: a file, an opened image, or pixels
        names: of edits, by default all

    Raises:
        UsageError: for an unknown edit
        ArtNetError: for an image that cannot be read, as `Classifier.classify`
    """
    unknown = [name for name in names if name not in EDITS]
    if unknown:
        raise UsageError(f"unknown edit {unknown[0]!r}; use some of {', '.join(EDITS)}")
    opened = image if isinstance(image, OpenedImage) else classifier.open(image)
    content = without_letterbox(opened.whole_view(), classifier.config.preprocessing.fit)
    pixels = np.asarray(content)
    prediction = classifier.classify(opened)
    voted = (view.scores for view in prediction.views if view.name == WHOLE)
    scores = next(voted, None) or score_view(classifier, pixels)[0]
    noise = noise_of(scores, [score_view(classifier, change(pixels))[0] for change in NEUTRAL])
    chosen = [edit for edit in EDITS.values() if edit.name in names]
    outcomes = tuple(_outcome(classifier, edit, pixels, scores, noise) for edit in chosen)
    return WhatIf(prediction, content, scores, noise, outcomes)


def score_view(classifier: Classifier, pixels: Pixels) -> tuple[dict[str, float], Decision]:
    """Return the scores of a whole view alone, without a letterbox's bands, and what they are worth."""
    config = classifier.config
    view = whole_view(Image.fromarray(pixels), config.preprocessing.size_px, config.preprocessing.fit)
    outputs = classifier.infer([view])
    scores = softmax(outputs.logits[0], config.calibration.temperature).tolist()
    return dict(zip(config.movements, scores, strict=True)), decide(config, max(scores), outputs.ood_score)


def noise_of(scores: Mapping[str, float], neutral: Sequence[Mapping[str, float]]) -> float:
    """Return one and a half times the largest change of any score under changes that mean nothing."""
    return _NOISE_FACTOR * max(abs(each[name] - scores[name]) for each in neutral for name in scores)


def sentence(
    edit: Edit, before: Mapping[str, float], after: Mapping[str, float], decision: Decision, noise: float
) -> str:
    """Return what an edit changes, in words; empty where that is within the noise.

    Another answer counts by the change of any score, the same answer by that of its own.

    Examples:
        >>> before, after = {"Realism": 0.2, "Cubism": 0.8}, {"Realism": 0.61, "Cubism": 0.39}
        >>> sentence(EDITS["no-colour"], before, after, "confident", noise=0.03)
        'Without colour it would be Realism (61%).'
    """
    old, new = _best(before), _best(after)
    counted = before if old != new else [old]
    if max(abs(after[name] - before[name]) for name in counted) <= noise:
        return ""
    caution = ", unfamiliar" if decision == "unfamiliar" else ""
    if old != new:
        return f"{edit.condition} it would be {new} ({after[new]:.0%}{caution})."
    return f"{edit.condition} it would still be {old} ({after[old]:.0%}, not {before[old]:.0%}{caution})."


def _outcome(classifier: Classifier, edit: Edit, pixels: Pixels, before: Mapping[str, float], noise: float) -> Outcome:
    edited = edit.apply(pixels)
    after, decision = score_view(classifier, edited)
    changes = {name: after[name] - before[name] for name in before}
    words = sentence(edit, before, after, decision, noise)
    return Outcome(edit, Image.fromarray(edited), after, decision, changes, words)


def _best(scores: Mapping[str, float]) -> str:
    return max(scores, key=lambda name: scores[name])
