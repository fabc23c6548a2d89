"""Decoding of image files to upright 8-bit sRGB, within limits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from artnet.errors import (
    CorruptImageError,
    EmptyImageError,
    FormatError,
    ImageError,
    SourceError,
    TooLargeError,
    reason,
)

# Only these are handed to Pillow, so that no rarely used decoder ever sees untrusted bytes.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff"}
    | {".bmp", ".gif", ".avif", ".heic", ".heif", ".hif"}
)

_MAGIC = {
    b"\xff\xd8": "JPEG",
    b"\x89PNG": "PNG",
    b"RIFF": "WebP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"BM": "BMP",
    b"GIF8": "GIF",
}
_ISO_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF"),
}
_REDUCED_SIDES = 2  # as in graph/views.js; `decode_reduced` says why
_SAVE_AGAIN = "fetch it or save it again"
_pillow_limit = threading.Lock()


@dataclass(frozen=True)
class Limits:
    """Limits of an image file in bytes and in declared pixels, checked before anything is decoded."""

    size_bytes: int = 64 * 2**20
    pixels: int = 100_000_000

    def check_size(self, size_bytes: int, name: str) -> None:
        """Raise `EmptyImageError` for a file without content, `TooLargeError` for one over the limit of bytes."""
        if size_bytes == 0:
            raise EmptyImageError(f"{name}: the file is empty")
        if size_bytes > self.size_bytes:
            raise TooLargeError(f"{name}: over the limit of {self.size_bytes / 2**20:.3g} MB; save it smaller first")


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class ImageFile:
    """The encoded bytes of an image file; `name` is what errors and predictions call it."""

    data: bytes
    name: str
    limits: Limits = DEFAULT_LIMITS


def open_image(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Read an image file as an upright 8-bit sRGB image.

    Raises:
        SourceError: for a file that is missing or cannot be read
        ImageError: for one that cannot be decoded or is over the limits
    """
    return decode_image(read_bytes(path, limits), str(path), limits)


