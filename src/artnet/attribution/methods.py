"""Compute one view's evidence for a question, by any method, at the depths wanted.

Knows nothing about paintings: a normalised view (3, S, S) gives raw maps, which are neither scaled nor placed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.attribution.cam import CAMS
from artnet.attribution.gradients import integrated_gradients, smooth_grad
from artnet.attribution.perturbation import occlusion, rise, score_cam
from artnet.attribution.target import target_score
from artnet.errors import ModelError, UsageError
from artnet.model.config import Layer
from artnet.model.engine import Engine
from artnet.model.graph import VIEWS_GRADIENT

Floats = NDArray[np.float32]
Reads = Literal["layers", "pixels"]
PIXELS = 0  # stands for a depth where a method looks at the pixels and not at a layer


@dataclass(frozen=True)
class Method:
    """What a method reads, which outputs of the graph it needs, and which questions it can answer.

    `asked`: the map depends on the movement. `directed`: it tells what speaks for from what speaks against.
    """

    reads: Reads
    needs: tuple[str, ...] = ()
    asked: bool = True
    directed: bool = True


METHODS: dict[str, Method] = {
    **{name: Method("layers", ("activation", "gradient")) for name in CAMS},
    "eigencam": Method("layers", ("activation",), asked=False, directed=False),
    "scorecam": Method("layers", ("activation",)),
    "occlusion": Method("pixels"),
    "rise": Method("pixels"),
    "integrated": Method("pixels", (VIEWS_GRADIENT,)),
    "smoothgrad": Method("pixels", (VIEWS_GRADIENT,), directed=False),
}


@dataclass(frozen=True)
class Sampling:
    """How often the methods that sample do so; `seed` decides every random choice."""

    seed: int = 0
    masks: int = 500  # RISE
    channels: int = 32  # Score-CAM
    steps: int = 32  # integrated gradients
    samples: int = 24  # SmoothGrad
    squares: int = 13  # occlusion, on a side


@dataclass(frozen=True)
class TargetScorer:
    """A network asked one question: `target` (1, C) are weights of the logits."""

    engine: Engine
    target: Floats

    def opposite(self) -> TargetScorer:
        """Ask for the contrary."""
        return TargetScorer(self.engine, -self.target)

    def logit(self, views: Floats) -> NDArray[np.float64]:
        """Give sum(logits * target) of views (N, 3, S, S)."""
        found: NDArray[np.float64] = (self._logits(views) @ self.target[0]).astype(np.float64)
        return found

    def score(self, views: Floats) -> NDArray[np.float64]:
        """Give the score of what is asked, 0 to 1, of views (N, 3, S, S)."""
        return target_score(self._logits(views), self.target)

    def gradient(self, views: Floats) -> Floats:
        """Give the derivative of the logit to the views, (N, 3, S, S)."""
        target = np.repeat(self.target, len(views), axis=0)
        return self.engine.run(views, target, [VIEWS_GRADIENT])[VIEWS_GRADIENT]

    def layers(self, view: Floats, names: Sequence[str]) -> dict[str, Floats]:
        """Give named activations and gradients of one view, without the first dimension."""
        return {name: values[0] for name, values in self.engine.run(view[None], self.target, names).items()}

    def _logits(self, views: Floats) -> Floats:
        return self.engine.run(views, None, ["logits"])["logits"]


def find_method(name: str) -> Method:
    """Look a method up. Errors: `UsageError` naming those there are."""
    if name not in METHODS:
        raise UsageError(f"unknown method {name!r}; use one of {', '.join(METHODS)}")
    return METHODS[name]


def check_outputs(method: str, layers: Sequence[Layer], engine: Engine) -> None:
    """Refuse a method that needs what the graph does not hold. Errors: `ModelError` saying what is missing."""
    needed = needed_outputs(find_method(method), layers)
    missing = [name for name in needed if name not in engine.outputs]
    if missing:
        raise ModelError(
            f"{method} needs the output {missing[0]!r}, which this model's graph does not have; export the model again "
            f"with artnet export, or use occlusion, rise or scorecam"
        )


def needed_outputs(method: Method, layers: Sequence[Layer]) -> list[str]:
    """Name the outputs of the graph that a method reads."""
    if method.reads == "pixels":
        return list(method.needs)
    return [f"{kind}_{layer.depth}" for layer in layers for kind in method.needs]


def evidence(
    probe: TargetScorer, view: Floats, method: str, layers: Sequence[Layer], sampling: Sampling, signed: bool = False
) -> dict[int, Floats]:
    """Give raw maps (h, w) by depth; methods that read pixels give one, at depth 0.

    A map is at least 0: what speaks for the answer. With `signed` it is that minus what speaks against, which is the
    same method's map for the contrary question (Selvaraju et al., 2017, section 3.3): asking B rather than A then
    gives the same values with the other sign.
    """
    if find_method(method).reads == "pixels":
        found = {PIXELS: _PIXEL_MAPS[method](probe, view, sampling)}
        return found if signed else {depth: np.maximum(grid, 0) for depth, grid in found.items()}
    known = probe.layers(view, needed_outputs(METHODS[method], layers))
    maps = {}
    for layer in layers:
        activation, gradient = (known.get(f"{kind}_{layer.depth}") for kind in ("activation", "gradient"))
        maps[layer.depth] = _layer_map(probe, view, method, sampling, activation, gradient)
        if signed:
            contrary = None if gradient is None else -gradient
            maps[layer.depth] -= _layer_map(probe.opposite(), view, method, sampling, activation, contrary)
    return maps


def _layer_map(
    probe: TargetScorer,
    view: Floats,
    method: str,
    sampling: Sampling,
    activation: Floats | None,
    gradient: Floats | None,
) -> Floats:
    if activation is None:
        raise ModelError(f"{method} needs activations, which this model's graph does not have; export the model again")
    if method == "scorecam":
        return score_cam(probe.logit, view, activation, sampling.channels)
    return CAMS[method](activation, np.zeros_like(activation) if gradient is None else gradient)


def _occlusion(probe: TargetScorer, view: Floats, sampling: Sampling) -> Floats:
    return occlusion(probe.score, view, sampling.squares)


def _rise(probe: TargetScorer, view: Floats, sampling: Sampling) -> Floats:
    return rise(probe.score, view, sampling.masks, np.random.default_rng(sampling.seed))


def _integrated(probe: TargetScorer, view: Floats, sampling: Sampling) -> Floats:
    return _coarser(integrated_gradients(probe.gradient, view, sampling.steps).sum(0))


def _smooth_grad(probe: TargetScorer, view: Floats, sampling: Sampling) -> Floats:
    """Keep the size of the averaged gradient, largest over the colours, as its paper draws it."""
    found = smooth_grad(probe.gradient, view, sampling.samples, np.random.default_rng(sampling.seed))
    return _coarser(np.abs(found).max(0))


def _coarser(attribution: Floats) -> Floats:
    """Average attributions (S, S) over squares of 4 x 4 pixels: single pixels are noise to the eye."""
    side = max(1, attribution.shape[-1] // 4)
    image = Image.fromarray(np.ascontiguousarray(attribution, np.float32))
    result: Floats = np.asarray(image.resize((side, side), Image.Resampling.BOX), np.float32)
    return result


_PIXEL_MAPS: dict[str, Callable[[TargetScorer, Floats, Sampling], Floats]] = {
    "occlusion": _occlusion,
    "rise": _rise,
    "integrated": _integrated,
    "smoothgrad": _smooth_grad,
}
