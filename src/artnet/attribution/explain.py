"""Show where in a painting the evidence for an answer lies, by depth of the network and by method.

Knows nothing about drawing: the result is arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.attribution.channels import ChannelShare, channel_shares
from artnet.attribution.faithfulness import STEPS, Faithfulness, Verdict, judge, measure_all
from artnet.attribution.methods import METHODS, PIXELS, Sampling, TargetScorer, check_outputs, evidence, find_method
from artnet.attribution.projection import LARGE, RegionMap, fused, on_painting, scaled, without_bands
from artnet.attribution.target import Target
from artnet.errors import ModelError, UsageError
from artnet.imaging.views import REGIONS, Placement, View, extract_views, placement
from artnet.model.classifier import Classifier
from artnet.model.config import DEPTHS, GROUPS, Layer
from artnet.model.prediction import Prediction
from artnet.model.preprocessing import OpenedImage, network_input

Floats = NDArray[np.float32]
Depth = int | Literal["all", "auto", "shallow", "middle", "deep"]
DEPTH_WORDS: tuple[str, ...] = ("all", "auto", *GROUPS)
_SPARKLE = 0.01


@dataclass(frozen=True)
class DepthMap:
    """The evidence that one layer holds: `grid` (h, w) float32 over the whole view, and that of each region looked at.

    Values are 0..1, or -1..1 where the question asks for what speaks against, too.
    """

    layer: Layer
    grid: Floats
    regions: tuple[RegionMap, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Where in `image` the evidence for a question lies; `maps` by depth, 1 (shallow) to 9 (deep), 0 for the pixels.

    `gains` holds how faithful each depth's map is where depth "auto" had to choose, `verdicts` what became of each
    map where that was asked for.
    """

    image: Image.Image
    prediction: Prediction
    asked: Target
    method: str
    maps: Mapping[int, DepthMap]
    placement: Placement
    gains: Mapping[int, Faithfulness] = field(default_factory=dict)
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)
    channels: Mapping[int, Sequence[ChannelShare]] = field(default_factory=dict)

    def heatmap(self, depth: int | None = None, size: tuple[int, int] | None = None) -> Floats:
        """Give one depth's evidence, by default the deepest: (H, W) float32, 0..1, at the painting's own size.

        `size` asks for another (width, height). The letterbox's bands are cut away. A map without any evidence is
        all zeros. Where the question asks for what speaks against, too, that is negative, down to -1.
        """
        depth = max(self.maps) if depth is None else depth
        if depth not in self.maps:
            raise UsageError(f"depth {depth} was not computed; this explanation holds {', '.join(map(str, self.maps))}")
        found = self.maps[depth]
        if not found.regions:
            return on_painting(found.grid, self.placement, size)
        return fused(found.grid, self.placement, found.regions, size)

    @property
    def movement(self) -> str:
        """Name the movement that is asked about."""
        return self.asked.movement

    @property
    def rather_than(self) -> str | None:
        """Name the movement that it is set against."""
        return self.asked.rather_than

    @property
    def question(self) -> str:
        """Put the question in words."""
        return self.asked.words

    @property
    def chosen(self) -> int | None:
        """Give the depth that "auto" chose; None where nothing was to choose."""
        return next(iter(self.maps)) if self.gains else None

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON object that `artnet explain --json` prints; peaks are (x, y) in the painting's pixels."""
        return {
            "prediction": self.prediction.to_dict(),
            "movement": self.movement,
            "rather_than": self.rather_than,
            "against": self.asked.against,
            "method": self.method,
            "chosen_depth": self.chosen,
            "gains": {str(depth): asdict(found) for depth, found in self.gains.items()},
            "depths": [self._described(depth) for depth in self.maps],
        }

    def _described(self, depth: int) -> dict[str, Any]:
        found, verdict = self.maps[depth], self.verdicts.get(depth)
        entry = {
            "depth": depth,
            "group": found.layer.group,
            "layer": found.layer.name,
            "grid": list(found.grid.shape),
            "peak": self._peak(depth),
            "regions": [list(region.box.as_tuple()) for region in found.regions],
            "channels": [{"channel": each.channel, "share": each.share} for each in self.channels.get(depth, ())],
        }
        return entry if verdict is None else {**entry, **asdict(verdict), "passes": verdict.passes}

    def _peak(self, depth: int) -> list[int] | None:
        """Give the place of the strongest evidence in the whole view's map; None where there is none."""
        grid, place = self.maps[depth].grid, self.placement
        row, column = np.unravel_index(int(grid.argmax()), grid.shape)
        cell = place.size_px / grid.shape[1], place.size_px / grid.shape[0]
        x, y = place.to_painting((column + 0.5) * cell[0], (row + 0.5) * cell[1])
        inside = (min(max(int(x), 0), place.width - 1), min(max(int(y), 0), place.height - 1))
        return list(inside) if grid[row, column] > 0 else None


@dataclass(frozen=True)
class ExplainOptions:
    """How to explain beyond the question: `canvas` looks at the five regions of a large painting, too.

    `verdicts` also judges each map, which takes about 150 more passes through the network; `channels` names that many
    of each depth's channels that add most to the answer. `answered` is the prediction for this very picture where it
    is there already; it is not computed again then.
    """

    canvas: bool = False
    verdicts: bool = False
    channels: int = 0
    sampling: Sampling = field(default_factory=Sampling)
    answered: Prediction | None = None