def read_file(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> ImageFile:
    """Read an image file without decoding it; errors as those of `read_bytes`."""
    return ImageFile(read_bytes(path, limits), str(path), limits)


def read_bytes(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read a whole file.

    Raises:
        SourceError: for a file that is missing or cannot be read
        EmptyImageError: for one without content
        TooLargeError: for one over the limit of bytes, before a byte of it is read
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise SourceError(f"{path}: is a folder, not an image; name a file in it")
        size = path.stat().st_size
        limits.check_size(size, str(path))
        return path.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file; check the spelling and the folder") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read ({reason(error)})") from error


def decode_image(data: bytes, name: str, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Decode an encoded image: upright, sRGB, 8 bits, transparency laid on white, first frame.

    Args:
        data: the file's bytes
        name: what errors call it
        limits: checked before anything is decoded

    Raises:
        ImageError: for bytes that cannot be decoded or are over the limits; its subclass says why
    """
    limits.check_size(len(data), name)
    with _opened(data, name, limits) as image:
        return _decoded(image, name)


def decode_reduced(
    data: bytes, name: str, side_px: int, limits: Limits = DEFAULT_LIMITS
) -> tuple[Image.Image, tuple[int, int]]:
    """Decode an encoded image, a JPEG only as finely as `side_px` needs.

    A JPEG is decoded at a half, a quarter or an eighth of its size as long as no side falls below twice `side_px`:
    libjpeg then computes averages of neighbouring pixels alone. The static site decodes in full and averages as many
    (`graph/views.js`). Down to `side_px` itself it would take 7, 16 and 32 ms to the view of 1, 4 and 12 megapixels
    in place of 10, 19 and 40 (in full 10, 27 and 63), but libjpeg treats colour differently from lightness, which then
    moved scores by up to 0.011 against the browser's; twice as large by 0.004, and images under that not at all.

    Returns:
        the image, and its full upright (width, height)

    Raises:
        ImageError: as `decode_image`
    """
    limits.check_size(len(data), name)
    with _opened(data, name, limits) as image:
        width, height = image.size
        size = (height, width) if _is_turned(image) else (width, height)
        image.draft(None, (_REDUCED_SIDES * side_px, _REDUCED_SIDES * side_px))
        return _decoded(image, name), size


def upright_srgb(image: Image.Image, name: str = "the image") -> Image.Image:
    """Return any Pillow image turned upright by its EXIF and converted to 8-bit sRGB, as a new image.

    Raises:
        CorruptImageError: for one that was opened lazily and cannot be decoded
        TooLargeError: for one that does not fit into memory
    """
    try:
        own = image.copy()
    except Exception as error:  # a lazy image is decoded here
        raise CorruptImageError(f"{name}: cannot be decoded: {reason(error)}; {_SAVE_AGAIN}") from error
    return _decoded(own, name)


def _decoded(image: Image.Image, name: str) -> Image.Image:
    """Decode, turn upright and convert an image that nobody else holds."""
    try:
        image.load()
        return _to_srgb(_upright(image))
    except MemoryError as error:
        raise TooLargeError(f"{name}: does not fit into memory; scale it down first") from error
    except Exception as error:  # Pillow's decoders raise nearly every built-in class
        raise CorruptImageError(f"{name}: cannot be decoded: {reason(error)}; {_SAVE_AGAIN}") from error


def _to_srgb(image: Image.Image) -> Image.Image:
    """Convert any Pillow mode and colour space to 8-bit sRGB; an RGB image without a profile is returned itself."""
    image = _to_eight_bits(image)
    if image.mode == "La":
        image = image.convert("LA")  # Pillow goes from La to nothing else
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode == "L" and "transparency" in image.info:
        image = image.convert("LA")
    elif image.mode in ("PA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    colour = image.convert(image.mode.removesuffix("A")) if alpha is not None else image
    colour = _to_srgb_colours(colour, image.info.get("icc_profile"))
    if alpha is None:
        return _without_info(colour)
    white = Image.new("RGB", colour.size, "white")
    white.paste(colour, mask=alpha)
    return white


@contextmanager
def _opened(data: bytes, name: str, limits: Limits) -> Iterator[Image.Image]:
    """Open the header, check the declared size and close the image again."""
    try:
        image = _open_header(data)
    except UnidentifiedImageError:
        raise _unreadable(data, name) from None
    except Exception as error:
        raise CorruptImageError(f"{name}: its header cannot be read: {reason(error)}; {_SAVE_AGAIN}") from error
    with image:
        pixels = image.width * image.height
        if pixels > limits.pixels:
            raise TooLargeError(
                f"{name}: declares {image.width} x {image.height} pixels, over the limit of "
                f"{limits.pixels / 1e6:g} megapixels; scale it down first"
            )
        yield image


def _open_header(data: bytes) -> Image.Image:
    """Read the header with Pillow's own limit lifted: ours is checked right after, with a better message."""
    with _pillow_limit:
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            return Image.open(BytesIO(data), formats=_allowed_formats())
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@cache
def _allowed_formats() -> tuple[str, ...]:
    try:
        import pillow_heif
    except ImportError:
        return FORMATS
    pillow_heif.register_heif_opener()
    return (*FORMATS, "HEIF")


def _unreadable(data: bytes, name: str) -> ImageError:
    if not data:
        return EmptyImageError(f"{name}: the file is empty")
    for beginning, label in _MAGIC.items():
        if data.startswith(beginning):
            return CorruptImageError(
                f"{name}: begins like a {label} file but its header is damaged or truncated; {_SAVE_AGAIN}"
            )
    if data[4:8] == b"ftyp" and _ISO_BRANDS.get(data[8:12]) in _allowed_formats():
        return CorruptImageError(f"{name}: begins like an AVIF or HEIC file but is damaged or truncated; {_SAVE_AGAIN}")
    known = ", ".join(_allowed_formats())
    hint = "; HEIC needs pip install 'artnet[heic]'" if data[4:8] == b"ftyp" else ""
    return FormatError(f"{name}: its content is in none of the formats that ArtNet reads ({known}){hint}")


def _upright(image: Image.Image) -> Image.Image:
    with suppress(Exception):  # broken EXIF must not cost a readable image
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _is_turned(image: Image.Image) -> bool:
    """Return whether `_upright` will exchange width and height."""
    with suppress(Exception):
        return int(image.getexif().get(ExifTags.Base.Orientation, 1)) in range(5, 9)
    return False


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Convert integers of 16 and 32 bits and floats to 8 bits; return every other mode as it is."""
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    values = np.asarray(image).astype(np.float64)
    # Integers: 65535 / 257 is 255, exact at both ends. Floats: 0..1 or 0..255, and nothing in the file says which.
    unit = image.mode == "F" and np.nanmax(values, initial=0) <= 1
    scale = 255 if unit else 1 if image.mode == "F" else 1 / 257
    grey = np.nan_to_num((values * scale).round(), nan=0, posinf=255, neginf=0).clip(0, 255)
    out = Image.fromarray(grey.astype(np.uint8))
    out.info = {key: value for key, value in image.info.items() if key != "transparency"}
    return out


def _to_srgb_colours(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert colours by the embedded profile; a profile that cannot be used is ignored."""
    if profile or image.mode == "LAB":
        try:
            if image.mode == "1":
                image = image.convert("L")
            source = ImageCms.ImageCmsProfile(BytesIO(profile)) if profile else ImageCms.createProfile("LAB")
            managed = ImageCms.profileToProfile(image, source, _srgb(), outputMode="RGB")
            if managed is not None:
                return managed
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image if image.mode == "RGB" else image.convert("RGB")


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _without_info(image: Image.Image) -> Image.Image:
    """Drop EXIF and profile, so that nothing is applied a second time."""
    image.info = {}
    return image
