"""Draw small collections in the layouts that people really have.

Knows nothing about what is tested with them; every picture is painted here from a seed.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

# The header of the Kaggle set's all_data_info.csv, to the letter.
PAINTER_BY_NUMBERS_HEADER = (
    *("artist", "date", "genre", "pixelsx", "pixelsy", "size_bytes"),
    *("source", "style", "title", "artist_group", "in_train", "new_filename"),
)
# The styles of ArtGAN's style_class.txt, to the letter; number 3 is not quite what its folder is called.
WIKIART_CLASSES = (
    *("Abstract_Expressionism", "Action_painting", "Analytical_Cubism", "Art_Nouveau", "Baroque"),
    *("Color_Field_Painting", "Contemporary_Realism", "Cubism", "Early_Renaissance", "Expressionism", "Fauvism"),
    *("High_Renaissance", "Impressionism", "Mannerism_Late_Renaissance", "Minimalism", "Naive_Art_Primitivism"),
    *("New_Realism", "Northern_Renaissance", "Pointillism", "Pop_Art", "Post_Impressionism", "Realism", "Rococo"),
    *("Romanticism", "Symbolism", "Synthetic_Cubism", "Ukiyo_e"),
)

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])  # as the `datasets` library stores one


@dataclass(frozen=True)
class Work:
    """One painting to draw; `data` of None leaves its file out, so that only the table knows it."""

    style: str
    artist: str
    title: str
    date: str
    data: bytes | None


WORKS = tuple(
    Work(style, artist, title, date, f"not read as a picture: {title}".encode())
    for style, artist, title, date in (
        ("Cubism", "Juan Gris", "Clown", "1919"),
        ("Impressionism", "Claude Monet", "Haystacks", "1890"),
        ("Realism", "Gustave Courbet", "The Wave", "1869"),
        ("Ukiyo-e", "Katsushika Hokusai", "Fuji", ""),
    )
)


def paint(seed: int, width: int = 48, height: int = 40) -> bytes:
    """Paint coloured noise under a slope of light and encode it as JPEG; each seed gives another picture."""
    noise = np.random.default_rng(seed).integers(0, 128, (height, width, 3))
    slope = np.linspace(0, 127, width)[None, :, None]
    buffer = BytesIO()
    Image.fromarray((noise + slope).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def draw_painter_by_numbers(folder: Path, works: Sequence[Work], zipped: bool = False) -> Path:
    """Lay works out as the Kaggle set: 1.jpg, 2.jpg ... in train and test by turns, and all_data_info.csv."""
    folder.mkdir()
    with (folder / "all_data_info.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, PAINTER_BY_NUMBERS_HEADER)
        table.writeheader()
        for number, work in enumerate(works, start=1):
            table.writerow(
                dict.fromkeys(PAINTER_BY_NUMBERS_HEADER, "")
                | {"artist": work.artist, "date": work.date, "style": work.style, "title": work.title}
                | {"in_train": str(number % 2 == 1), "new_filename": f"{number}.jpg"}
            )
    for part, remainder in (("train", 1), ("test", 0)):
        numbered = enumerate(works, start=1)
        members = {f"{part}/{number}.jpg": work.data for number, work in numbered if number % 2 == remainder}
        _lay_out(folder / f"{part}.zip" if zipped else folder, members)
    return folder


def draw_wikiart(place: Path, works: Sequence[Work]) -> Path:
    """Lay works out as ArtGAN's WikiArt, `Style/artist-name_title-year.jpg`: a folder, or a zip by its ending."""
    return _lay_out(place, {f"{_joined(work.style, '_')}/{_wikiart_name(work)}": work.data for work in works})


def write_wikiart_splits(folder: Path, names: Sequence[str]) -> Path:
    """Write ArtGAN's tables of paths such as `Cubism/name.jpg`: no header, LF, a class number; every fourth is val."""
    folder.mkdir(exist_ok=True)
    for task, classes in (("style", WIKIART_CLASSES), ("artist", ("Claude_Monet",)), ("genre", ("landscape",))):
        text = "".join(f"{number} {name}\n" for number, name in enumerate(classes))
        (folder / f"{task}_class.txt").write_bytes(text.encode())
        for split in ("train", "val"):
            rows = [name for index, name in enumerate(names) if (index % 4 == 3) == (split == "val")]
            numbers = [classes.index(name.split("/")[0]) if task == "style" else 0 for name in rows]
            text = "".join(f"{name},{number}\n" for name, number in zip(rows, numbers, strict=True))
            (folder / f"{task}_{split}.csv").write_bytes(text.encode())
    return folder


