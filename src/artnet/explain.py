"""Show where in a painting the evidence for an answer lies, at nine depths of the network.

Knows nothing about drawing: the result is arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.classify import Classifier, Prediction, network_input
from artnet.errors import ModelError, UsageError
from artnet.image import open_image, upright_srgb
from artnet.model import DEPTHS, Layer
from artnet.views import WHOLE, Placement, cut_views, placement

Floats = NDArray[np.float32]
Depth = int | Literal["all"]


@dataclass(frozen=True)
class DepthMap:
    """The evidence that one layer holds: `grid` (h, w) float32, 0..1, over the whole view."""

    layer: Layer
    grid: Floats


@dataclass(frozen=True)
class Explanation:
    """Where in `image` the evidence for a question lies; `maps` by depth, 1 (shallow) to 9 (deep)."""

    image: Image.Image
    prediction: Prediction
    movement: str
    rather_than: str | None
    method: str
    maps: Mapping[int, DepthMap]
    placement: Placement

    def heatmap(self, depth: int, size: tuple[int, int] | None = None) -> Floats:
        """Give one depth's evidence: (H, W) float32, 0..1, at the painting's own size or at (width, height).

        The letterbox's bands are cut away. A map without any evidence is all zeros.
        """
        if depth not in self.maps:
            raise UsageError(f"depth {depth} was not computed; this explanation holds {', '.join(map(str, self.maps))}")
        return on_painting(self.maps[depth].grid, self.placement, size)

    @property
    def question(self) -> str:
        """Put the question in words."""
        return f"why {self.movement}" + (f" rather than {self.rather_than}" if self.rather_than else "")

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON object that `artnet explain --json` prints; peaks are (x, y) in the painting's pixels."""
        return {
            "prediction": self.prediction.to_dict(),
            "movement": self.movement,
            "rather_than": self.rather_than,
            "method": self.method,
            "depths": [
                {
                    "depth": depth,
                    "layer": found.layer.name,
                    "grid": list(found.grid.shape),
                    "peak": self._peak(depth),
                }
                for depth, found in self.maps.items()
            ],
        }

    def _peak(self, depth: int) -> list[int] | None:
        """Give the place of the strongest evidence; None where there is none."""
        grid, place = self.maps[depth].grid, self.placement
        row, column = np.unravel_index(int(grid.argmax()), grid.shape)
        cell = place.size_px / grid.shape[1], place.size_px / grid.shape[0]
        x, y = place.to_painting((column + 0.5) * cell[0], (row + 0.5) * cell[1])
        inside = (min(max(int(x), 0), place.width - 1), min(max(int(y), 0), place.height - 1))
        return list(inside) if grid[row, column] > 0 else None


def grad_cam(activation: Floats, gradient: Floats) -> Floats:
    """Weigh each channel's activation by its gradient's mean and keep what speaks for the target.

    Selvaraju et al., "Grad-CAM", 2017, equations 1 and 2: alpha_k is the mean over the grid of the derivative of
    the *logit* to activation A_k, the map is ReLU(sum_k alpha_k A_k). (K, h, w) twice to (h, w), not yet scaled.
    """
    weights = gradient.mean((1, 2))  # (K,)
    result: Floats = np.maximum(np.einsum("k,khw->hw", weights, activation), 0).astype(np.float32)
    return result


METHODS: Mapping[str, Callable[[Floats, Floats], Floats]] = {"gradcam": grad_cam}


