"""Every readable format comes out upright, sRGB and 8 bits; everything else ends in an error that names the file."""

import struct
import zlib
from contextlib import suppress
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from artnet.errors import (
    ArtNetError,
    CorruptImageError,
    EmptyImageError,
    FormatError,
    ImageError,
    SourceError,
    TooLargeError,
    UnsupportedImageError,
)
from artnet.imaging.decode import SUFFIXES, Limits, decode_image, decode_reduced, open_image, read_bytes, upright_srgb

DATA = Path(__file__).parent.parent.parent.parent / "../shared/data"
LOSSLESS = ("PNG", "TIFF", "BMP", "GIF")
LOSSY = ("JPEG", "WEBP", "AVIF")
ORIENTATION = 0x0112
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
# Where the stored top-left corner of a wide image belongs, and whether the upright image stands tall:
# EXIF 2.32, section 4.6.4, tag 0112.
UPRIGHT = {
    1: ("top-left", False),
    2: ("top-right", False),
    3: ("bottom-right", False),
    4: ("bottom-left", False),
    5: ("top-left", True),
    6: ("top-right", True),
    7: ("bottom-right", True),
    8: ("bottom-left", True),
}
FUZZ = settings(deadline=None, max_examples=120)
SMALL = Limits(pixels=1_000_000)  # damage can turn a small image into a huge one
# Pillow warns of the damage that these tests do on purpose; what counts here is which exceptions come out.
damaged = pytest.mark.filterwarnings("ignore::UserWarning")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def heic(image: Image.Image, **options: object) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason="runs with pillow-heif: pip install '.[heic]'")
    buffer = BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=95, **options)
    return buffer.getvalue()


def cornered() -> Image.Image:
    """Paint a wide blue image with a red top-left corner, in blocks that survive JPEG."""
    image = Image.new("RGB", (48, 32), BLUE)
    image.paste(RED, (0, 0, 16, 16))
    return image


def red_corner(image: Image.Image) -> str:
    right, bottom = image.width - 6, image.height - 6
    places = {"top-left": (6, 6), "top-right": (right, 6), "bottom-left": (6, bottom), "bottom-right": (right, bottom)}
    reds = [name for name, place in places.items() if np.subtract(image.getpixel(place), BLUE)[0] > 128]
    assert len(reds) == 1, reds
    return reds[0]


def oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def noise(size: int = 48) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8))


