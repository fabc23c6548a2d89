"""Random augmentation of training views that preserves the evidence of style.

Hue is never changed: the palette is evidence (Fauvism!). Paintings are never rotated or sheared: the direction of
strokes and of light is evidence too.
"""

from __future__ import annotations

import math
from io import BytesIO

import numpy as np
from PIL import Image, ImageEnhance

Generator = np.random.Generator


def augment(image: Image.Image, size_px: int, smallest_crop: float, reencode: bool, rng: Generator) -> Image.Image:
    """Return a random crop of `size_px` squared, perhaps mirrored, with another exposure.

    Args:
        image: RGB
        size_px: side of the result
        smallest_crop: smallest area of the crop, as a share of the image's
        reencode: whether resolution and JPEG artefacts are varied, too
        rng: where all randomness comes from
    """
    if reencode:
        image = reduce_resolution(image, rng)
    image = random_crop(image, size_px, smallest_crop, rng)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = jitter_exposure(image, rng)
    return random_jpeg(image, rng) if reencode else image


def random_crop(image: Image.Image, size_px: int, smallest: float, rng: Generator) -> Image.Image:
    """Crop `smallest` to 1 of the area with an aspect ratio of 3:4 to 4:3, and resize it to a square.

    Szegedy et al., "Going deeper with convolutions", 2015, section 6.
    """
    area = image.width * image.height * rng.uniform(smallest, 1)
    aspect = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
    width = min(image.width, max(1, round(math.sqrt(area * aspect))))
    height = min(image.height, max(1, round(math.sqrt(area / aspect))))
    left = int(rng.integers(0, image.width - width + 1))
    top = int(rng.integers(0, image.height - height + 1))
    return image.resize((size_px, size_px), Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))


def jitter_exposure(image: Image.Image, rng: Generator) -> Image.Image:
    """Vary brightness, contrast and saturation by up to a fifth, as photographs of one painting do."""
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(float(rng.uniform(0.8, 1.2)))
    return image


def reduce_resolution(image: Image.Image, rng: Generator) -> Image.Image:
    """With probability one half, shrink the image to 50 to 100 % and enlarge it again.

    Where collections differ in resolution, sharpness alone predicts the movement; this removes that cue.
    """
    if rng.random() < 0.5:
        return image
    share = rng.uniform(0.5, 1)
    small = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    return image.resize(small, Image.Resampling.BILINEAR).resize(image.size, Image.Resampling.BICUBIC)


def random_jpeg(image: Image.Image, rng: Generator) -> Image.Image:
    """With probability one half, encode as JPEG of quality 40 to 95, so that artefacts identify no collection."""
    if rng.random() < 0.5:
        return image
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=int(rng.integers(40, 96)))
    with Image.open(buffer) as decoded:
        return decoded.convert("RGB")
