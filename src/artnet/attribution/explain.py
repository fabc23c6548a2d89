"""`explain`: what in an image supports a prediction, by depth of the network and by method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.attribution.channels import ChannelShare, rank_channels
from artnet.attribution.faithfulness import STEPS, Faithfulness, FaithfulnessResult, assess, measure_maps
from artnet.attribution.methods import (
    PIXELS,
    AttributionOptions,
    Sampling,
    TargetScorer,
    attribute,
    check_outputs,
    get_method,
)
from artnet.attribution.projection import RegionMap, fuse_regions, mask_letterbox, normalise
from artnet.attribution.target import Target
from artnet.errors import ModelError, UsageError
from artnet.imaging.views import REGIONS, Placement, View, extract_views, placement
from artnet.model.classifier import Classifier
from artnet.model.config import DEPTHS, GROUPS, Layer
from artnet.model.prediction import Prediction
from artnet.model.preprocessing import ImageSource, OpenedImage, network_input

Floats = NDArray[np.float32]
Depth = int | Literal["all", "auto", "shallow", "middle", "deep"]
DEPTH_CHOICES: tuple[str, ...] = ("all", "auto", *GROUPS)
REGIONS_MIN_SCALE = 2  # shorter side in views: from there on regions show more than the whole
_CLIPPED_SHARE = 0.01  # of a map of pixels: the strongest single ones outshine all else


@dataclass(frozen=True)
class DepthMap:
    """One layer's heatmap: `grid` (h, w) float32 over the whole view, and that of each region.

    Values are 0 to 1, or -1 to 1 where the target includes what speaks against it.
    """

    layer: Layer
    grid: Floats
    regions: tuple[RegionMap, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Where in `image` the support for a target lies.

    Attributes:
        image: upright sRGB, at its own size
        prediction: the classifier's, of this image
        target: what is explained
        method: by which the maps were computed
        maps: by depth, 1 (shallow) to 9 (deep), or 0 for the pixels
        placement: where the painting, without its margins, lies in the image and in the whole view
        gains: how faithful each depth's map is, where depth "auto" chose among them
        faithfulness: results by depth, where they were requested
        channels: the strongest by depth, where they were requested
    """

    image: Image.Image
    prediction: Prediction
    target: Target
    method: str
    maps: Mapping[int, DepthMap]
    placement: Placement
    gains: Mapping[int, Faithfulness] = field(default_factory=dict)
    faithfulness: Mapping[int, FaithfulnessResult] = field(default_factory=dict)
    channels: Mapping[int, Sequence[ChannelShare]] = field(default_factory=dict)

    def heatmap(self, depth: int | None = None, size: tuple[int, int] | None = None) -> Floats:
        """Return one depth's heatmap over the image, zero on its margins, without the letterbox's bands.

        Args:
            depth: one of `maps`, by default the deepest
            size: (width, height), by default the image's own

        Returns:
            (H, W) float32, 0 to 1, or -1 to 1 where the target includes what speaks against it; all zeros where
            nothing supports the target

        Raises:
            UsageError: for a depth that was not computed
        """
        depth = max(self.maps) if depth is None else depth
        if depth not in self.maps:
            raise UsageError(f"depth {depth} was not computed; this explanation holds {', '.join(map(str, self.maps))}")
        return fuse_regions(self.maps[depth].grid, self.placement, self.maps[depth].regions, size)

    @property
    def chosen_depth(self) -> int | None:
        """The depth that "auto" chose; None without a choice."""
        return next(iter(self.maps)) if self.gains else None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that `artnet explain --json` prints; peaks are (x, y) in the image's pixels."""
        return {
            "prediction": self.prediction.to_dict(),
            "movement": self.target.movement,
            "rather_than": self.target.rather_than,
            "against": self.target.against,
            "method": self.method,
            "chosen_depth": self.chosen_depth,
            "gains": {str(depth): asdict(gain) for depth, gain in self.gains.items()},
            "depths": [self._depth_dict(depth) for depth in self.maps],
        }

    def _depth_dict(self, depth: int) -> dict[str, Any]:
        depth_map, result = self.maps[depth], self.faithfulness.get(depth)
        entry = {
            "depth": depth,
            "group": depth_map.layer.group,
            "layer": depth_map.layer.name,
            "grid": list(depth_map.grid.shape),
            "peak": self._peak(depth_map.grid),
            "regions": [list(region.box.as_tuple()) for region in depth_map.regions],
            "channels": [{"channel": each.channel, "share": each.share} for each in self.channels.get(depth, ())],
        }
        return entry if result is None else {**entry, **asdict(result), "passes": result.passes}

    def _peak(self, grid: Floats) -> list[int] | None:
        """Return where the whole view's map is largest, in the image's pixels; None without a positive value."""
        row, column = np.unravel_index(int(grid.argmax()), grid.shape)
        cell = self.placement.size_px / grid.shape[1], self.placement.size_px / grid.shape[0]
        x, y = self.placement.to_image((column + 0.5) * cell[0], (row + 0.5) * cell[1])
        box = self.placement.box
        inside = np.clip((x, y), (box.left, box.top), (box.right - 1, box.bottom - 1))
        return [int(coordinate) for coordinate in inside] if grid[row, column] > 0 else None


@dataclass(frozen=True)
class ExplainOptions:
    """What else to compute, and how.

    Attributes:
        regions: also explain the five regions of a large image, at its own resolution
        faithfulness: test each map, at the cost of about 150 more passes through the network
        channels: how many channels of each depth to rank by their contribution
        sampling: of the methods that sample
        prediction: of this very image, where it is known; it is not computed again then
        trim: whether uniform margins are left out of an image that is not opened yet, by a model that does so
    """

    regions: bool = False
    faithfulness: bool = False
    channels: int = 0
    sampling: Sampling = field(default_factory=Sampling)
    prediction: Prediction | None = None
    trim: bool = True


