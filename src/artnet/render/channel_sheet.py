"""Show what one channel has learnt: a picture that excites it, where this painting does, and patches that do most.

Knows nothing about files but the gallery in the model folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from artnet.attribution.channels import dream, find_channel
from artnet.attribution.exemplars import read_patches
from artnet.attribution.projection import on_painting, scaled, without_bands
from artnet.imaging.decode import open_image
from artnet.imaging.views import WHOLE, extract_views, placement
from artnet.model.classifier import Classifier
from artnet.model.config import Layer
from artnet.model.preprocessing import network_input
from artnet.render.contact_sheet import Sheet, fitted, tiles_sheet
from artnet.render.overlay import overlay

_TILE_PX = 300
STEPS = 128  # of the climb; after twice as many the pictures look the same


@dataclass(frozen=True)
class ShownChannel:
    """A sheet of one channel, with what is to be said of it."""

    sheet: Sheet
    line: str
    facts: dict[str, Any]


def show_channel(
    classifier: Classifier, image: Image.Image | Path | None, channel: str, seed: int = 0, steps: int = STEPS
) -> ShownChannel:
    """Draw one channel, and where `image` excites it if there is one.

    Errors: `UsageError` for a channel that there is not, `ModelError` for a graph that cannot show one.
    """
    layer, index = find_channel(channel, classifier.config)
    picture = open_image(image) if isinstance(image, Path) else image
    dreamt = dream(classifier.engine, classifier.config, layer, index, steps, seed)
    tiles = [("a picture that excites it", Image.fromarray(dreamt.pixels))]
    excitement = {"noise": dreamt.before, "picture": dreamt.after}
    if picture is not None:
        where, excitement["painting"] = _excited(classifier, picture, layer, index)
        tiles.append(("where this painting does", where))
    patches = [] if classifier.folder is None else read_patches(classifier.folder, layer.depth, index)
    if patches:
        tiles.append(("what excites it most in the training set", mosaic([patch.image for patch in patches])))
    title = f"depth {layer.depth}, channel {index}"
    note = f"{layer.name}; excitement {dreamt.before:.2f} at noise, {dreamt.after:.2f} at the picture"
    facts = {
        "depth": layer.depth,
        "channel": index,
        "layer": layer.name,
        "excitement": excitement,
        "patches": [{"painting": patch.painting, "strength": patch.strength} for patch in patches],
    }
    return ShownChannel(tiles_sheet(title, note, tiles), f"{title} ({note})", facts)


def _excited(classifier: Classifier, picture: Image.Image, layer: Layer, channel: int) -> tuple[Image.Image, float]:
    """Draw where a painting excites a channel, and give the channel's mean over it."""
    seen, name = classifier.config.preprocessing, f"activation_{layer.depth}"
    view = extract_views(picture, seen.size_px, seen.fit, (WHOLE,))
    activation = classifier.engine.run(network_input(view, seen), None, [name])[name][0, channel]
    place = placement(picture.width, picture.height, seen.size_px, seen.fit)
    grid = scaled(without_bands(np.maximum(activation, 0), place))
    small = fitted(picture, _TILE_PX)
    return overlay(small, on_painting(grid, place, small.size)), float(activation.mean())


def mosaic(images: list[Image.Image], columns: int = 3) -> Image.Image:
    """Set small pictures of one size in rows."""
    width, height = images[0].size
    gap = 4
    rows = -(-len(images) // columns)
    page = Image.new("RGB", (columns * (width + gap) - gap, rows * (height + gap) - gap), (250, 249, 246))
    for place, image in enumerate(images):
        page.paste(image, (place % columns * (width + gap), place // columns * (height + gap)))
    return page
