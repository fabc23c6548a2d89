"""Decoding of image files to upright 8-bit sRGB, within limits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from artnet.errors import (
    CorruptImageError,
    EmptyImageError,
    FormatError,
    ImageError,
    SourceError,
    TooLargeError,
    UnsupportedImageError,
    reason,
)
from artnet.imaging import tiff

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
    **dict.fromkeys(tiff.MAGIC, "TIFF"),
    b"BM": "BMP",
    b"GIF8": "GIF",
}
_ISO_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF"),
}
_REDUCED_SIDES = 2  # as in graph/views.js; `decode_reduced` says why
_SAVE_AS = "save it as JPEG or PNG first"
# What others are called, how they begin, and what to do with them.
_FOREIGN = (
    ("JPEG 2000", (b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51"), _SAVE_AS),
    ("JPEG XL", (b"\x00\x00\x00\x0cJXL ", b"\xff\x0a"), _SAVE_AS),
    ("a PDF document", (b"%PDF",), "save the page with the painting as JPEG or PNG"),
    ("PostScript", (b"%!PS",), "save the page with the painting as JPEG or PNG"),
    ("a Photoshop document", (b"8BPS",), _SAVE_AS),
    (
        "a camera's raw file",
        (b"FUJIFILMCCD-RAW", b"IIU\x00", b"IIRO", b"IIRS"),
        "develop it and save it as JPEG or TIFF",
    ),
)
_MARKUP = ((b"<svg", "an SVG drawing", "export it as PNG first"), (b"<html", "a web page", "download the image itself"))
_RAW = "is a camera's raw file, of which only a small preview could be read; develop it and save it as JPEG or TIFF"
_RLE4 = 2
_EOI = b"\xff\xd9"
_SAVE_AGAIN = "fetch it or save it again"
_pillow_limit = threading.Lock()
logger = logging.getLogger(__name__)


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
        try:
            return _decoded(image, name)
        except CorruptImageError:
            if not _lacks_only_its_end(data):
                raise
    return decode_image(_with_end(data, name), name, limits)


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
        is_turned = _is_turned(image)
        is_reduced = image.draft(None, (_REDUCED_SIDES * side_px, _REDUCED_SIDES * side_px)) is not None
        try:
            decoded = _decoded(image, name)
        except CorruptImageError:
            if not _lacks_only_its_end(data):
                raise
            return decode_reduced(_with_end(data, name), name, side_px, limits)
        # Only JPEG is reduced. Some other readers turn an image themselves: its size is then that of the upright one.
        size = ((height, width) if is_turned else (width, height)) if is_reduced else decoded.size
        return decoded, size


def _lacks_only_its_end(data: bytes) -> bool:
    """Return whether a JPEG that cannot be decoded is whole but for its end marker, EOI (ITU-T T.81, section B.1.1.3).

    Where coded pixels are missing too, what is put in their place changes the image.
    """
    if not data.startswith(b"\xff\xd8") or data.endswith(_EOI):
        return False
    decoded = []
    for filler in (b"", b"\xaa\x55\xaa\x55", b"\xf0\x0f\xf0\x0f"):
        try:
            with Image.open(BytesIO(data.removesuffix(b"\xff") + filler + _EOI), formats=("JPEG",)) as image:
                decoded.append(image.tobytes())
        except Exception:  # Pillow's decoders raise nearly every built-in class
            return False
    return decoded[0] == decoded[1] == decoded[2]


def _with_end(data: bytes, name: str) -> bytes:
    logger.warning("%s: lacks its last bytes, the end marker of JPEG; it was read all the same", name)
    return data.removesuffix(b"\xff") + _EOI


def upright_srgb(image: Image.Image, name: str = "the image") -> Image.Image:
    """Return any Pillow image turned upright by its EXIF and converted to 8-bit sRGB, as a new image.

    Raises:
        CorruptImageError: for one that was opened lazily and cannot be decoded
        TooLargeError: for one that does not fit into memory
    """
    levels = _grey_levels(image)
    try:
        own = image.copy()
    except Exception as error:  # a lazy image is decoded here
        raise CorruptImageError(f"{name}: cannot be decoded: {reason(error)}; {_SAVE_AGAIN}") from error
    return _decoded(own, name, levels)


def _decoded(image: Image.Image, name: str, levels: tuple[float, float] | None = None) -> Image.Image:
    """Decode, turn upright and convert an image that nobody else holds; `levels` as `_to_eight_bits`."""
    try:
        levels = levels or _grey_levels(image)
        image.load()
        return _to_srgb(_to_eight_bits(_upright(image), levels))
    except MemoryError as error:
        raise TooLargeError(f"{name}: does not fit into memory; scale it down first") from error
    except Exception as error:  # Pillow's decoders raise nearly every built-in class
        raise CorruptImageError(f"{name}: cannot be decoded: {reason(error)}; {_SAVE_AGAIN}") from error


def _to_srgb(image: Image.Image) -> Image.Image:
    """Convert any Pillow mode of 8 bits and colour space to sRGB; an RGB image without a profile is returned itself."""
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
        _check_kind(image, data, name)
        yield image


def _check_kind(image: Image.Image, data: bytes, name: str) -> None:
    """Refuse what Pillow opens and then decodes to something else than the picture."""
    if isinstance(image, TiffImageFile):
        if tiff.is_raw(image.tag_v2, data):
            raise UnsupportedImageError(f"{name}: {_RAW}")
        if tiff.misread(image.tag_v2):
            raise _unsupported_tiff(image.tag_v2, name)
    if image.format == "BMP" and image.info.get("compression") == _RLE4:
        raise UnsupportedImageError(f"{name}: is a BMP compressed by RLE4, which ArtNet does not read; {_SAVE_AS}")


def _unsupported_tiff(tags: tiff.Tags, name: str) -> UnsupportedImageError:
    return UnsupportedImageError(
        f"{name}: is a TIFF with {tiff.describe(tags)}, which ArtNet does not read; save it as RGB of 8 bits a channel"
    )


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
    tags = tiff.read_tags(data) if data.startswith(tiff.MAGIC) else None
    if tags is not None:
        return UnsupportedImageError(f"{name}: {_RAW}") if tiff.is_raw(tags, data) else _unsupported_tiff(tags, name)
    for kind, beginnings, advice in _FOREIGN:
        if data.startswith(beginnings):
            return FormatError(f"{name}: is {kind}, which ArtNet does not read; {advice}")
    for mark, kind, advice in _MARKUP:
        if mark in data[:1024].lower():
            return FormatError(f"{name}: is {kind}, not a picture of pixels; {advice}")
    for beginning, label in _MAGIC.items():
        if data.startswith(beginning):
            return CorruptImageError(
                f"{name}: begins like a {label} file but its header is damaged or truncated; {_SAVE_AGAIN}"
            )
    brand = _ISO_BRANDS.get(data[8:12]) if data[4:8] == b"ftyp" else None
    if brand in _allowed_formats():
        return CorruptImageError(f"{name}: begins like an AVIF or HEIC file but is damaged or truncated; {_SAVE_AGAIN}")
    if brand == "HEIF":
        return FormatError(f"{name}: is a HEIC file, which is read here once the extra heic is installed; {_SAVE_AS}")
    known = ", ".join(_allowed_formats())
    return FormatError(f"{name}: its content is in none of the formats that ArtNet reads ({known})")


def _upright(image: Image.Image) -> Image.Image:
    with suppress(Exception):  # broken EXIF must not cost a readable image
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _is_turned(image: Image.Image) -> bool:
    """Return whether `_upright` will exchange width and height."""
    with suppress(Exception):
        return int(image.getexif().get(ExifTags.Base.Orientation, 1)) in range(5, 9)
    return False


def _grey_levels(image: Image.Image) -> tuple[float, float]:
    """Return the stored values of black and white; of floats, only whether 0 is black or white."""
    return tiff.grey_levels(image) if isinstance(image, TiffImageFile) else (0.0, 65535.0)


def _to_eight_bits(image: Image.Image, levels: tuple[float, float]) -> Image.Image:
    """Convert integers of 12 to 32 bits and floats to 8 bits; return every other mode as it is.

    Args:
        image: of any mode
        levels: the values that are black and white
    """
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    stored, (black, white) = np.asarray(image), levels
    if image.mode == "I" and max(levels) > 2**31:
        stored = stored.view(np.uint32)  # Pillow has only signed ones
    values = stored.astype(np.float64)
    if image.mode == "F":  # 0..1 or 0..255, and nothing in the file says which
        full = 1.0 if np.nanmax(values, initial=0) <= 1 else 255.0
        black, white = (full, 0.0) if black > white else (0.0, full)
    grey = ((values - black) * 255 / (white - black)).round()
    grey = np.nan_to_num(grey, nan=0, posinf=255, neginf=0).clip(0, 255)
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
