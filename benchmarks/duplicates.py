"""Measure how well `artnet.data.duplicates` finds copies, what it finds among different paintings, and what it costs.

    python benchmarks/duplicates.py COLLECTION... [--copies 600] [--seed 0] [--sheet PAIRS.png]

A COLLECTION is anything that `artnet prepare` reads: a folder of styles, a table, a zip. Prints the recall of each
kind of copy, made of COPIES random images; the pairs found among all unchanged images, per million pairs; and the time
per image and per pair. Pairs of unchanged images may be true duplicates, which only a person can tell, so `--sheet`
draws them side by side. Pairs with two known, different artists are counted separately.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from artnet.data.artists import normalise_artist
from artnet.data.catalog import Record, RecordReader
from artnet.data.duplicates import Fingerprint, clusters, fingerprint, near_duplicates
from artnet.data.readers.detect import read_catalog
from artnet.errors import ImageError, SourceError
from artnet.imaging.decode import decode_image
from artnet.imaging.views import whole_view, without_letterbox

CELL_PX = 128
PAIRS_A_ROW = 6
PAIRS_ON_SHEET = 300


@dataclass
class Collection:
    """The readable images: records, fingerprints, and seconds spent in `fingerprint`."""

    records: list[Record]
    prints: list[Fingerprint]
    seconds: float = 0.0


def reencoded(image: Image.Image, quality: int = 30) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def scaled(image: Image.Image, share: float) -> Image.Image:
    size = max(1, round(image.width * share)), max(1, round(image.height * share))
    return image.resize(size, Image.Resampling.BICUBIC)


def cropped(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Crop shares of the sides."""
    across, down = image.size
    return image.crop(
        (round(left * across), round(top * down), round((1 - right) * across), round((1 - bottom) * down))
    )


def all_changes(image: Image.Image) -> Image.Image:
    """Make the image grey, crop it by 3 %, stretch, brighten and encode it."""
    small = cropped(image.convert("L").convert("RGB"), 0.03, 0.03, 0.03, 0.03).resize((150, 150))
    return reencoded(ImageEnhance.Brightness(small).enhance(1.1))


def kinds_of_copy(rng: random.Random) -> dict[str, Callable[[Image.Image], Image.Image]]:
    return {
        "scaled to 50 %": lambda image: scaled(image, 0.5),
        "scaled to 25 %": lambda image: scaled(image, 0.25),
        "stretched to a square of 224 px": lambda image: image.resize((224, 224)),
        "JPEG of quality 30": reencoded,
        "greyed": lambda image: image.convert("L").convert("RGB"),
        "brightness +15 %": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
        "brightness -15 %": lambda image: ImageEnhance.Brightness(image).enhance(0.85),
        "cropped by 2 % a side": lambda image: cropped(image, *[0.02] * 4),
        "cropped by 5 % a side": lambda image: cropped(image, *[0.05] * 4),
        "cropped by 10 % a side": lambda image: cropped(image, *[0.10] * 4),
        "cropped by 0 to 8 %, each side its own": lambda image: cropped(image, *(rng.uniform(0, 0.08) for _ in "ltrb")),
        "cropped by 10 % on one side": lambda image: cropped(image, 0, 0, 0, 0.10),
        "cropped to the centred square": lambda image: ImageOps.fit(image, (min(image.size),) * 2),
        "grey, cropped 3 %, stretched, +10 %, JPEG 30": all_changes,
        "mirrored (must not be found)": ImageOps.mirror,
    }


def read(records: Iterable[Record]) -> Iterable[tuple[Record, Image.Image]]:
    """Yield the records whose image can be decoded, with it."""
    with RecordReader() as reader:
        for record in records:
            if record.location is not None:
                try:
                    yield record, decode_image(reader.read(record), record.source)
                except (ImageError, SourceError) as error:
                    print(f"left out: {error}")