def explain(
    classifier: Classifier,
    image: str | Path | OpenedImage | Image.Image,
    movement: str | None = None,
    rather_than: str | None = None,
    method: str = "gradcam",
    depth: Depth = "all",
    against: bool = False,
    asking: ExplainOptions | None = None,
) -> Explanation:
    """Explain why a painting is `movement`, by default the one that is answered.

    With `rather_than` the question is the difference of two logits; with `against` it is also what speaks against.
    Of a file, the answer is that of `Classifier.classify`, and the evidence is looked for in the very view that it saw.
    Errors: `UsageError` for a movement, method or depth that there is not or that do not go together, `ModelError`
    for a model without what the method needs, and those of reading a picture.
    """
    asking = asking or ExplainOptions()
    layers = _wanted_layers(classifier, method, depth)
    _check_question(method, movement or rather_than, against)
    check_outputs(method, layers, classifier.engine)
    picture, view, prediction = _seen(classifier, image, asking)
    question = Target(movement or prediction.movement, rather_than, against)
    probe = TargetScorer(classifier.engine, question.target(classifier.config.movements))
    seen = classifier.config.preprocessing
    large = asking.canvas and min(picture.size) >= LARGE * seen.size_px
    views = (view, *(extract_views(picture, seen.size_px, seen.fit, REGIONS) if large else ()))
    inputs = network_input(views, seen)
    place = placement(picture.width, picture.height, seen.size_px, seen.fit)
    raw = [evidence(probe, each, method, layers, asking.sampling, against) for each in inputs]
    raw[0] = {each: without_bands(grid, place) for each, grid in raw[0].items()}
    gains = measure_all(probe, inputs[0], raw[0], STEPS, asking.sampling.seed) if depth == "auto" else {}
    kept = sorted(gains, key=lambda each: -gains[each].gain)[:1] or list(raw[0])
    whole = {each: raw[0][each] for each in kept}
    used = tuple(layer for layer in layers if layer.depth in kept)
    verdicts = judge(probe, inputs[0], method, used, asking.sampling, whole) if asking.verdicts else {}
    seen_channels = _channels(probe, inputs[0], used, asking.channels)
    maps = {each: _depth_map(_layer(classifier, each), [one[each] for one in raw], views[1:]) for each in kept}
    return Explanation(picture, prediction, question, method, maps, place, gains, verdicts, seen_channels)


def _seen(
    classifier: Classifier, image: str | Path | OpenedImage | Image.Image, asking: ExplainOptions
) -> tuple[Image.Image, View, Prediction]:
    """Read a painting, and give the whole view that the answer was given on with that answer."""
    opened = image if isinstance(image, OpenedImage) else classifier.open(image)
    return opened.full_image(), opened.whole_view(), asking.answered or classifier.classify(opened)


def _channels(
    probe: TargetScorer, view: Floats, layers: Sequence[Layer], count: int
) -> Mapping[int, Sequence[ChannelShare]]:
    """Name the channels that matter, where that is asked for and the graph can tell."""
    known = all(f"gradient_{layer.depth}" in probe.engine.outputs for layer in layers)
    return channel_shares(probe, view, layers, count) if count and layers and known else {}


def _depth_map(layer: Layer, grids: Sequence[Floats], regions: Sequence[View]) -> DepthMap:
    """Scale the maps of all views alike, so that what is stronger looks stronger: by the common maximum.

    Maps of pixels are scaled so that their strongest hundredth is cut at 1: single pixels outshine all else.
    """
    share = _SPARKLE if layer.depth == PIXELS else 0
    highest = max(float(np.quantile(np.abs(grid), 1 - share)) for grid in grids)
    highest = highest or max(float(np.abs(grid).max(initial=0)) for grid in grids)
    parts = tuple(RegionMap(view.box, scaled(grid, highest)) for view, grid in zip(regions, grids[1:], strict=True))
    return DepthMap(layer, scaled(grids[0], highest), parts)


def _layer(classifier: Classifier, depth: int) -> Layer:
    size_px = classifier.config.preprocessing.size_px
    return Layer(PIXELS, "pixels", 3, (size_px, size_px)) if depth == PIXELS else classifier.config.layers[depth - 1]


def _check_question(method: str, movement: str | None, against: bool) -> None:
    """Refuse what a method cannot tell, before anything is computed."""
    if movement and not METHODS[method].asked:
        raise UsageError(f"{method} shows the same whatever the movement; leave the movement out or use gradcam")
    if against and not METHODS[method].directed:
        raise UsageError(f"{method} does not tell what speaks for from what speaks against; use gradcam or integrated")


def _wanted_layers(classifier: Classifier, method: str, depth: Depth) -> tuple[Layer, ...]:
    known = depth in DEPTH_WORDS or (isinstance(depth, int) and 1 <= depth <= DEPTHS)
    if not known:
        raise UsageError(f"depth is {depth!r}; use 1 (shallow) to {DEPTHS} (deep), or {', '.join(DEPTH_WORDS)}")
    if find_method(method).reads == "pixels":
        if depth != "all":
            raise UsageError(f"{method} looks at the pixels and has no depths; leave the depth out")
        return ()
    layers = classifier.config.layers
    if not layers:
        raise ModelError("this model folder has no explained layers; export it again with artnet export")
    if isinstance(depth, int):
        return (layers[depth - 1],)
    return tuple(layer for layer in layers if depth == layer.group) if depth in GROUPS else layers
