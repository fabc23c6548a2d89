"""From an image to the network's input: decoding, views, normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.imaging.decode import ImageFile, Limits, decode_image, decode_reduced, read_file, upright_srgb
from artnet.imaging.margins import find_margins
from artnet.imaging.views import WHOLE, Box, View, extract_views
from artnet.model.config import Preprocessing

ImageSource = str | Path | ImageFile | Image.Image


@dataclass(frozen=True)
class OpenedImage:
    """An upright sRGB image with its views.

    Attributes:
        name: name or path, empty where it has none
        image: pixels; of a JPEG maybe at a half, a quarter or an eighth of its size
        size: own width and height in pixels
        box: of the painting without its margins, in pixels of `size`
        views: cut from `image`, with boxes in pixels of `size`
        preprocessing: how they were cut
        file: what `full_image` decodes; None where `image` is it
    """

    name: str
    image: Image.Image
    size: tuple[int, int]
    box: Box
    views: tuple[View, ...]
    preprocessing: Preprocessing
    file: ImageFile | None = None

    def full_image(self) -> Image.Image:
        """Return the image at its own size, decoded again only where it was decoded smaller."""
        if self.file is None or self.image.size == self.size:
            return self.image
        return decode_image(self.file.data, self.file.name, self.file.limits)

    def painting(self) -> Image.Image:
        """Return the pixels of `image` without the margins."""
        box = self.box.scaled(self.image.width / self.size[0], self.image.height / self.size[1])
        return self.image.crop(box.as_tuple())

    def whole_view(self) -> View:
        """Return the view of the whole image, cut here where it is not among `views`."""
        cut = next((view for view in self.views if view.name == WHOLE), None)
        size_px, fit = self.preprocessing.size_px, self.preprocessing.fit
        return cut or extract_views(self.image, size_px, fit, (WHOLE,), self.box)[0]  # at its own size, for the regions


def open_views(
    source: ImageSource, preprocessing: Preprocessing, names: tuple[str, ...], limits: Limits
) -> OpenedImage:
    """Decode an image and cut the named views; `limits` hold for a path, an `ImageFile` has its own.

    For the whole view alone, a JPEG is decoded only as finely as that needs (see `decode_reduced`).
    """
    if isinstance(source, Image.Image):
        image = upright_srgb(source)
        return _opened(image, image.size, names, preprocessing)
    file = source if isinstance(source, ImageFile) else read_file(source, limits)
    if names == (WHOLE,):
        image, size = decode_reduced(file.data, file.name, preprocessing.size_px, file.limits)
    else:
        image = decode_image(file.data, file.name, file.limits)
        size = image.size
    return replace(_opened(image, size, names, preprocessing), name=file.name, file=file)


def _opened(
    image: Image.Image, size: tuple[int, int], names: tuple[str, ...], preprocessing: Preprocessing
) -> OpenedImage:
    """Cut the views of an image that may have been decoded smaller than its `size`."""
    box = find_margins(image) if preprocessing.trim else Box(0, 0, *image.size)
    views = extract_views(image, preprocessing.size_px, preprocessing.fit, names, box)
    if image.size != size:
        box = box.scaled(size[0] / image.width, size[1] / image.height)
        views = tuple(replace(view, box=box) for view in views)  # the whole view alone
    return OpenedImage("", image, size, box, views, preprocessing)


def network_input(views: Sequence[View], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Return views normalised as the network was trained: (N, 3, S, S) float32, (x / 255 - mean) / std."""
    width, height = views[0].image.size
    inputs = np.empty((len(views), 3, height, width), np.float32)
    for view, planes in zip(views, inputs, strict=True):
        for plane, band, mean, std in zip(
            planes, view.image.split(), preprocessing.mean, preprocessing.std, strict=True
        ):
            plane[...] = band  # uint8; then in place, plane by plane: faster than looking each value up
            plane /= np.float32(255)
            plane -= np.float32(mean)
            plane /= np.float32(std)
    return inputs