def one_pixel(image: Image.Image, kind: str = "PNG", **options: object) -> tuple[int, ...]:
    pixel = decode_image(encoded(image, kind, **options), "one").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def swapped_profile() -> bytes:
    """Make an sRGB profile whose red primary is green and whose green primary is red."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"xxxx").replace(b"gXYZ", b"rXYZ").replace(b"xxxx", b"gXYZ")


def linear_grey_profile() -> bytes:
    """Make the smallest profile of a grey whose values are proportional to light (ICC.1:2001-04, section 6)."""
    white = struct.pack(">3i", 63190, 65536, 54061)  # D50
    tags = {b"wtpt": b"XYZ " + bytes(4) + white, b"kTRC": b"curv" + bytes(4) + struct.pack(">IHxx", 1, 256)}
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(value))
        body += value
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4xI12s12x4s28x12s48x", size, 0x02100000, b"mntrGRAYXYZ ", b"acsp", white)
    return header + table + body


# Formats


@pytest.mark.parametrize("kind", LOSSLESS)
def test_a_lossless_image_comes_back_pixel_for_pixel(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "painting"
    path.write_bytes(encoded(cornered(), kind))
    image = open_image(path)
    assert (image.mode, image.size) == ("RGB", (48, 32))
    assert np.array_equal(np.asarray(image), np.asarray(cornered()))


@pytest.mark.parametrize("kind", LOSSY)
def test_a_lossy_image_comes_back_as_rgb_and_nearly_the_same(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "painting"
    path.write_bytes(encoded(cornered(), kind, quality=95))
    image = open_image(path)
    assert (image.mode, image.size, red_corner(image)) == ("RGB", (48, 32), "top-left")
    assert np.abs(np.asarray(image, int) - np.asarray(cornered(), int)).mean() < 6


def test_a_phones_heic_opens_as_rgb() -> None:
    image = decode_image(heic(cornered()), "phone.heic")
    assert (image.mode, image.size, red_corner(image)) == ("RGB", (48, 32), "top-left")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    with Image.open(BytesIO(data)) as stored:
        assert stored.n_frames == 3  # or the test would prove nothing
    pixel = decode_image(data, "moving").getpixel((4, 4))
    assert pixel == pytest.approx(RED, abs=3)


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(encoded(cornered(), "PNG"))
    assert open_image(path).size == (48, 32)


def test_suffixes_are_lower_case_and_begin_with_a_dot() -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)
    assert {".jpg", ".png", ".webp", ".tif", ".bmp", ".gif", ".avif", ".heic"} <= SUFFIXES


# Orientation


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_each_exif_orientation_comes_upright(kind: str, orientation: int) -> None:
    image = decode_image(encoded(cornered(), kind, exif=oriented(orientation)), "turned")
    corner, tall = UPRIGHT[orientation]
    assert image.size == ((32, 48) if tall else (48, 32))
    assert red_corner(image) == corner


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_phones_heic_comes_upright(orientation: int) -> None:
    image = decode_image(heic(cornered(), exif=oriented(orientation).tobytes()), "phone.heic")
    corner, tall = UPRIGHT[orientation]
    assert image.size == ((32, 48) if tall else (48, 32))
    assert red_corner(image) == corner


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_left_aside(orientation: int) -> None:
    image = decode_image(encoded(cornered(), "JPEG", exif=oriented(orientation)), "odd")
    assert (image.size, red_corner(image)) == ((48, 32), "top-left")


@damaged
@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0rubbish", b"Exif\0\0MM\0*\xff\xff\xff\xff"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_costs_no_image(kind: str, exif: bytes) -> None:
    image = decode_image(encoded(cornered(), kind, exif=exif), "odd")
    assert (image.size, red_corner(image)) == ((48, 32), "top-left")


def test_nothing_is_left_that_could_be_applied_a_second_time() -> None:
    exif, profile = oriented(6), swapped_profile()
    image = decode_image(encoded(cornered(), "JPEG", exif=exif, icc_profile=profile), "turned")
    assert image.info == {}
    assert dict(image.getexif()) == {}
    assert np.array_equal(np.asarray(upright_srgb(image)), np.asarray(image))


# Colour


def test_an_embedded_profile_is_converted() -> None:
    image = Image.new("RGB", (1, 1), RED)
    assert one_pixel(image) == RED
    assert one_pixel(image, icc_profile=swapped_profile()) == pytest.approx(GREEN, abs=2)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_each_format_that_carries_a_profile_has_it_converted(kind: str) -> None:
    data = encoded(Image.new("RGB", (16, 16), (200, 60, 30)), kind, icc_profile=swapped_profile())
    red, green, _ = np.asarray(decode_image(data, "swapped"), int).reshape(-1, 3).mean(0)
    assert green - red > 80


def test_an_srgb_profile_changes_next_to_nothing() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = decode_image(encoded(noise(), "PNG", icc_profile=profile), "srgb")
    assert np.abs(np.asarray(image, int) - np.asarray(noise(), int)).max() <= 2


def test_a_profile_of_the_palettes_and_the_transparents_colours_is_converted() -> None:
    palette = Image.new("RGB", (1, 1), RED).quantize(2)
    see_through = Image.new("RGBA", (1, 1), (*RED, 255))
    assert one_pixel(palette, icc_profile=swapped_profile()) == pytest.approx(GREEN, abs=2)
    assert one_pixel(see_through, icc_profile=swapped_profile()) == pytest.approx(GREEN, abs=2)


@pytest.mark.parametrize("image", [Image.new("L", (1, 1), 100), Image.new("LA", (1, 1), (100, 255))])
def test_a_grey_profile_is_converted_with_transparency_as_without(image: Image.Image) -> None:
    # by hand: light 100 / 255 = 0.392; sRGB 1.055 * 0.392^(1/2.4) - 0.055 = 0.659; 0.659 * 255 = 168
    assert one_pixel(image, icc_profile=linear_grey_profile()) == pytest.approx((168,) * 3, abs=1)


@pytest.mark.parametrize("profile", [b"rubbish", swapped_profile()[:200], swapped_profile()[:128]])
def test_a_profile_that_cannot_be_used_is_left_aside(profile: bytes) -> None:
    assert one_pixel(Image.new("RGB", (1, 1), RED), icc_profile=profile) == RED


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "CMYK"])
def test_a_profile_for_other_channels_than_the_image_has_is_left_aside(mode: str) -> None:
    data = encoded(Image.new(mode, (4, 4)), "TIFF", icc_profile=swapped_profile())
    plain = encoded(Image.new(mode, (4, 4)), "TIFF")
    assert np.array_equal(np.asarray(decode_image(data, "odd")), np.asarray(decode_image(plain, "plain")))


def test_lab_becomes_srgb() -> None:
    assert one_pixel(Image.new("LAB", (1, 1), (255, 128, 128)), "TIFF") == pytest.approx(WHITE, abs=2)
    red, green, blue = one_pixel(Image.new("LAB", (1, 1), (140, 208, 190)), "TIFF")
    assert red > 150
    assert max(green, blue) < 100


@pytest.mark.parametrize(
    ("ink", "colour"), [((0, 255, 255, 0), RED), ((0, 0, 0, 0), WHITE), ((0, 0, 0, 255), (0,) * 3)]
)
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(kind: str, ink: tuple[int, ...], colour: tuple[int, ...]) -> None:
    image = decode_image(encoded(Image.new("CMYK", (16, 16), ink), kind), "print")
    assert image.mode == "RGB"
    assert image.getpixel((8, 8)) == pytest.approx(colour, abs=3)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP"])
def test_a_palette_is_looked_up(kind: str) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, 10, 20, 30])
    image.putpixel((1, 0), 1)
    decoded = decode_image(encoded(image, kind), "palette")
    assert [decoded.getpixel((x, 0)) for x in (0, 1)] == [RED, (10, 20, 30)]


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_palettes_transparent_colour_is_white(kind: str) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putpixel((1, 0), 1)
    decoded = decode_image(encoded(image, kind, transparency=1), "palette")
    assert [decoded.getpixel((x, 0)) for x in (0, 1)] == [RED, WHITE]


@pytest.mark.parametrize(("alpha", "expected"), [(255, (200, 100, 0)), (0, WHITE), (51, (244, 224, 204))])
def test_transparency_is_laid_on_white(alpha: int, expected: tuple[int, ...]) -> None:
    # by hand for alpha 51 = 1/5: 200/5 + 255*4/5 = 244, 100/5 + 204 = 224, 0 + 204 = 204
    assert one_pixel(Image.new("RGBA", (1, 1), (200, 100, 0, alpha))) == expected


@pytest.mark.parametrize(("alpha", "grey"), [(255, 100), (0, 255), (51, 224)])
def test_grey_with_transparency_is_laid_on_white(alpha: int, grey: int) -> None:
    assert one_pixel(Image.new("LA", (1, 1), (100, alpha))) == (grey, grey, grey)


def test_the_one_transparent_colour_of_an_rgb_png_is_white() -> None:
    image = Image.new("RGB", (2, 1), RED)
    image.putpixel((1, 0), BLUE)
    decoded = decode_image(encoded(image, "PNG", transparency=BLUE), "keyed")
    assert [decoded.getpixel((x, 0)) for x in (0, 1)] == [RED, WHITE]


@pytest.mark.parametrize(("stored", "grey"), [(0, 0), (257, 1), (32896, 128), (51400, 200), (65535, 255)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(kind: str, stored: int, grey: int) -> None:
    image = Image.fromarray(np.full((1, 1), stored, np.uint16))
    assert one_pixel(image, kind) == (grey, grey, grey)


def test_a_big_endian_sixteen_bit_tiff_gives_the_same_grey() -> None:
    assert one_pixel(Image.new("I;16B", (1, 1), 32896), "TIFF") == (128, 128, 128)


def test_sixteen_bits_a_channel_come_down_to_eight() -> None:
    data = png_of(1, 1, 16, 2, b"\0" + struct.pack(">HHH", 65535, 32896, 0))
    assert decode_image(data, "deep").getpixel((0, 0)) == (255, 128, 0)


def test_one_bit_is_black_and_white() -> None:
    image = Image.new("1", (2, 1))
    image.putpixel((1, 0), 1)
    decoded = decode_image(encoded(image, "PNG"), "line")
    assert [decoded.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 0), WHITE]


def test_grey_is_three_times_itself() -> None:
    assert one_pixel(Image.new("L", (1, 1), 77)) == (77, 77, 77)


@pytest.mark.parametrize(
    ("stored", "greys"),
    [
        ((0.0, 0.5, 1.0), (0, 128, 255)),  # 0.5 * 255 = 127.5, to the even neighbour 128
        ((0.0, 128.0, 255.0), (0, 128, 255)),
        ((-1.0, 0.2, 1.0), (0, 51, 255)),
        ((np.nan, np.inf, -np.inf), (0, 255, 0)),
    ],
)
def test_a_float_tiff_is_read_as_0_to_1_or_0_to_255(stored: tuple[float, ...], greys: tuple[int, ...]) -> None:
    decoded = decode_image(encoded(Image.fromarray(np.array([stored], np.float32)), "TIFF"), "float")
    assert [decoded.getpixel((x, 0)) for x in range(3)] == [(grey, grey, grey) for grey in greys]


MODES = (
    "1",
    "L",
    "LA",
    "La",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "RGBX",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "I;16",
    "F",
)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_becomes_rgb_of_the_same_size(mode: str) -> None:
    image = upright_srgb(Image.new(mode, (3, 2)))
    assert (image.mode, image.size) == ("RGB", (3, 2))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_converting_leaves_the_given_image_as_it_was(mode: str) -> None:
    image = Image.new(mode, (3, 2))
    image.info = {"dpi": (72, 72), "comment": "mine"}
    before = image.tobytes()
    upright_srgb(image).putpixel((0, 0), GREEN)
    assert image.info == {"dpi": (72, 72), "comment": "mine"}
    assert image.tobytes() == before


# Budgets


def test_a_small_file_that_declares_a_huge_image_is_refused_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(30_000, 30_000, 8, 2, bytes(1000)))  # far too few rows: decoding would say "truncated"
    assert path.stat().st_size < 1024
    with pytest.raises(TooLargeError, match=r"bomb\.png: declares 30000 x 30000 pixels"):
        open_image(path)


def test_a_gif_whose_frame_is_larger_than_its_screen_is_refused() -> None:
    screen, frame = struct.pack("<HHBBB", 1, 1, 0, 0, 0), struct.pack("<HHHHB", 0, 0, 30_000, 30_000, 0)
    data = b"GIF89a" + screen + b"," + frame + b"\x02\x01\x00\x00;"
    with pytest.raises(TooLargeError, match=r"bomb\.gif"):
        decode_image(data, "bomb.gif")


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 1600))
@settings(deadline=None, max_examples=60)
def test_the_limit_of_pixels_is_kept_to_the_pixel(width: int, height: int, pixels: int) -> None:
    data = png_of(width, height, 8, 0, bytes(height * (width + 1)))
    try:
        image = decode_image(data, "some.png", Limits(pixels=pixels))
    except TooLargeError:
        assert width * height > pixels
    else:
        assert image.size == (width, height)
        assert width * height <= pixels


def test_an_image_over_pillows_own_limit_opens_within_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert decode_image(encoded(cornered(), "PNG"), "large").size == (48, 32)


def test_a_file_over_the_limit_of_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(65 * 2**20)  # sparse: takes no room, and reading it would be noticed
    with pytest.raises(TooLargeError, match=r"huge\.jpg: over the limit of 64 MB; save it smaller first"):
        open_image(path)


def test_the_limit_of_bytes_is_kept_to_the_byte() -> None:
    data = encoded(cornered(), "PNG")
    assert decode_image(data, "fits", Limits(size_bytes=len(data))).size == (48, 32)
    with pytest.raises(TooLargeError, match="one-over"):
        decode_image(data, "one-over", Limits(size_bytes=len(data) - 1))


@pytest.mark.parametrize("data", [encoded(cornered(), "PNG"), b"\x89PNG", b"text", png_of(30_000, 30_000, 8, 2, b"")])
def test_pillows_own_limit_stays_as_it_was(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 123_456)
    with suppress(ImageError):
        decode_image(data, "some")
    assert Image.MAX_IMAGE_PIXELS == 123_456


# Refusals


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "nothing.jpg"
    path.touch()
    with pytest.raises(EmptyImageError, match=r"nothing\.jpg: the file is empty"):
        open_image(path)


def test_a_text_called_jpg_is_no_format(tmp_path: Path) -> None:
    path = tmp_path / "letter.jpg"
    path.write_text("Dear Theo,", encoding="utf-8")
    with pytest.raises(FormatError, match=r"letter\.jpg: .*JPEG, PNG"):
        open_image(path)


@pytest.mark.parametrize("kind", ["PPM", "PCX", "TGA", "SGI", "ICO", "DDS", "EPS", "JPEG2000"])
def test_a_format_outside_the_list_is_refused_though_pillow_reads_it(kind: str) -> None:
    data = encoded(Image.new("RGB", (16, 16), RED), kind)
    with Image.open(BytesIO(data)) as stored:
        assert stored.size == (16, 16)
    with pytest.raises(FormatError, match="rare"):
        decode_image(data, "rare")


@pytest.mark.parametrize("kind", [*LOSSLESS, *LOSSY])
def test_a_truncated_image_is_called_corrupt(kind: str, tmp_path: Path) -> None:
    data = encoded(noise(), kind)
    path = tmp_path / f"half.{kind.lower()}"
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(CorruptImageError, match=r"half\."):
        open_image(path)


@pytest.mark.parametrize("kind", [*LOSSLESS, *LOSSY])
def test_an_image_cut_within_its_header_is_called_corrupt(kind: str) -> None:
    with pytest.raises(CorruptImageError, match="stump"):
        decode_image(encoded(noise(), kind)[:20], "stump")


@pytest.mark.skipif(find_spec("pillow_heif") is not None, reason="is read where pillow-heif is installed")
def test_a_heic_that_is_not_read_here_is_named_with_what_to_do() -> None:
    with pytest.raises(FormatError, match=r"phone: is a HEIC file, .* the extra heic is installed; save it as JPEG"):
        decode_image(b"\0\0\0\x18ftypheic" + bytes(60), "phone")


@pytest.mark.parametrize("length", [20, 1000])
def test_a_truncated_heic_is_called_corrupt(length: int) -> None:
    with pytest.raises(CorruptImageError, match="stump"):
        decode_image(heic(noise())[:length], "stump")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.jpg: no such file"):
        open_image(tmp_path / "gone.jpg")


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a folder, not an image"):
        open_image(tmp_path)


@pytest.mark.parametrize("name", ["nul\0byte.jpg", "a" * 300 + ".jpg", "file/below.jpg"])
def test_a_name_that_no_file_can_have_is_a_source_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SourceError):
        read_bytes(tmp_path / name)


def test_reading_gives_the_bytes_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "some.bin"
    path.write_bytes(bytes(range(256)))
    assert read_bytes(path) == bytes(range(256))


# Anything at all


def rgb_or_refused(data: bytes) -> None:
    """Decode; any exception but ours goes through and fails the test."""
    try:
        image = decode_image(data, "any", SMALL)
    except ArtNetError as error:
        assert str(error).startswith("any: ")
    else:
        assert image.mode == "RGB"
        assert min(image.size) > 0


BEGINNINGS = (
    b"",
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"RIFF\0\0\0\0WEBPVP8 ",
    b"II*\0",
    b"MM\0*",
    b"BM",
    b"GIF89a",
)
MODELS = [
    *(encoded(noise(24), kind) for kind in ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP")),
    encoded(noise(24), "JPEG", progressive=True, exif=oriented(6), icc_profile=swapped_profile()),
    encoded(noise(24).quantize(16), "PNG", transparency=3),
    encoded(noise(24), "TIFF", compression="tiff_lzw", exif=oriented(6)),
    encoded(Image.fromarray(np.eye(9, dtype=np.float32)), "TIFF"),
    encoded(noise(24), "AVIF"),
]


@damaged
@given(st.sampled_from((b"", *BEGINNINGS)), st.binary(max_size=400))
@FUZZ
def test_any_bytes_give_an_image_or_one_of_our_errors(beginning: bytes, rest: bytes) -> None:
    rgb_or_refused(beginning + rest)


@damaged
@given(st.sampled_from(MODELS), st.data())
@FUZZ
def test_an_image_with_changed_bytes_gives_an_image_or_one_of_our_errors(model: bytes, data: st.DataObject) -> None:
    # Half of the changes fall on the first bytes, where the headers are.
    places = st.integers(0, 150) | st.integers(0, len(model) - 1)
    changed = bytearray(model)
    for place, value in data.draw(st.dictionaries(places, st.integers(0, 255), min_size=1, max_size=8)).items():
        changed[place % len(model)] = value
    rgb_or_refused(bytes(changed))


@damaged
@given(st.sampled_from(MODELS), st.floats(0, 1))
@FUZZ
def test_an_image_cut_anywhere_gives_an_image_or_one_of_our_errors(model: bytes, share: float) -> None:
    rgb_or_refused(model[: round(len(model) * share)])


# The images beside the project


@damaged
@pytest.mark.skipif(not (DATA / "awkward").is_dir(), reason="runs with the folder ../shared/data/awkward beside it")
def test_every_awkward_file_gives_an_image_or_one_of_our_errors() -> None:
    files = sorted(path for path in (DATA / "awkward").rglob("*") if path.is_file())
    assert files
    for path in files:
        try:
            image = open_image(path)
        except ArtNetError as error:
            assert path.name in str(error)
        else:
            assert (image.mode, image.info) == ("RGB", {}), path


@pytest.mark.skipif(not (DATA / "samples").is_dir(), reason="runs with the folder ../shared/data/samples beside it")
def test_every_sample_painting_opens() -> None:
    files = sorted((DATA / "samples").glob("*.jpg"))
    assert len(files) >= 6
    assert {open_image(path).mode for path in files} == {"RGB"}


@pytest.mark.parametrize(
    ("width", "height", "decoded"), [(1600, 1000, (800, 500)), (3200, 2000, (800, 500)), (900, 2000, (900, 2000))]
)
def test_a_jpeg_is_decoded_as_small_as_twice_the_view(width: int, height: int, decoded: tuple[int, int]) -> None:
    data = encoded(Image.new("RGB", (width, height), RED), "JPEG")
    small, size = decode_reduced(data, "red", 250)
    assert (small.size, size) == (decoded, (width, height))
    assert np.abs(np.asarray(small, int) - RED).max() <= 2


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_small_image_tells_the_full_size_that_it_has_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encoded(Image.new("RGB", (640, 480)), "JPEG", exif=exif)
    small, size = decode_reduced(data, "turned", 50)
    assert size == decode_image(data, "turned").size
    assert small.size == (size[0] // 4, size[1] // 4)


@pytest.mark.parametrize(("side_px", "averaged"), [(100, 2), (50, 4), (25, 8)])
def test_a_reduced_jpeg_averages_the_pixels_as_the_browser_does(side_px: int, averaged: int) -> None:
    data = encoded(Image.effect_noise((640, 480), 50).convert("RGB"), "JPEG", quality=95, subsampling=0)
    small, _ = decode_reduced(data, "noise", side_px)
    full = decode_image(data, "noise").reduce(averaged)
    assert small.size == full.size
    assert np.abs(np.asarray(small, int) - np.asarray(full)).mean() < 1


def test_other_formats_are_decoded_whole() -> None:
    image = Image.effect_noise((640, 480), 50).convert("RGB")
    small, size = decode_reduced(encoded(image, "PNG"), "noise", 100)
    assert size == image.size
    assert np.array_equal(np.asarray(small), np.asarray(image))


# What is refused


def test_a_bmp_whose_runs_pillow_misreads_is_refused() -> None:
    data = bytearray(encoded(Image.new("P", (8, 8)), "BMP"))
    data[30:34] = struct.pack("<I", 2)  # biCompression: RLE4
    data[28:30] = struct.pack("<H", 4)  # biBitCount
    with pytest.raises(UnsupportedImageError, match="RLE4"):
        decode_image(bytes(data), "old")


@pytest.mark.parametrize(
    ("beginning", "words"),
    [
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000, .*save it as JPEG or PNG"),
        (b"\xff\x4f\xff\x51\x00", "JPEG 2000"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"%PDF-1.7\n", "PDF document, .*save the page"),
        (b'<?xml version="1.0"?>\n<svg width="9">', "SVG drawing, .*export it as PNG"),
        (b"<!DOCTYPE html>\n<html>", "web page, .*download the image itself"),
        (b"8BPS\x00\x01", "Photoshop"),
        (b"FUJIFILMCCD-RAW 0201", "raw file, .*develop it"),
    ],
)
def test_a_format_that_is_not_read_is_named_with_what_to_do(beginning: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        decode_image(beginning + bytes(64), "other")


@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_that_lacks_only_its_end_is_read_with_a_warning(missing: int, caplog: pytest.LogCaptureFixture) -> None:
    data = encoded(noise(), "JPEG")
    assert decode_image(data[:-missing], "stump.jpg").tobytes() == decode_image(data, "whole.jpg").tobytes()
    assert decode_reduced(data[:-missing], "stump.jpg", 16)[1] == (48, 48)
    assert "stump.jpg: lacks its last bytes" in caplog.text and "whole.jpg" not in caplog.text


def test_a_jpeg_that_lacks_pixels_as_well_is_called_corrupt() -> None:
    with pytest.raises(CorruptImageError, match="cut"):
        decode_image(encoded(noise(), "JPEG")[:-12], "cut")
