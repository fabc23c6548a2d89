"""Attribution methods by name, and `attribute`, which computes one view's heatmaps by any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Resampling

from artnet.attribution.cam import CAMS
from artnet.attribution.gradients import integrated_gradients, smooth_grad
from artnet.attribution.perturbation import occlusion, rise, score_cam
from artnet.attribution.target import target_score
from artnet.errors import ModelError, UsageError
from artnet.imaging.encode import resize_grid
from artnet.model.config import Layer
from artnet.model.engine import ATTENTION_MAPS, VIEWS_GRADIENT, Engine

Floats = NDArray[np.float32]
PIXELS = 0  # in place of a depth where a method attributes to the pixels and not to a layer


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
    """A network's scores, logits and gradients of one target; `weights` (1, C) are those of the logits."""

    engine: Engine
    weights: Floats

    def negated(self) -> TargetScorer:
        """Return the scorer of the opposite target."""
        return TargetScorer(self.engine, -self.weights)

    def logit(self, views: Floats) -> NDArray[np.float64]:
        """Return sum(logits * weights) of views (N, 3, S, S), (N,)."""
        result: NDArray[np.float64] = (self._logits(views) @ self.weights[0]).astype(np.float64)
        return result

    def score(self, views: Floats) -> NDArray[np.float64]:
        """Return the softmax score of views (N, 3, S, S), (N,), 0 to 1."""
        return target_score(self._logits(views), self.weights)

    def gradient(self, views: Floats) -> Floats:
        """Return the derivative of the logit to the views, (N, 3, S, S)."""
        weights = np.repeat(self.weights, len(views), axis=0)
        return self.engine.run(views, weights, [VIEWS_GRADIENT])[VIEWS_GRADIENT]

    def layer_outputs(self, view: Floats, names: Sequence[str]) -> dict[str, Floats]:
        """Return named activations and gradients of one view (3, S, S), each (K, h, w)."""
        return {name: values[0] for name, values in self.engine.run(view[None], self.weights, names).items()}

    def _logits(self, views: Floats) -> Floats:
        return self.engine.run(views, None, ["logits"])["logits"]


PixelMap = Callable[[TargetScorer, Floats, Sampling], Floats]


@dataclass(frozen=True)
class Method:
    """An attribution method: its display name, the graph's outputs that it needs, and the targets that it can explain.

    Attributes:
        needs: names of outputs; for methods that read layers without the depth, such as "activation"
        class_discriminative: whether the heatmap depends on the movement
        signed: whether it tells what speaks for from what speaks against
        pixel_map: computes the heatmap of a method that reads pixels
    """

    label: str
    needs: tuple[str, ...] = ()
    class_discriminative: bool = True
    signed: bool = True
    pixel_map: PixelMap | None = None

    @property
    def reads(self) -> Literal["layers", "pixels"]:
        """What the method attributes to: the activations of layers, or the pixels of the view."""
        return "layers" if self.pixel_map is None else "pixels"


def _occlusion(scorer: TargetScorer, view: Floats, sampling: Sampling) -> Floats:
    return occlusion(scorer.score, view, sampling.squares)


def _rise(scorer: TargetScorer, view: Floats, sampling: Sampling) -> Floats:
    return rise(scorer.score, view, sampling.masks, np.random.default_rng(sampling.seed))


def _integrated_gradients(scorer: TargetScorer, view: Floats, sampling: Sampling) -> Floats:
    return _pool(integrated_gradients(scorer.gradient, view, sampling.steps).sum(0))


def _smooth_grad(scorer: TargetScorer, view: Floats, sampling: Sampling) -> Floats:
    """Keep the size of the averaged gradient, largest over the colours, as its paper draws it."""
    gradient = smooth_grad(scorer.gradient, view, sampling.samples, np.random.default_rng(sampling.seed))
    return _pool(np.abs(gradient).max(0))


