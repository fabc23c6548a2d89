"""Overlays: a heatmap blended over the image that it explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from artnet.imaging.encode import thumbnail
from artnet.imaging.views import Placement
from artnet.render.colormap import diverging, sequential

if TYPE_CHECKING:
    from artnet.attribution.explain import Explanation

Floats = NDArray[np.float32]

_BAND_ROWS = 256
_OUTLINE = (213, 94, 0)  # vermilion, which is seen on white, grey and black, by the colour-blind too
_OUTLINE_SHARE = 1 / 300  # of the longer side
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow's grey


@dataclass(frozen=True)
class OverlayStyle:
    """How overlays are drawn: the opacity (0 to 1) where a heatmap is 1, and whether the image keeps its colours."""

    opacity: float = 0.75
    in_colour: bool = False


DEFAULT_STYLE = OverlayStyle()


def overlay(
    image: Image.Image, heatmap: Floats, style: OverlayStyle = DEFAULT_STYLE, signed: bool = False
) -> Image.Image:
    """Blend a heatmap over an image of the same size.

    The image is drawn in grey, so that no colour of its own is taken for the heatmap's, unless the style keeps them.
    Where the heatmap is 0 it stays as it is. Bands of rows are blended in turn, so that a large image is not held
    several times over.

    Args:
        image: RGB, H x W
        heatmap: (H, W), 0 to 1 or -1 to 1
        style: opacity and colour
        signed: use the diverging colour map even where nothing is negative
    """
    pixels = np.asarray(image)
    blended = np.empty_like(pixels)
    apply_colormap = diverging if signed or heatmap.min(initial=0) < 0 else sequential
    for top in range(0, len(pixels), _BAND_ROWS):
        rows, heat = pixels[top : top + _BAND_ROWS].astype(np.float32), heatmap[top : top + _BAND_ROWS]
        if not style.in_colour:
            rows = np.repeat((rows @ _LUMA)[..., None], 3, axis=-1)
        alpha = (np.clip(np.abs(heat), 0, 1) * np.float32(style.opacity))[..., None]
        rows += alpha * (apply_colormap(heat) - rows)
        blended[top : top + _BAND_ROWS] = rows.round().clip(0, 255)
    return Image.fromarray(blended)


def depth_overlay(
    explanation: Explanation,
    depth: int,
    style: OverlayStyle = DEFAULT_STYLE,
    longest_px: int | None = None,
    enlarge: bool = False,
) -> Image.Image:
    """Draw one depth's heatmap over the explained image, at its own size or as a thumbnail of `longest_px`."""
    image = explanation.image if longest_px is None else thumbnail(explanation.image, longest_px, enlarge)
    drawn = overlay(image, explanation.heatmap(depth, image.size), style, explanation.target.against)
    return outline_painting(drawn, explanation.placement)


def outline_painting(image: Image.Image, placement: Placement) -> Image.Image:
    """Draw a line around the painting, on its margins; an image without margins is returned itself."""
    if not placement.has_margins:
        return image
    box = placement.box.scaled(image.width / placement.width, image.height / placement.height)
    width = max(1, round(max(image.size) * _OUTLINE_SHARE))
    outlined = image.copy()
    around = (box.left - width, box.top - width, box.right + width - 1, box.bottom + width - 1)
    ImageDraw.Draw(outlined).rectangle(around, outline=_OUTLINE, width=width)
    return outlined
