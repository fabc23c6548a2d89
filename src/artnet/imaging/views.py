"""Views, the squares that the network sees: the whole painting and five regions, each with its box."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from PIL import Image, ImageStat

from artnet.errors import UsageError

Fit = Literal["letterbox", "stretch"]
FITS: tuple[Fit, ...] = ("letterbox", "stretch")
WHOLE = "whole"
REGIONS = ("top-left", "top-right", "bottom-left", "bottom-right", "centre")
VIEWS = (WHOLE, *REGIONS)
# A painting at least three times as wide as its view is first halved, thirded ... by a box filter, as Pillow's own
# `thumbnail` does: a quarter of the time at two megapixels, for a change of 0.6 to 1.2 levels of 255 on average, about
# what another good filter (Lanczos) changes.
REDUCING_GAP = 1.5
_UNIFORM_LEVELS = 3  # of 255: the noise of a camera or of JPEG on one colour


@dataclass(frozen=True)
class Box:
    """A rectangle in whole pixels: left and top inside, right and bottom just outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        return self.bottom - self.top

    def as_tuple(self) -> tuple[int, int, int, int]:
        """Return (left, top, right, bottom), the order that Pillow uses."""
        return (self.left, self.top, self.right, self.bottom)

    def shifted(self, x: int, y: int) -> Box:
        """Return the box moved to the right by `x` and down by `y`."""
        return Box(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def scaled(self, x: float, y: float) -> Box:
        """Return the box with its horizontal and vertical places multiplied, to whole pixels."""
        return Box(round(self.left * x), round(self.top * y), round(self.right * x), round(self.bottom * y))


@dataclass(frozen=True)
class View:
    """A square image for the network, and the box of the painting that it shows."""

    name: str
    box: Box
    image: Image.Image


@dataclass(frozen=True)
class Placement:
    """Where the painting `box` of an image lies in its whole view: in the box `content` of the view's pixels.

    Attributes:
        width: of the image, in pixels
        height: of the image, in pixels
        size_px: side of the view
        content: in the view's pixels
        box: in the image's pixels, without its margins
    """

    width: int
    height: int
    size_px: int
    content: Box
    box: Box

    @property
    def has_margins(self) -> bool:
        """Return whether some of the image lies outside of the painting."""
        return self.box != Box(0, 0, self.width, self.height)

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the image, in pixels, in the view's pixels."""
        content, box = self.content, self.box
        return (
            content.left + (x - box.left) * content.width / box.width,
            content.top + (y - box.top) * content.height / box.height,
        )

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the view, in pixels, in the image's pixels; the inverse of `to_view`."""
        content, box = self.content, self.box
        return (
            box.left + (x - content.left) * box.width / content.width,
            box.top + (y - content.top) * box.height / content.height,
        )


def check_fit(name: str) -> Fit:
    """Return `name` as a `Fit`; raise `UsageError` for any other."""
    for fit in FITS:
        if fit == name:
            return fit
    raise UsageError(f"fit is {name!r}; use one of {', '.join(FITS)}")


def placement(width: int, height: int, size_px: int, fit: Fit, box: Box | None = None) -> Placement:
    """Return where the painting in an image of `width` x `height` lies in a view of `size_px` x `size_px`.

    `letterbox` keeps the aspect ratio and centres the painting, as the 2020 project did; `stretch` fills the
    square. A side never falls under one pixel.

    Args:
        width: of the image
        height: of the image
        size_px: side of the view
        fit: how the painting fills the view
        box: of the painting in the image, by default all of it
    """
    box = box or Box(0, 0, width, height)
    if fit == "stretch":
        return Placement(width, height, size_px, Box(0, 0, size_px, size_px), box)
    scale = size_px / max(box.width, box.height)
    inner_width = max(1, round(box.width * scale))
    inner_height = max(1, round(box.height * scale))
    left = (size_px - inner_width) // 2
    top = (size_px - inner_height) // 2
    return Placement(width, height, size_px, Box(left, top, left + inner_width, top + inner_height), box)


def region_box(name: str, width: int, height: int, size_px: int) -> Box:
    """Return the box of one region: `size_px` square, or as large a square as the painting holds."""
    side = min(size_px, width, height)
    left, top = {
        "top-left": (0, 0),
        "top-right": (width - side, 0),
        "bottom-left": (0, height - side),
        "bottom-right": (width - side, height - side),
        "centre": ((width - side) // 2, (height - side) // 2),
    }[name]
    return Box(left, top, left + side, top + side)


def without_letterbox(view: View, fit: Fit) -> Image.Image:
    """Return the image of the whole view without the letterbox's bands."""
    box = placement(view.box.width, view.box.height, view.image.width, fit).content
    return view.image if fit == "stretch" else view.image.crop(box.as_tuple())


def whole_view(image: Image.Image, size_px: int, fit: Fit) -> View:
    """Return the whole painting fitted into a square; letterbox bands are black, as in the 2020 project."""
    placed = placement(image.width, image.height, size_px, fit)
    size = placed.content.width, placed.content.height
    content = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=REDUCING_GAP)
    if content.size != (size_px, size_px):
        square = Image.new("RGB", (size_px, size_px))
        square.paste(content, (placed.content.left, placed.content.top))
        content = square
    return View(WHOLE, Box(0, 0, image.width, image.height), content)


def square_view(name: str, image: Image.Image) -> View:
    """Return the view of a square image that was cut before, as a dataset stores it."""
    return View(name, Box(0, 0, image.width, image.height), image)


def region_view(image: Image.Image, name: str, size_px: int) -> View:
    """Return one region at the painting's own resolution; a painting smaller than a view is enlarged."""
    box = region_box(name, image.width, image.height, size_px)
    pixels = image.crop(box.as_tuple())
    if box.width != size_px:
        pixels = pixels.resize((size_px, size_px), Image.Resampling.BICUBIC)
    return View(name, box, pixels)


def extract_views(
    image: Image.Image, size_px: int, fit: Fit, names: tuple[str, ...] = VIEWS, box: Box | None = None
) -> tuple[View, ...]:
    """Return the named views of one painting, in the order named.

    Args:
        image: RGB
        size_px: side of the views
        fit: how the whole painting fills its view
        names: of the views
        box: of the painting in the image, by default all of it; the views' boxes are in the image's pixels, too

    Raises:
        UsageError: for an unknown view or fit
    """
    if box is not None and box != Box(0, 0, *image.size):
        views = extract_views(image.crop(box.as_tuple()), size_px, fit, names)
        return tuple(replace(view, box=view.box.shifted(box.left, box.top)) for view in views)
    fit = check_fit(fit)
    unknown = [name for name in names if name not in VIEWS]
    if unknown:
        raise UsageError(f"unknown view {unknown[0]!r}; use some of {', '.join(VIEWS)}")
    return tuple(
        whole_view(image, size_px, fit) if name == WHOLE else region_view(image, name, size_px) for name in names
    )


def is_uniform(view: View, fit: Fit) -> bool:
    """Return whether a whole view shows one colour and noise: a blank page, a wall, a black frame."""
    left, top, right, bottom = view.box.as_tuple()
    content = placement(right - left, bottom - top, view.image.width, fit).content
    return max(ImageStat.Stat(view.image.crop(content.as_tuple())).stddev) < _UNIFORM_LEVELS
