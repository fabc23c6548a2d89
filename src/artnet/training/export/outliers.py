"""Images unlike the training paintings, which the OOD detector learns to tell from them (outlier exposure)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from io import BytesIO

import numpy as np
from PIL import Image

from artnet.data.readers.detect import read_catalog
from artnet.data.view_chunks import JPEG_QUALITY
from artnet.errors import ArtNetError, DataError, UsageError
from artnet.imaging.decode import DEFAULT_LIMITS, decode_image
from artnet.imaging.encode import encode_jpeg
from artnet.imaging.views import WHOLE, View, square_view
from artnet.model.config import Preprocessing
from artnet.model.preprocessing import open_views
from artnet.sources.find import find_items
from artnet.sources.item import SourceItem
from artnet.taxonomy import load_taxonomy, normalise_style
from artnet.training.export.synthetic import draw_outliers

SYNTHETIC_IMAGES = 40  # of each kind; drawing one takes 8 ms
_REDUCED_PX = (200, 400)  # shorter side of the smaller copies: that of the collections' own images
_REDUCED_QUALITY = (60, 90)


def outlier_views(folder: str, preprocessing: Preprocessing, styles: Collection[str], seed: int = 0) -> Iterator[View]:
    """Yield the whole views of a collection's images that belong to no movement, each at two sizes.

    The smaller copy is as large and as compressed as collections of paintings are: otherwise sharpness alone would tell
    outliers from them.

    Args:
        folder: images, or any collection that `artnet prepare` reads, of which the styles of no movement count
        preprocessing: of the model
        styles: of the training paintings; their images are no outliers, either
        seed: of the sizes

    Raises:
        UsageError: if no image is left that can be read
    """
    rng, count = np.random.default_rng(seed), 0
    for item in _unknown(folder, styles):
        try:
            image = decode_image(item.read(), item.name)
        except ArtNetError:
            continue  # a broken file tells nothing
        count += 1
        for copy in (image, _reduced(image, rng)):
            yield stored_whole_view(copy, preprocessing)
    if not count:
        raise UsageError(
            f"--outliers {folder}: contains no image that can be read and whose style belongs to no movement; name a "
            "folder of photographs, drawings or other paintings"
        )


def synthetic_views(kind: str, preprocessing: Preprocessing, seed: int = 0) -> Iterator[View]:
    """Yield the whole views of images drawn by code, of one of the kinds of `synthetic`."""
    for image in draw_outliers(kind, SYNTHETIC_IMAGES, seed):
        yield stored_whole_view(image, preprocessing)


def stored_whole_view(image: Image.Image, preprocessing: Preprocessing) -> View:
    """Return the whole view of an image as a prepared dataset would store it."""
    view = open_views(image, preprocessing, (WHOLE,), DEFAULT_LIMITS).whole_view()
    with Image.open(BytesIO(encode_jpeg(view.image, JPEG_QUALITY, subsampling="4:4:4"))) as stored:
        return square_view(WHOLE, stored.convert("RGB"))


def _unknown(folder: str, styles: Collection[str]) -> Iterator[SourceItem]:
    """Yield the images whose style belongs to no movement and to no training painting; those without a style, too."""
    taxonomy, known = load_taxonomy(), {normalise_style(style) for style in styles}
    try:
        records = read_catalog(folder).records
    except DataError:  # images in no folder named by a style, and no table that tells it
        yield from find_items([folder])
        return
    for record in records:
        if taxonomy.movement_of(record.style) is None and normalise_style(record.style) not in known:
            yield SourceItem(record.source, record.location, record.error)


def _reduced(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    scale = int(rng.integers(*_REDUCED_PX)) / min(image.size)
    width, height = (max(1, round(side * min(scale, 1.0))) for side in image.size)
    data = encode_jpeg(image.resize((width, height), Image.Resampling.LANCZOS), int(rng.integers(*_REDUCED_QUALITY)))
    with Image.open(BytesIO(data)) as copy:
        return copy.convert("RGB")