def small_fingerprint(image: Image.Image) -> Fingerprint:
    """Return the fingerprint as `prepare` computes it: of the whole view, without its bands."""
    return fingerprint(without_letterbox(whole_view(image, 256, "letterbox"), "letterbox"), image.width / image.height)


def fingerprints_of(paths: Sequence[Path]) -> Collection:
    whole = Collection([], [])
    for record, image in read(record for path in paths for record in read_catalog(path).records):
        started = time.perf_counter()
        whole.prints.append(small_fingerprint(image))
        whole.seconds += time.perf_counter() - started
        whole.records.append(record)
    return whole


def print_recall(chosen: Sequence[Record], rng: random.Random) -> None:
    """Print the recall of each kind of copy of some images."""
    kinds = kinds_of_copy(rng)
    originals: list[Fingerprint] = []
    copies: dict[str, list[Fingerprint]] = {kind: [] for kind in kinds}
    for _, image in read(chosen):
        originals.append(small_fingerprint(image))
        for kind, copy in kinds.items():
            copies[kind].append(small_fingerprint(copy(image)))
    print(f"\n| kind of copy | found of {len(originals)} |\n| --- | ---: |")
    for kind, made in copies.items():
        found = sum(j - i == len(made) for i, j in near_duplicates(originals + made))
        print(f"| {kind} | {100 * found / len(made):.1f} % |")


def print_pairs(whole: Collection) -> list[tuple[int, int]]:
    """Print the pairs among the unchanged images and the cost of the search; return the pairs."""
    started = time.perf_counter()
    pairs = near_duplicates(whole.prints)
    seconds = time.perf_counter() - started
    count = len(whole.prints)
    million = count * (count - 1) / 2e6
    artists = [normalise_artist(record.artist) for record in whole.records]
    different = sum(artists[i] != artists[j] for i, j in pairs if artists[i] and artists[j])
    groups = len(set(clusters(count, pairs)))
    print(f"\n{count} images, {million:.1f} million pairs: {len(pairs)} found, {len(pairs) / million:.2f} a million;")
    print(f"{different} of them with two known artists; {count - groups} images fewer without duplicates")
    print(f"fingerprint: {1e3 * whole.seconds / count:.2f} ms an image without decoding")
    print(f"near_duplicates: {seconds:.1f} s; as pairs grow, {seconds * (1e5 / count) ** 2 / 60:.0f} min for 100,000")
    return pairs


def draw_sheet(whole: Collection, pairs: Sequence[tuple[int, int]], path: Path) -> None:
    """Draw the first pairs side by side, numbered."""
    shown = pairs[:PAIRS_ON_SHEET]
    indices = sorted({index for pair in shown for index in pair})
    images = {
        index: image.resize((CELL_PX,) * 2)
        for index, (_, image) in zip(indices, _read_again(whole, indices), strict=True)
    }
    height = -(-len(shown) // PAIRS_A_ROW) * (CELL_PX + 14)
    sheet = Image.new("RGB", (PAIRS_A_ROW * (2 * CELL_PX + 8), max(1, height)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (i, j) in enumerate(shown):
        left, top = number % PAIRS_A_ROW * (2 * CELL_PX + 8), number // PAIRS_A_ROW * (CELL_PX + 14)
        draw.text((left, top), f"{number}: {i} {j}", fill="black")
        sheet.paste(images[i], (left, top + 12))
        sheet.paste(images[j], (left + CELL_PX, top + 12))
    sheet.save(path)


def _read_again(whole: Collection, indices: Sequence[int]) -> Iterable[tuple[Record, Image.Image]]:
    return read(whole.records[index] for index in indices)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", type=Path)
    parser.add_argument("--copies", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    whole = fingerprints_of(options.collections)
    rng = random.Random(options.seed)
    print_recall(rng.sample(whole.records, min(options.copies, len(whole.records))), rng)
    pairs = print_pairs(whole)
    if options.sheet:
        draw_sheet(whole, pairs, options.sheet)


if __name__ == "__main__":
    main()
