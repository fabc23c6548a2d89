"""The report of one painting: a self-contained HTML page with its scores, overlays and cautions."""

from __future__ import annotations

from artnet.attribution.explain import Explanation
from artnet.attribution.methods import METHODS
from artnet.html.render import render
from artnet.imaging.encode import encode_jpeg, thumbnail
from artnet.model.prediction import Prediction, decision_words
from artnet.render.overlay import OverlayStyle, depth_overlay

_LARGE_PX, _SMALL_PX = 1000, 320
_JPEG_QUALITY = 88


def painting_report(explanation: Explanation, name: str, depth: int | None, style: OverlayStyle) -> str:
    """Return the report as HTML; `depth` chooses the large overlay, the deepest where there is no such map."""
    if depth is None or depth not in explanation.maps:
        depth = max(explanation.maps)
    return render(
        "painting.html.j2",
        prediction=explanation.prediction,
        decision=decision_sentence(explanation.prediction),
        name=name,
        has_margins=explanation.placement.has_margins,
        target=explanation.target.description,
        method=METHODS[explanation.method].label,
        depth=depth,
        image=encode_jpeg(thumbnail(explanation.image, _LARGE_PX), _JPEG_QUALITY),
        overlay=_overlay(explanation, depth, style, _LARGE_PX),
        overlays={each: _overlay(explanation, each, style, _SMALL_PX) for each in explanation.maps},
    )


def decision_sentence(prediction: Prediction) -> str:
    """Return in one sentence how far a prediction can be relied on."""
    if prediction.decision == "unfamiliar":
        return "Unfamiliar: this picture is unlike the paintings the model knows, so do not rely on the answer."
    words = decision_words(prediction)
    return f"{words[0].upper()}{words[1:]}."


def _overlay(explanation: Explanation, depth: int, style: OverlayStyle, longest_px: int) -> bytes:
    return encode_jpeg(depth_overlay(explanation, depth, style, longest_px), _JPEG_QUALITY)
