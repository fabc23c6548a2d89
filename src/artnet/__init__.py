"""Classify modern paintings by movement, with calibrated confidence and explanations.

The public names are loaded on first use, so that `artnet --help` does not import numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from artnet.attribution.explain import Explanation, explain
    from artnet.model.classifier import Classifier
    from artnet.model.prediction import Prediction

__version__ = "0.1.0"
__all__ = ["Classifier", "Explanation", "Prediction", "__version__", "explain"]

_EXPORTS = {
    "Classifier": "artnet.model.classifier",
    "Explanation": "artnet.attribution.explain",
    "Prediction": "artnet.model.prediction",
    "explain": "artnet.attribution.explain",
}


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'artnet' has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)