def draw_huggingface(folder: Path, works: Sequence[Work], labels: bool = True, rows_in_group: int = 2) -> Path:
    """Lay works out as the `datasets` library does: styles and artists as class labels or as text."""
    (folder / "data").mkdir(parents=True)
    columns: dict[str, pa.Array] = {"image": pa.array([{"bytes": work.data, "path": None} for work in works], PICTURE)}
    features: dict[str, object] = {"image": {"_type": "Image"}}
    for column in ("artist", "style"):
        words = [getattr(work, column) for work in works]
        names = sorted(set(words))
        columns[column] = pa.array([names.index(word) for word in words] if labels else words)
        features[column] = {"names": names, "_type": "ClassLabel"} if labels else {"dtype": "string", "_type": "Value"}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table(columns).replace_schema_metadata(metadata)
    pq.write_table(table, folder / "data" / "train-00000-of-00001.parquet", row_group_size=rows_in_group)
    return folder


def draw_style_folders(place: Path, works: Sequence[Work]) -> Path:
    """Lay works out as `Style/number.jpg`: a folder, or a zip by its ending."""
    return _lay_out(place, {f"{work.style}/{number}.jpg": work.data for number, work in enumerate(works, start=1)})


def draw_csv(folder: Path, works: Sequence[Work], pictures: str = "") -> Path:
    """Lay works out as a table `catalog.csv` with pictures beside it, or in the subfolder that `pictures` names."""
    names = [f"{pictures}/{number}.jpg".lstrip("/") for number in range(1, len(works) + 1)]
    _lay_out(folder, {name: work.data for name, work in zip(names, works, strict=True)})
    rows = [(name, work.style, work.artist, work.title, work.date) for name, work in zip(names, works, strict=True)]
    return write_csv(folder / "catalog.csv", [("path", "style", "artist", "title", "date"), *rows])


def write_csv(path: Path, rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> Path:
    """Write a table, the header first."""
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows(rows)
    return path


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    """Write a zip archive with compressed members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def _lay_out(place: Path, members: dict[str, bytes | None]) -> Path:
    present = {name: data for name, data in members.items() if data is not None}
    if place.suffix == ".zip":
        return write_zip(place, present)
    place.mkdir(exist_ok=True)
    for name, data in present.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(data)
    return place


def _wikiart_name(work: Work) -> str:
    artist = _joined(work.artist.lower(), "-") or "unknown-artist"
    return f"{artist}_{_joined(work.title.lower(), '-')}{'-' if work.date else ''}{work.date}.jpg"


def _joined(text: str, glue: str) -> str:
    return text.replace(" ", glue).replace("-", glue)


# Every layout by its kind and a word on the variant: each draws the same works below a folder.
DRAWERS: dict[str, Callable[[Path], Path]] = {
    "painter-by-numbers": lambda folder: draw_painter_by_numbers(folder / "kaggle", WORKS),
    "painter-by-numbers table": lambda folder: draw_painter_by_numbers(folder / "kaggle", WORKS) / "all_data_info.csv",
    "painter-by-numbers zipped": lambda folder: draw_painter_by_numbers(folder / "kaggle", WORKS, zipped=True),
    "wikiart": lambda folder: draw_wikiart(folder / "wikiart", WORKS),
    "wikiart zipped": lambda folder: draw_wikiart(folder / "wikiart.zip", WORKS),
    "wikiart with tables": lambda folder: draw_wikiart(
        write_wikiart_splits(folder / "wikiart", ["Realism/gustave-courbet_the-wave-1869.jpg"]), WORKS
    ),
    "huggingface labels": lambda folder: draw_huggingface(folder / "hub", WORKS),
    "huggingface text": lambda folder: draw_huggingface(folder / "hub", WORKS, labels=False),
    "folders": lambda folder: draw_style_folders(folder / "mine", WORKS),
    "folders zipped": lambda folder: draw_style_folders(folder / "mine.zip", WORKS),
    "csv": lambda folder: draw_csv(folder / "table", WORKS),
}