def _pool(attribution: Floats) -> Floats:
    """Average attributions (S, S) over squares of 4 x 4 pixels: single pixels are noise to the eye."""
    side = max(1, attribution.shape[-1] // 4)
    return resize_grid(attribution, (side, side), Resampling.BOX)


METHODS: dict[str, Method] = {
    **{
        name: Method(
            cam.label,
            ("activation", "gradient") if cam.uses_gradient else ("activation",),
            class_discriminative=cam.uses_gradient,
            signed=cam.uses_gradient,
        )
        for name, cam in CAMS.items()
    },
    # Computed in the graph of networks with attention among all tokens: training/network/attention.py.
    "rollout": Method("Gradient-weighted rollout", ("rollout",)),
    "legrad": Method("LeGrad", ("legrad",)),
    "scorecam": Method("Score-CAM", ("activation",)),
    "occlusion": Method("Occlusion", pixel_map=_occlusion),
    "rise": Method("RISE", pixel_map=_rise),
    "integrated": Method("Integrated gradients", (VIEWS_GRADIENT,), pixel_map=_integrated_gradients),
    "smoothgrad": Method("SmoothGrad", (VIEWS_GRADIENT,), signed=False, pixel_map=_smooth_grad),
}


@dataclass(frozen=True)
class AttributionOptions:
    """How heatmaps are computed: by which method, at which layers, how finely, and whether `signed`.

    A heatmap is at least 0: what speaks for the target. A signed one is that minus what speaks against, which is the
    same method's map of the opposite target (Selvaraju et al., 2017, section 3.3).
    """

    method: str
    layers: Sequence[Layer] = ()
    sampling: Sampling = field(default_factory=Sampling)
    signed: bool = False


def get_method(name: str) -> Method:
    """Return a method by its name.

    Raises:
        UsageError: for an unknown name; the message lists the methods
    """
    if name not in METHODS:
        raise UsageError(f"unknown method {name!r}; use one of {', '.join(METHODS)}")
    return METHODS[name]


def available_methods(layers: Sequence[Layer], engine: Engine) -> list[str]:
    """Return the methods for which a graph has every output that they need."""
    return [
        name
        for name, method in METHODS.items()
        if (method.reads == "pixels" or layers) and engine.outputs.issuperset(required_outputs(method, layers))
    ]


def check_outputs(method: str, layers: Sequence[Layer], engine: Engine) -> None:
    """Raise `ModelError` where the graph does not have every output that a method needs."""
    missing = [name for name in required_outputs(get_method(method), layers) if name not in engine.outputs]
    if missing and method in ATTENTION_MAPS:
        raise ModelError(
            f"{method} explains attention, which this model's graph does not have; use gradcam or hirescam"
        )
    if missing:
        raise ModelError(
            f"{method} needs the output {missing[0]!r}, which this model's graph does not have; export the model again "
            f"with artnet export, or use occlusion, rise or scorecam"
        )


def required_outputs(method: Method, layers: Sequence[Layer]) -> list[str]:
    """Return the names of the graph's outputs that a method reads."""
    if method.reads == "pixels":
        return list(method.needs)
    return [f"{kind}_{layer.depth}" for layer in layers for kind in method.needs]


def attribute(scorer: TargetScorer, view: Floats, options: AttributionOptions) -> dict[int, Floats]:
    """Compute one view's heatmaps.

    Args:
        scorer: of the target
        view: normalised, (3, S, S)
        options: method, layers, sampling, sign

    Returns:
        maps (h, w) by depth, not normalised; methods that read pixels give one, at depth `PIXELS`

    Raises:
        UsageError: for an unknown method
        ModelError: for a graph without what the method needs
    """
    method = get_method(options.method)
    if method.pixel_map is not None:
        grid = method.pixel_map(scorer, view, options.sampling)
        return {PIXELS: grid if options.signed else np.maximum(grid, 0)}
    if options.method in ATTENTION_MAPS:
        return _attention_maps(scorer, view, options)
    outputs = scorer.layer_outputs(view, required_outputs(method, options.layers))
    maps = {}
    for layer in options.layers:
        activation, gradient = outputs[f"activation_{layer.depth}"], outputs.get(f"gradient_{layer.depth}")
        maps[layer.depth] = _layer_map(scorer, view, options, activation, gradient)
        if options.signed:
            opposite = None if gradient is None else -gradient
            maps[layer.depth] -= _layer_map(scorer.negated(), view, options, activation, opposite)
    return maps


def _attention_maps(scorer: TargetScorer, view: Floats, options: AttributionOptions) -> dict[int, Floats]:
    names = {layer.depth: f"{options.method}_{layer.depth}" for layer in options.layers}
    outputs = scorer.layer_outputs(view, list(names.values()))
    opposite = scorer.negated().layer_outputs(view, list(names.values())) if options.signed else {}
    return {depth: outputs[name] - opposite.get(name, 0) for depth, name in names.items()}


def _layer_map(
    scorer: TargetScorer, view: Floats, options: AttributionOptions, activation: Floats, gradient: Floats | None
) -> Floats:
    if options.method == "scorecam":
        return score_cam(scorer.logit, view, activation, options.sampling.channels)
    return CAMS[options.method].compute(activation, np.zeros_like(activation) if gradient is None else gradient)
