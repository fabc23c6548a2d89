"""Channel sheets: what one channel has learnt, as a feature visualization, a heatmap and exemplars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from artnet.attribution.channels import parse_channel
from artnet.attribution.exemplars import read_patches
from artnet.attribution.feature_visualization import visualize_feature
from artnet.attribution.projection import mask_letterbox, normalise, project_to_image
from artnet.imaging.encode import thumbnail
from artnet.imaging.views import placement
from artnet.model.classifier import Classifier
from artnet.model.config import Layer
from artnet.model.preprocessing import OpenedImage, network_input
from artnet.render.contact_sheet import Sheet, tile_sheet
from artnet.render.overlay import outline_painting, overlay

_TILE_PX = 300
_MOSAIC_COLUMNS, _MOSAIC_GAP_PX = 3, 4
STEPS = 128  # of gradient ascent; after twice as many the images look the same


@dataclass(frozen=True)
class ChannelSheet:
    """A channel's sheet, a one-line `summary` of it and the JSON object that `artnet explain --channel` prints."""

    sheet: Sheet
    summary: str
    details: dict[str, Any]


def channel_sheet(
    classifier: Classifier, image: OpenedImage | None, channel: str, seed: int = 0, steps: int = STEPS
) -> ChannelSheet:
    """Show what one channel has learnt, and where it is active in `image` if there is one.

    Args:
        classifier: model of the channel; exemplars come from its folder
        image: a painting, opened by the classifier
        channel: depth:index, such as 4:17
        seed: of the feature visualization
        steps: of gradient ascent

    Raises:
        UsageError: for an unknown channel
        ModelError: for a graph without the output `gradient_channels`
    """
    layer, index = parse_channel(channel, classifier.config)
    visualization = visualize_feature(classifier, layer, index, steps, seed)
    activation = {"noise": visualization.start_activation, "visualization": visualization.activation}
    tiles = [("what activates it most", Image.fromarray(visualization.pixels))]
    if image is not None:
        heatmap, activation["image"] = _activation_overlay(classifier, image, layer, index)
        tiles.append(("where it is active in this painting", heatmap))
    patches = [] if classifier.folder is None else read_patches(classifier.folder, layer.depth, index)
    if patches:
        tiles.append(("its strongest patches in the training set", _mosaic([patch.image for patch in patches])))
    title = f"depth {layer.depth}, channel {index}"
    note = (
        f"{layer.name}; mean activation {activation['noise']:.2f} for noise, {activation['visualization']:.2f} for the "
        "feature visualization"
    )
    details = {
        "depth": layer.depth,
        "channel": index,
        "layer": layer.name,
        "activation": activation,
        "patches": [{"painting": patch.painting, "strength": patch.strength} for patch in patches],
    }
    return ChannelSheet(tile_sheet(title, note, tiles), f"{title} ({note})", details)


def _activation_overlay(
    classifier: Classifier, opened: OpenedImage, layer: Layer, channel: int
) -> tuple[Image.Image, float]:
    """Draw where a channel is active in an image, and return its mean activation."""
    preprocessing, name = classifier.config.preprocessing, f"activation_{layer.depth}"
    views = network_input((opened.whole_view(),), preprocessing)
    activation = classifier.engine.run(views, None, [name])[name][0, channel]
    placed = placement(*opened.size, preprocessing.size_px, preprocessing.fit, opened.box)
    grid = normalise(mask_letterbox(np.maximum(activation, 0), placed))
    small = thumbnail(opened.image, _TILE_PX, enlarge=True)
    drawn = overlay(small, project_to_image(grid, placed, small.size))
    return outline_painting(drawn, placed), float(activation.mean())


def _mosaic(images: list[Image.Image]) -> Image.Image:
    """Arrange images of one size in rows."""
    width, height = (side + _MOSAIC_GAP_PX for side in images[0].size)
    rows = -(-len(images) // _MOSAIC_COLUMNS)
    page = Image.new("RGB", (_MOSAIC_COLUMNS * width - _MOSAIC_GAP_PX, rows * height - _MOSAIC_GAP_PX), (250, 249, 246))
    for index, image in enumerate(images):
        page.paste(image, (index % _MOSAIC_COLUMNS * width, index // _MOSAIC_COLUMNS * height))
    return page