def explain(
    classifier: Classifier,
    image: ImageSource | OpenedImage,
    movement: str | None = None,
    rather_than: str | None = None,
    method: str = "gradcam",
    depth: Depth = "all",
    against: bool = False,
    options: ExplainOptions | None = None,
) -> Explanation:
    """Explain why an image is predicted to be of a movement.

    Args:
        classifier: whose prediction is explained
        image: a file, an opened image, or pixels; of a file, the very view that `Classifier.classify` saw is explained
        movement: by default the predicted one
        rather_than: contrast with this movement: the difference of two logits
        method: one of `methods.METHODS`
        depth: 1 (shallow) to 9 (deep), a group of three, all, or the most faithful one ("auto")
        against: also show what speaks against the target, as negative values
        options: regions, faithfulness, channels, sampling

    Raises:
        UsageError: for an unknown movement, method or depth, or for some that do not go together
        ModelError: for a model without what the method needs
        ArtNetError: for an image that cannot be read, as `Classifier.classify`
    """
    options = options or ExplainOptions()
    layers = _select_layers(classifier, method, depth)
    _check_target(method, movement or rather_than, against)
    check_outputs(method, layers, classifier.engine)
    opened = image if isinstance(image, OpenedImage) else classifier.open(image, trim=options.trim)
    pixels, prediction = opened.full_image(), options.prediction or classifier.classify(opened)
    target = Target(movement or prediction.movement, rather_than, against)
    scorer = TargetScorer(classifier.engine, target.logit_weights(classifier.config.movements))
    preprocessing = classifier.config.preprocessing
    size_px, fit, box = preprocessing.size_px, preprocessing.fit, opened.box
    large = options.regions and min(box.width, box.height) >= REGIONS_MIN_SCALE * size_px
    regions = extract_views(pixels, size_px, fit, REGIONS, box) if large else ()
    inputs = network_input((opened.whole_view(), *regions), preprocessing)
    attribution = AttributionOptions(method, layers, options.sampling, against)
    raw = [attribute(scorer, each, attribution) for each in inputs]
    placed = placement(pixels.width, pixels.height, size_px, fit, box)
    raw[0] = {each: mask_letterbox(grid, placed) for each, grid in raw[0].items()}
    gains = measure_maps(scorer, inputs[0], raw[0], STEPS, options.sampling.seed) if depth == "auto" else {}
    depths = [max(gains, key=lambda each: gains[each].gain)] if gains else list(raw[0])
    used = tuple(layer for layer in layers if layer.depth in depths)
    unsigned, chosen = AttributionOptions(method, used, options.sampling), {each: raw[0][each] for each in depths}
    faithfulness = assess(scorer, inputs[0], chosen, unsigned) if options.faithfulness else {}
    channels = rank_channels(scorer, inputs[0], used, options.channels)
    maps = {each: _depth_map(_layer(classifier, each), [grids[each] for grids in raw], regions) for each in depths}
    return Explanation(pixels, prediction, target, method, maps, placed, gains, faithfulness, channels)


def _depth_map(layer: Layer, grids: Sequence[Floats], regions: Sequence[View]) -> DepthMap:
    """Divide the maps of all views by their common maximum, so that what is stronger looks stronger."""
    clipped_share = _CLIPPED_SHARE if layer.depth == PIXELS else 0
    maximum = max(float(np.quantile(np.abs(grid), 1 - clipped_share)) for grid in grids)
    maximum = maximum or max(float(np.abs(grid).max(initial=0)) for grid in grids)
    region_maps = (RegionMap(view.box, normalise(grid, maximum)) for view, grid in zip(regions, grids[1:], strict=True))
    return DepthMap(layer, normalise(grids[0], maximum), tuple(region_maps))


def _layer(classifier: Classifier, depth: int) -> Layer:
    size_px = classifier.config.preprocessing.size_px
    return Layer(PIXELS, "pixels", 3, (size_px, size_px)) if depth == PIXELS else classifier.config.layers[depth - 1]


def _check_target(method: str, movement: str | None, against: bool) -> None:
    """Raise `UsageError` for a target that a method cannot explain, before anything is computed."""
    if movement and not get_method(method).class_discriminative:
        raise UsageError(f"{method} shows the same whatever the movement; leave the movement out or use gradcam")
    if against and not get_method(method).signed:
        raise UsageError(f"{method} does not tell what speaks for from what speaks against; use gradcam or integrated")


def _select_layers(classifier: Classifier, method: str, depth: Depth) -> tuple[Layer, ...]:
    is_valid = depth in DEPTH_CHOICES or (isinstance(depth, int) and 1 <= depth <= DEPTHS)
    if not is_valid:
        raise UsageError(f"depth is {depth!r}; use 1 (shallow) to {DEPTHS} (deep), or {', '.join(DEPTH_CHOICES)}")
    if get_method(method).reads == "pixels":
        if depth != "all":
            raise UsageError(f"{method} attributes to the pixels and has no depths; leave the depth out")
        return ()
    layers = classifier.config.layers
    if not layers:
        raise ModelError("this model folder has no explained layers; export it again with artnet export")
    if isinstance(depth, int):
        return (layers[depth - 1],)
    return tuple(layer for layer in layers if depth == layer.group) if depth in GROUPS else layers