def explain(
    classifier: Classifier,
    image: str | Path | Image.Image,
    movement: str | None = None,
    rather_than: str | None = None,
    method: str = "gradcam",
    depth: Depth = "all",
) -> Explanation:
    """Explain why a painting is `movement`, by default the one that is answered.

    With `rather_than` the question is the difference of two logits. Errors: `UsageError` for a movement, method or
    depth that there is not, `ModelError` for a model without explained layers, and those of reading a picture.
    """
    picture = upright_srgb(image) if isinstance(image, Image.Image) else open_image(image)
    name = "" if isinstance(image, Image.Image) else str(image)
    layers = _wanted_layers(classifier, depth)
    if method not in METHODS:
        raise UsageError(f"unknown method {method!r}; use one of {', '.join(METHODS)}")
    prediction = classifier.classify_image(picture, name)
    movement = movement or prediction.movement
    target = question_target(classifier.config.movements, movement, rather_than)
    preprocessing = classifier.config.preprocessing
    view = cut_views(picture, preprocessing.size_px, preprocessing.fit, (WHOLE,))
    place = placement(picture.width, picture.height, preprocessing.size_px, preprocessing.fit)
    wanted = [f"{kind}_{layer.depth}" for layer in layers for kind in ("activation", "gradient")]
    outputs = classifier.engine.run(network_input(view, preprocessing), target, wanted)
    maps = {}
    for layer in layers:
        activation, gradient = (outputs[f"{kind}_{layer.depth}"][0] for kind in ("activation", "gradient"))
        evidence = METHODS[method](activation, gradient)
        maps[layer.depth] = DepthMap(layer, scaled(without_bands(evidence, place)))
    return Explanation(picture, prediction, movement, rather_than, method, maps, place)


def question_target(movements: tuple[str, ...], movement: str, rather_than: str | None) -> Floats:
    """Write a question as weights of the logits (1, C): one movement is 1, the one it is set against is -1."""
    target = np.zeros((1, len(movements)), np.float32)
    for name, weight in ((movement, 1), (rather_than, -1)):
        if name is None:
            continue
        if name not in movements:
            raise UsageError(f"unknown movement {name!r}; this model knows {', '.join(movements)}")
        target[0, movements.index(name)] += weight
    if not target.any():
        raise UsageError(f"{movement} rather than {rather_than} asks nothing; name two different movements")
    return target


def scaled(grid: Floats) -> Floats:
    """Scale a map so that its largest value is 1; a map of zeros stays one."""
    highest = float(grid.max(initial=0))
    return grid / np.float32(highest) if highest > 0 and np.isfinite(highest) else np.zeros_like(grid)


def without_bands(grid: Floats, place: Placement) -> Floats:
    """Set the cells that show only the letterbox's bands to zero, before they can set the scale."""
    left, top, right, bottom = _cells(grid, place)
    bare = np.zeros_like(grid)
    bare[top:bottom, left:right] = grid[top:bottom, left:right]
    return bare


def on_painting(grid: Floats, place: Placement, size: tuple[int, int] | None = None) -> Floats:
    """Enlarge a view's map (h, w) to the painting (H, W), or to a smaller picture of it.

    The letterbox's bands are cut off before.
    """
    left, top, right, bottom = _cells(grid, place)
    x0, y0, x1, y1 = _content(grid, place)
    cut = Image.fromarray(np.ascontiguousarray(grid[top:bottom, left:right], np.float32))
    box = (x0 - left, y0 - top, x1 - left, y1 - top)
    enlarged = cut.resize(size or (place.width, place.height), Image.Resampling.BILINEAR, box=box)
    result: Floats = np.clip(np.asarray(enlarged, np.float32), 0, 1)
    return result


def _content(grid: Floats, place: Placement) -> tuple[float, float, float, float]:
    """Give where the painting lies in the grid, in cells and parts of cells."""
    box, across, down = place.content, grid.shape[1] / place.size_px, grid.shape[0] / place.size_px
    return (box.left * across, box.top * down, box.right * across, box.bottom * down)


def _cells(grid: Floats, place: Placement) -> tuple[int, int, int, int]:
    """Give the whole cells that the painting touches: left, top, right, bottom."""
    left, top, right, bottom = _content(grid, place)
    return (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))


def _wanted_layers(classifier: Classifier, depth: Depth) -> tuple[Layer, ...]:
    layers = classifier.config.layers
    if not layers:
        raise ModelError("this model folder has no explained layers; export it again with artnet export")
    if depth == "all":
        return layers
    if not isinstance(depth, int) or not 1 <= depth <= DEPTHS:
        raise UsageError(f"depth is {depth!r}; use 1 (shallow) to {DEPTHS} (deep), or all")
    return (layers[depth - 1],)
