"""Write docs/formats.md from what becomes of the files that the tests generate; a test says when that is due."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image

from artnet.errors import ImageError
from artnet.imaging.decode import decode_image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from fixtures.tiff import FLOAT, SIGNED, Variant, variants, write_tiff  # noqa: E402

TEXT = """\
<!-- Written by docs/write_formats.py from the files that the tests generate; change that, not this page. -->

# Image formats

Files are recognised by content, whatever they are called. Whatever is read becomes upright 8-bit sRGB: turned by EXIF,
converted by its embedded profile, transparency laid on white, integers of 12 to 32 bits scaled from their full range,
floating-point grey from 0 to 1 or, where values exceed 1, from 0 to 255. What is not read is refused with its kind and
what to do: `unsupported` is a sound image of a kind that is not read, `format` another format, `corrupt` damage.

| format | variant | read | refused as `unsupported` |
| --- | --- | --- | --- |
{rows}

TIFF holds far more kinds than pictures use. Those refused are what Pillow does not open, or opens and then decodes to
something else: signed samples, and channels in planes of their own with more than 8 bits. The library tifffile would
read most of them, though compressed ones only with a further package of compiled codecs; since paintings are hardly
ever stored that way, saving them again as RGB is the better advice. A camera's raw file (DNG, CR2, NEF, ARW ...) is
refused, too: all that could be read of it is a small preview.

- **Several pages or frames**: the first of a TIFF, GIF, WebP, AVIF or animated PNG is read, the others are not.
- **A JPEG that lacks only its last two bytes** (the end marker, as after an interrupted copy) is read, with a warning.
  If pixels are missing as well, it is `corrupt`.
- **BMP compressed by RLE4** is refused, since Pillow decodes it wrongly.
- **Not followed**: a PNG's gamma (`gAMA`, `cHRM`) without a profile, an AVIF's clean aperture (`clap`).
- **Named and refused as `format`**: JPEG 2000, JPEG XL, PDF, PostScript, SVG, Photoshop documents, and web pages that
  were saved under the name of an image.
- HEIC is read after `pip install '.[heic]'`.
"""

WORDS = {
    "1": "1 bit",
    "L": "grey",
    "LA": "grey with alpha",
    "I;16": "16-bit grey",
    "P": "palette",
    "RGB": "RGB",
    "RGBA": "RGB with alpha",
    "CMYK": "CMYK",
}
MODES = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "I;16", "P", "RGB", "RGBA"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "GIF": ("P",),
    "AVIF": ("RGB", "RGBA"),
}
Outcomes = dict[str, dict[bool, list[str]]]  # words for the bits, by group and by whether they are read


def is_read(data: bytes) -> bool:
    """Return whether a file is read rather than refused."""
    try:
        decode_image(data, "generated")
    except ImageError:
        return False
    return True


def tiff_rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield the table's rows about TIFF: a row for each kind of colour, the bits in its cells."""
    groups: Outcomes = defaultdict(lambda: {True: [], False: []})
    for variant in variants():
        if variant.big:
            continue
        little, big = is_read(write_tiff(variant)), is_read(write_tiff(Variant(**{**vars(variant), "big": True})))
        name = ", ".join(part for part in variant.name.split(", ") if " bits" not in part)
        words = f"{variant.bits}{ {SIGNED: ' signed', FLOAT: ' float'}.get(variant.sample_format, '') }"
        if little and not big and variant.bits > 8:
            groups[name][True].append(f"{words} (little-endian)")
            groups[name][False].append(f"{words} (big-endian)")
        else:
            groups[name][little].append(words)
    for name, cells in groups.items():
        yield ("TIFF", name, *(f"{', '.join(cells[read])} bits" if cells[read] else "" for read in (True, False)))


def other_rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield rows about the modes that Pillow writes in the other formats."""
    for kind, modes in MODES.items():
        found: dict[bool, list[str]] = {True: [], False: []}
        for mode in modes:
            stream = BytesIO()
            Image.new(mode, (4, 4)).save(stream, kind)
            found[is_read(stream.getvalue())].append(WORDS[mode])
        yield (kind.replace("WEBP", "WebP"), "", *(", ".join(found[read]) for read in (True, False)))


def page() -> str:
    """Return the page."""
    rows = [f"| {' | '.join(row)} |" for row in (*other_rows(), *tiff_rows())]
    return TEXT.format(rows="\n".join(rows))


if __name__ == "__main__":
    (ROOT / "docs" / "formats.md").write_text(page(), encoding="utf-8")
