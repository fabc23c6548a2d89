"""Put answers, methods and tests of maps into the words that the web page says.

Knows nothing about HTML: plain facts in, sentences out.
"""

from __future__ import annotations

from collections.abc import Mapping

from artnet.attribution.faithfulness import Faithfulness
from artnet.attribution.methods import METHODS
from artnet.model.prediction import Prediction

STYLES_SHOWN = 3
_LIKELY = 0.5


# About how long a method takes, where that is long; the others answer at once.
SLOW_METHODS: Mapping[str, str] = {
    "scorecam": "about 10 s",
    "occlusion": "about 6 s",
    "rise": "about 10 s",
    "integrated": "about 3 s",
    "smoothgrad": "about 2 s",
}


def decision_words(prediction: Prediction) -> str:
    """Say in one sentence what the answer is worth."""
    first, second = sorted(prediction.scores, key=lambda name: -prediction.scores[name])[:2]
    return {
        "confident": "Confident.",
        "unsure": f"Unsure: {first} or {second}.",
        "unfamiliar": "Unfamiliar: this picture is unlike the paintings the model knows, so do not rely on the answer.",
    }[prediction.decision]


def likely_styles(prediction: Prediction) -> dict[str, float]:
    """Give the fine styles of at least one half, the likeliest first, at most three."""
    likely = sorted((item for item in prediction.styles.items() if item[1] >= _LIKELY), key=lambda item: -item[1])
    return dict(likely[:STYLES_SHOWN])


def faithful_words(found: Faithfulness) -> str:
    """Say in words whether a map shows what the answer rests on, for this one picture."""
    if found.gain >= 0.02:
        said = "Tested: covering what this map marks changes the answer more than covering parts at random"
    elif found.gain > 0:
        said = "Tested: this map does hardly better than parts taken at random"
    else:
        said = "Tested: this map does no better than parts taken at random. Do not read much into it"
    return f"{said} (gain {found.gain:+.3f})."


def method_choices() -> list[dict[str, object]]:
    """Describe every method for a list of choices: its name, its label, what it can be asked."""
    return [
        {
            "name": name,
            "label": method.label,
            "takes": SLOW_METHODS.get(name, ""),
            "pixels": method.reads == "pixels",
            "asked": method.class_discriminative,
            "directed": method.signed,
        }
        for name, method in METHODS.items()
    ]
