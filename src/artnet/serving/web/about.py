"""Compose the page About: the model's card, its figures and limits, and what to do about a wrong answer.

Knows nothing but config.json; every figure is taken from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from artnet.html.render import table
from artnet.imaging.views import WHOLE
from artnet.model.config import ModelConfig

_SCORES = {
    "accuracy": "share of right answers",
    "balanced_accuracy": "mean over the movements",
    "top_2_accuracy": "the right one is among the first two",
    "calibration_error": "how far scores are from shares of right answers",
}
_WRONG = (
    "Read the five bars before the name above them: where two are near each other, both answers are open. “Unsure” "
    "says so.",
    "Look where the evidence lies. A frame, a wall, a signature or a museum’s label in the picture is looked at like "
    "paint: crop it and show the painting again.",
    "Ask why it is rather the movement you expected, and test the map: one that does no better than chance explains "
    "nothing.",
    "Photographs, drawings and paintings before about 1850 or outside these movements still get one of five names. "
    "“Unfamiliar” notices some of them and misses many.",
    "If it stays wrong, it is wrong: do not use the answer. With paintings and labels of your own a better model can "
    "be trained, and this page opens it with artnet app --model FOLDER.",
)


def about_html(config: ModelConfig) -> str:
    """Compose the page's HTML."""
    parts = [
        _section("What this is", [_what(config)]),
        _section("How good it is", _figures(config.scores)),
        _section("What to do about a wrong answer", [_list(_WRONG, "ol")]),
        _section("Limits", [_list(_limits(config), "ul")]),
        _section("What happens to your picture", [_paragraph(_PRIVACY)]),
        _section("How it was made", [_list(_making(config), "ul")]),
    ]
    return f'<div class="artnet about">{"".join(parts)}</div>'


_PRIVACY = (
    "It is sent to the computer that runs this page, decoded in memory, answered and forgotten. Nothing is written to "
    "a disk there, nothing is kept for the next visitor, and the page asks no other computer for anything."
)


def _what(config: ModelConfig) -> str:
    seen = config.preprocessing
    votes = "the whole painting" if config.voting_views == (WHOLE,) else ", ".join(config.voting_views)
    return _paragraph(
        f"The model {config.name} says which of {len(config.movements)} movements a painting belongs to: "
        f"{', '.join(config.movements)}. It looks at {votes}, {seen.size_px} pixels wide and high, through a small "
        f"network ({config.backbone}). The maps show what the network’s own arithmetic points at, at nine depths: "
        "shallow layers see lines and spots, deep ones see shapes."
    )


def _figures(scores: Mapping[str, Any]) -> list[str]:
    if not scores:
        return [_paragraph("This model has not been evaluated yet: artnet evaluate DATA --model FOLDER --record.")]
    values = [
        [name.replace("_", " "), meaning, f"{entry['value']:.3f}", f"{entry['low']:.3f} to {entry['high']:.3f}"]
        for name, meaning in _SCORES.items()
        if (entry := scores.get("values", {}).get(name))
    ]
    movements = [
        [name, str(entry["paintings"]), "none to find" if entry["recall"] is None else f"{entry['recall']:.0%}"]
        for name, entry in scores.get("by_movement", {}).items()
    ]
    said = f"Measured on {scores['paintings']} paintings it had not seen ({scores['protocol']})."
    return [
        _paragraph(said),
        table("Scores", ["score", "meaning", "value", "95 % interval"], values, frozenset({"meaning"})),
        table("Of each movement’s paintings", ["movement", "paintings", "found"], movements),
    ]


def _limits(config: ModelConfig) -> list[str]:
    known = "" if config.ood else " This model never says that a picture is unfamiliar."
    return [
        f"It answers with one of its movements whatever it is shown.{known}",
        "Names of styles are opinions, and a painting may honestly be two things.",
        "It sees a reproduction, a few hundred pixels wide: no surface, no size, no date.",
        *(str(limit) for limit in config.training.get("limits", [])),
    ]


def _making(config: ModelConfig) -> list[str]:
    told = {key: value for key, value in config.training.items() if key not in ("limits", "license")}
    return [f"{key.replace('_', ' ').capitalize()}: {value}" for key, value in told.items()] or [
        "Its maker does not say."
    ]


def _section(heading: str, parts: Sequence[str]) -> str:
    return f"<section><h2>{escape(heading)}</h2>{''.join(parts)}</section>"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _list(sentences: Sequence[str], tag: str) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<{tag}>{items}</{tag}>"
