"""A drawn collection becomes a dataset that holds every good picture once, and nothing by halves."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artnet.data.artists import normalise_artist
from artnet.data.catalog import Catalog, Record, RecordReader
from artnet.data.dataset import Row, digest_of_ids, iterate_rows, read_info
from artnet.data.prepare import PrepareOptions, check_out, prepare
from artnet.data.readers.detect import read_catalog
from artnet.data.split import SPLITS, Ratios
from artnet.errors import DataError, OutputError, UsageError
from artnet.taxonomy import load_taxonomy, without_movements
from fixtures.collections import Work, draw_csv, draw_painter_by_numbers, draw_style_folders, paint

OPTIONS = PrepareOptions(size_px=32, ratios=Ratios(0.5, 0.25, 0.25), processes=1)
SMALL_CHUNKS = replace(OPTIONS, paintings_per_chunk=4)
TAXONOMY = load_taxonomy()
STYLES = ("Analytical Cubism", "Pointillism", "Fauvism", "Realism", "Abstract Art")  # one of each movement
SIZES = ((48, 40), (33, 100), (20, 24), (32, 32))  # the third is smaller than a view


def good_works(artists: int) -> list[Work]:
    """Draw two paintings of every style by each artist, ten works an artist of a style, in every size."""
    return [
        Work(style, f"{style} Painter {artist}", f"No {number}", "1910", paint(10 * artist + number, *SIZES[artist]))
        for artist in range(artists)
        for number, style in enumerate(STYLES * 2)
    ]


def torn(seed: int) -> bytes:
    """Paint a picture that begins well and stops halfway."""
    data = paint(seed)
    return data[: len(data) // 2]


GOOD = good_works(artists=4)
TWIN = paint(1000)
BAD = [
    Work("Baroque", "Caravaggio", "of no movement", "", paint(1001)),
    Work("Baroque", "Caravaggio", "of no movement either", "", paint(1002)),
    Work("Cubism", "Juan Gris", "words", "", b"these are words"),
    Work("Realism", "Gustave Courbet", "cut short", "", torn(1003)),
    Work("Realism", "Gustave Courbet", "nothing", "", b""),
    Work("Realism", "Gustave Courbet", "not there", "", None),
    Work("Synthetic Cubism", "Pablo Picasso", "a copy of the first", "", GOOD[0].data),
    Work("Cubism", "Juan Gris", "two movements", "", TWIN),
    Work("Realism", "Juan Gris", "two movements", "", TWIN),
]
NOBODYS = Work("Impressionism", "", "by nobody known", "", paint(1004))
KEPT = [*GOOD, NOBODYS]
REASONS = {"format": 1, "corrupt": 1, "empty": 1, "missing": 1, "duplicate": 1, "conflict": 2}


@dataclass(frozen=True)
class Prepared:
    """A prepared dataset with what it was made from."""

    catalog: Catalog
    folder: Path
    summary: dict[str, Any]

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        return {split: list(iterate_rows(self.folder, split, list(Row.__dataclass_fields__))) for split in SPLITS}

    def all_rows(self) -> list[dict[str, Any]]:
        return [row for rows in self.rows().values() for row in rows]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared")
    catalog = read_catalog(draw_painter_by_numbers(folder / "kaggle", [*KEPT, *BAD], zipped=True))
    return Prepared(
        catalog, folder / "out", prepare([catalog], folder / "out", TAXONOMY, replace(OPTIONS, processes=2))
    )


def small(folder: Path, *more: Work) -> Catalog:
    return read_catalog(draw_csv(folder / "small", [*good_works(artists=2), *more]))


def scenery(seed: int) -> Image.Image:
    """Paint a picture with forms large and small, as paintings have and noise has not."""
    rng = np.random.default_rng(seed)
    coarse, fine = (Image.fromarray(rng.integers(0, 255, (side, side), dtype=np.uint8)) for side in (6, 18))
    return Image.blend(coarse.resize((160, 120)), fine.resize((160, 120)), 0.4).convert("RGB")


def encoded(image: Image.Image, quality: int) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def decode(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def test_the_rows_of_the_splits_add_up_to_the_good_paintings(prepared: Prepared) -> None:
    rows = prepared.rows()
    assert {split: len(found) for split, found in rows.items()} == {
        split: sum(prepared.summary["splits"][split].values()) for split in SPLITS
    }
    assert min(map(len, rows.values())) > 0
    assert sum(map(len, rows.values())) == prepared.summary["paintings"] == len(KEPT)


def test_every_good_painting_is_there_once_under_the_sha256_of_its_file(prepared: Prepared) -> None:
    expected = [hashlib.sha256(work.data or b"").hexdigest() for work in KEPT]
    assert sorted(row["id"] for row in prepared.all_rows()) == sorted(expected)


def test_no_artist_stands_on_two_sides(prepared: Prepared) -> None:
    sides = {split: {row["artist"] for row in rows} - {None} for split, rows in prepared.rows().items()}
    assert not sides["train"] & sides["val"]
    assert not sides["train"] & sides["test"]
    assert not sides["val"] & sides["test"]
    assert prepared.summary["artists_across_splits"] == []


def test_what_the_catalog_says_is_kept_to_the_letter(prepared: Prepared) -> None:
    fields = ("source", "style", "artist", "title", "date")
    found = {row["source"]: tuple(row[field] for field in fields) for row in prepared.all_rows()}
    listed = prepared.catalog.records[: len(KEPT)]
    assert found == {record.source: tuple(getattr(record, field) for field in fields) for record in listed}
    assert "kaggle/1.jpg" in found


def test_a_movement_is_the_taxonomys_for_the_style(prepared: Prepared) -> None:
    movements = read_info(prepared.folder).movements
    assert movements == TAXONOMY.movements
    for row in prepared.all_rows():
        assert movements[row["movement"]] == TAXONOMY.movement_of(row["style"])
    assert prepared.summary["movements"]["Impressionism"] == 9  # two by each of four artists, one by nobody


def test_all_six_views_are_squares_of_the_size_asked_for(prepared: Prepared) -> None:
    for row in prepared.all_rows():
        views = [decode(part["bytes"]) for part in (row["whole"], *row["regions"])]
        assert [(view.format, view.mode, view.size) for view in views] == [("JPEG", "RGB", (32, 32))] * 6


def test_every_box_is_a_square_inside_its_painting(prepared: Prepared) -> None:
    assert {(row["width"], row["height"]) for row in prepared.all_rows()} == set(SIZES)
    for row in prepared.all_rows():
        assert len(row["boxes"]) == 5
        for left, top, right, bottom in row["boxes"]:
            assert 0 <= left < right <= row["width"]
            assert 0 <= top < bottom <= row["height"]
            assert right - left == bottom - top == min(32, row["width"], row["height"])


def test_a_region_shows_what_its_box_says(prepared: Prepared) -> None:
    paintings = {hashlib.sha256(work.data or b"").hexdigest(): work.data or b"" for work in KEPT}
    for row in prepared.all_rows():
        if min(row["width"], row["height"]) < 32:
            continue
        painting = decode(paintings[row["id"]]).convert("RGB")
        for box, region in zip(row["boxes"], row["regions"], strict=True):
            expected, found = (np.asarray(view, np.float64) for view in (painting.crop(box), decode(region["bytes"])))
            assert np.abs(expected - found).mean() < 3  # of 255; the box one pixel to the side differs by 30


def test_styles_of_no_movement_are_counted_and_left_out(prepared: Prepared) -> None:
    assert prepared.summary["styles_of_no_movement"] == {"Baroque": 2}
    assert "Baroque" not in {row["style"] for row in prepared.all_rows()}


def test_every_picture_left_out_is_listed_with_the_reason(prepared: Prepared) -> None:
    with (prepared.folder / "rejected.csv").open(newline="", encoding="utf-8") as file:
        rejected = list(csv.DictReader(file))
    assert list(rejected[0]) == ["source", "style", "reason", "message"]
    assert Counter(row["reason"] for row in rejected) == prepared.summary["rejected"] == REASONS
    listed = {record.source for record in prepared.catalog.records if record.style != "Baroque"}
    assert {row["source"] for row in rejected} | {row["source"] for row in prepared.all_rows()} == listed
    assert all(row["message"] for row in rejected)


def test_of_identical_files_the_first_is_kept_and_the_second_points_to_it(prepared: Prepared) -> None:
    with (prepared.folder / "rejected.csv").open(newline="", encoding="utf-8") as file:
        (copy,) = [row for row in csv.DictReader(file) if row["reason"] == "duplicate"]
    assert (copy["style"], copy["message"]) == ("Synthetic Cubism", "the same file as kaggle/1.jpg")


def test_identical_files_under_two_movements_are_all_dropped(prepared: Prepared) -> None:
    with (prepared.folder / "rejected.csv").open(newline="", encoding="utf-8") as file:
        conflicts = [row for row in csv.DictReader(file) if row["reason"] == "conflict"]
    assert [row["style"] for row in conflicts] == ["Cubism", "Realism"]
    assert {row["message"] for row in conflicts} == {"the same file is listed under Cubism and Realism"}
    assert hashlib.sha256(TWIN).hexdigest() not in {row["id"] for row in prepared.all_rows()}


def test_the_folder_holds_shards_audit_card_and_description(prepared: Prepared) -> None:
    names = {path.name for path in prepared.folder.iterdir()}
    shards = {f"{split}-00000-of-00001.parquet" for split in SPLITS}
    assert names == shards | {"README.md", "audit.html", "audit.json", "dataset.json", "rejected.csv"}
    assert json.loads((prepared.folder / "audit.json").read_text(encoding="utf-8")) == prepared.summary


def test_the_description_says_how_it_was_made(prepared: Prepared) -> None:
    info = read_info(prepared.folder)
    assert (info.name, info.taxonomy, info.size_px, info.fit) == ("kaggle", "artnet-2026", 32, "letterbox")
    assert (info.split_by, info.ratios, info.seed) == ("artist", (0.5, 0.25, 0.25), 0)


def test_the_description_names_the_paintings_of_train(prepared: Prepared) -> None:
    assert read_info(prepared.folder).train_sha256 == digest_of_ids(row["id"] for row in prepared.rows()["train"])


def test_the_card_leads_the_hub_to_the_shards(prepared: Prepared) -> None:
    _, header, text = (prepared.folder / "README.md").read_text(encoding="utf-8").split("---\n", maxsplit=2)
    for split in SPLITS:
        assert f"  - split: {split}\n    path: {split}-*.parquet\n" in header
    assert text.startswith(f"\n# kaggle\n\n{len(KEPT)} paintings")


def test_two_runs_give_the_same_bytes(prepared: Prepared, tmp_path: Path) -> None:
    prepare([prepared.catalog], tmp_path / "again", TAXONOMY, OPTIONS)
    for path in prepared.folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_adding_a_collection_moves_no_painting(prepared: Prepared, tmp_path: Path) -> None:
    more = [replace(work, data=paint(2000 + number)) for number, work in enumerate(GOOD)]
    added = read_catalog(draw_csv(tmp_path / "more", more))
    prepare([added, prepared.catalog], tmp_path / "out", TAXONOMY, OPTIONS)
    both = Prepared(added, tmp_path / "out", {}).rows()
    assert sum(map(len, both.values())) == len(KEPT) + len(more)
    for split, rows in prepared.rows().items():
        assert {row["id"] for row in rows} < {row["id"] for row in both[split]}


def test_an_artist_spelt_in_two_ways_stands_on_one_side(tmp_path: Path) -> None:
    spellings = ["Gogh, Vincent Van", "Vincent van Gogh", "vincent-van-gogh"] * 4
    more = [Work("Realism", name, "", "", paint(3000 + number)) for number, name in enumerate(spellings)]
    catalog = small(tmp_path, *more)
    prepare([catalog], tmp_path / "out", TAXONOMY, OPTIONS)
    rows = Prepared(catalog, tmp_path / "out", {}).rows()
    sides = [split for split in SPLITS for row in rows[split] if normalise_artist(row["artist"]) == "gogh van vincent"]
    assert sides == sides[:1] * 12


def test_split_by_painting_the_audit_names_the_artists_on_two_sides(tmp_path: Path) -> None:
    more = [Work("Realism", "Gustave Courbet", "", "", paint(3000 + number)) for number in range(12)]
    options = replace(OPTIONS, split_by="painting")
    summary = prepare([small(tmp_path, *more)], tmp_path / "out", TAXONOMY, options)
    assert "courbet gustave" in summary["artists_across_splits"]


def test_progress_counts_chunk_by_chunk_up_to_the_last(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    last = Work("Realism", "Gustave Courbet", "cut short", "", torn(1003))
    prepare([small(tmp_path, last)], tmp_path / "out", TAXONOMY, SMALL_CHUNKS, lambda *counts: seen.append(counts))
    assert seen == sorted(seen)
    assert seen[-1] == (21, 21)
    assert len(seen) == 6


def test_fewer_than_two_paintings_of_a_movement_are_refused_and_nothing_is_made(tmp_path: Path) -> None:
    works = [work for work in good_works(2) if work.style != "Fauvism"]
    catalog = read_catalog(draw_csv(tmp_path / "few", [*works, Work("Fauvism", "", "", "", paint(4000))]))
    with pytest.raises(DataError, match="fewer than two paintings of Expressionism"):
        prepare([catalog], tmp_path / "out", TAXONOMY, OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["few"]


def test_pictures_that_cannot_be_decoded_do_not_count_as_paintings(tmp_path: Path) -> None:
    works = [work for work in good_works(2) if work.style != "Fauvism"]
    two = [Work("Fauvism", "", "", "", torn(number)) for number in (4000, 4001)]
    catalog = read_catalog(draw_csv(tmp_path / "torn", [*works, *two]))
    with pytest.raises(DataError, match="fewer than two paintings of Expressionism"):
        prepare([catalog], tmp_path / "out", TAXONOMY, OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["torn"]


def test_a_collection_whose_pictures_are_all_missing_is_told_where_they_were_looked_for(tmp_path: Path) -> None:
    works = [replace(work, data=None) for work in good_works(2)]
    catalog = read_catalog(draw_csv(tmp_path / "bare", works))
    with pytest.raises(
        DataError, match=r"catalog.csv: lists 20 paintings, .* none .* looked in .*bare; the first is bare/1"
    ):
        prepare([catalog, small(tmp_path)], tmp_path / "out", TAXONOMY, OPTIONS)
    assert not (tmp_path / "out.partial").exists()


def test_what_was_left_out_is_said_where_too_little_is_left(tmp_path: Path) -> None:
    works = [work for work in good_works(2) if work.style != "Fauvism"]
    torn_ones = [Work("Fauvism", "", "", "", torn(number)) for number in (4000, 4001)]
    catalog = read_catalog(draw_csv(tmp_path / "torn", [*works, *torn_ones]))
    expected = r"Expressionism were found \(2 were left out: 2 corrupt; for example torn/17.jpg: .*--without Expr"
    with pytest.raises(DataError, match=expected):
        prepare([catalog], tmp_path / "out", TAXONOMY, OPTIONS)


def test_styles_that_nobody_knows_are_named_where_nothing_else_is_there(tmp_path: Path) -> None:
    works = [Work("Baroque", "", "", "", paint(number)) for number in range(3)]
    catalog = read_catalog(draw_csv(tmp_path / "old", works))
    with pytest.raises(
        DataError, match=r"3 have styles that the taxonomy does not contain: Baroque 3 .*add images of them$"
    ):
        prepare([catalog], tmp_path / "out", TAXONOMY, OPTIONS)


def test_a_collection_without_a_movement_is_prepared_without_it(tmp_path: Path) -> None:
    works = [work for work in GOOD if work.style != "Realism"]
    kept = without_movements(TAXONOMY, ["Realism"])
    prepare([read_catalog(draw_csv(tmp_path / "four", works))], tmp_path / "out", kept, OPTIONS)
    info = read_info(tmp_path / "out")
    assert info.movements == ("Cubism", "Impressionism", "Expressionism", "Abstract")
    assert info.taxonomy == "artnet-2026 without Realism"


def test_a_place_inside_a_collection_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(OutputError, match=r"is inside the collection .*mine; choose"):
        check_out(tmp_path / "mine" / "deep" / "out", [tmp_path / "mine"])
    check_out(tmp_path / "mine-out", [tmp_path / "mine"])


def test_a_link_to_nowhere_is_a_place_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists already"):
        check_out(tmp_path / "out")


def occupy_with_file(out: Path) -> Path:
    out.write_text("precious", encoding="utf-8")
    return out


def occupy_with_folder(out: Path) -> Path:
    out.mkdir()
    (out / "notes.txt").write_text("precious", encoding="utf-8")
    return out / "notes.txt"


@pytest.mark.parametrize("occupy", [occupy_with_file, occupy_with_folder])
def test_an_existing_place_is_refused_and_left_as_it_was(occupy: Callable[[Path], Path], tmp_path: Path) -> None:
    precious = occupy(tmp_path / "out")
    before = sorted(tmp_path.rglob("*"))
    catalog = small(tmp_path)
    with pytest.raises(OutputError, match="out: exists already"):
        prepare([catalog], tmp_path / "out", TAXONOMY, OPTIONS)
    assert precious.read_text(encoding="utf-8") == "precious"
    assert sorted(path for path in tmp_path.rglob("*") if "small" not in path.parts) == before


def test_an_existing_place_is_refused_before_any_picture_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(reader: RecordReader, record: Record) -> bytes:
        raise AssertionError(f"{record.source} was read")

    monkeypatch.setattr(RecordReader, "read", refuse)
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="out: exists already"):
        prepare([small(tmp_path)], tmp_path / "out", TAXONOMY, OPTIONS)


def test_a_place_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(OutputError, match=r"out: cannot be written"):
        prepare([small(tmp_path)], tmp_path / "file" / "out", TAXONOMY, OPTIONS)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_stopped_preparation_goes_on_to_the_same_bytes(failure: type[BaseException], tmp_path: Path) -> None:
    collection = small(tmp_path)

    def break_off(done: int, total: int) -> None:
        if done >= 8:
            raise failure("the power failed")

    with pytest.raises(failure, match="the power failed"):
        prepare([collection], tmp_path / "out", TAXONOMY, SMALL_CHUNKS, break_off)
    assert not (tmp_path / "out").exists()
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "out.partial" / "chunks").glob("[0-9]*.parquet")}
    assert len(kept) >= 2
    prepare([collection], tmp_path / "out", TAXONOMY, SMALL_CHUNKS)
    prepare([collection], tmp_path / "straight", TAXONOMY, SMALL_CHUNKS)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "straight")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "small", "straight"]


def test_a_kill_while_shards_are_written_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = small(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr("artnet.data.prepare.write_info", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            prepare([collection], tmp_path / "out", TAXONOMY, OPTIONS)
    (tmp_path / "out.partial" / "test-00007-of-00009.parquet").write_bytes(b"half a shard")
    prepare([collection], tmp_path / "out", TAXONOMY, OPTIONS)
    prepare([collection], tmp_path / "straight", TAXONOMY, OPTIONS)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "straight")


def test_a_full_disk_is_an_output_error_and_makes_no_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("artnet.data.dataset.SplitWriter.write", fail)
    with pytest.raises(OutputError, match=r"out: cannot be written \(No space left on device\)"):
        prepare([small(tmp_path)], tmp_path / "out", TAXONOMY, OPTIONS)
    assert not (tmp_path / "out").exists()


def test_movements_of_other_jpeg_qualities_are_told_apart_in_the_audit(tmp_path: Path) -> None:
    qualities = dict(zip(STYLES, (60, 74, 74, 90, 74), strict=True))
    works = [
        replace(work, data=encoded(decode(work.data or b""), qualities[work.style])) for work in good_works(artists=4)
    ]
    summary = prepare([read_catalog(draw_csv(tmp_path / "saved", works))], tmp_path / "out", TAXONOMY, OPTIONS)
    found = summary["facets"]["jpeg_quality"]
    medians = {"Cubism": 60, "Impressionism": 74, "Expressionism": 74, "Realism": 90, "Abstract": 74}
    assert found["medians"] == medians
    assert found["is_shortcut"]


def test_an_unfinished_dataset_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "notes.txt").write_text("precious")
    with pytest.raises(OutputError, match=r"out\.partial: was left by a command"):
        prepare([small(tmp_path)], tmp_path / "out", TAXONOMY, OPTIONS)
    assert (tmp_path / "out.partial" / "notes.txt").read_text() == "precious"


def test_the_same_painting_under_two_artists_never_stands_on_two_sides(tmp_path: Path) -> None:
    scene = scenery(5)
    artists = [f"Painter {number}" for number in range(12)]  # some of them fall on each side
    copies = [Work("Realism", artist, artist, "", encoded(scene, 60 + 3 * at)) for at, artist in enumerate(artists)]
    catalog = read_catalog(draw_csv(tmp_path / "copies", [*good_works(artists=4), *copies]))
    prepare([catalog], tmp_path / "out", TAXONOMY, OPTIONS)
    rows = [(split, row["title"]) for split in SPLITS for row in iterate_rows(tmp_path / "out", split, ["title"])]
    assert len({split for split, title in rows if title in artists}) == 1
    assert "near-duplicate" in (tmp_path / "out" / "rejected.csv").read_text()


def test_adding_paintings_moves_nobody(tmp_path: Path) -> None:
    added = [Work("Realism", f"Newcomer {number // 2}", "", "", paint(7000 + number)) for number in range(40)]
    sides = []
    for name, works in (("few", GOOD), ("many", [*added, *GOOD])):
        catalog = read_catalog(draw_csv(tmp_path / name, works))
        prepare([catalog], tmp_path / f"{name}-out", TAXONOMY, OPTIONS)
        rows = ((split, row) for split in SPLITS for row in iterate_rows(tmp_path / f"{name}-out", split, ["id"]))
        sides.append({row["id"]: split for split, row in rows})
    few, many = sides
    assert len(many) == len(few) + 40
    assert few.items() <= many.items()


def test_splitting_by_something_else_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="by 'style'; use artist or painting"):
        prepare([small(tmp_path)], tmp_path / "out", TAXONOMY, replace(OPTIONS, split_by="style"))
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


@pytest.mark.parametrize(
    ("name", "data", "paintings"),
    [
        ("Realism/caf\udce9.jpg", paint(4000), 21),  # a row of a shard
        ("caf\udce9/1.jpg", paint(4000), 20),  # a style in audit.json
        ("Realism/caf\udce9.jpg", b"words", 20),  # a line of rejected.csv
    ],
)
def test_a_name_that_is_no_utf8_costs_no_dataset(name: str, data: bytes, paintings: int, tmp_path: Path) -> None:
    source = draw_style_folders(tmp_path / "mine", good_works(artists=2))
    try:
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_bytes(data)
    except OSError:
        pytest.skip("needs a file system that takes names of any bytes, as Linux's do")
    assert prepare([read_catalog(source)], tmp_path / "out", TAXONOMY, OPTIONS)["paintings"] == paintings


def test_the_datasets_library_opens_it_with_pictures_and_class_names(prepared: Prepared, tmp_path: Path) -> None:
    """In a process of its own: the library brings threads and warnings that are not ours."""
    script = (
        "import json, sys, datasets\n"
        "opened = datasets.load_dataset(sys.argv[1], cache_dir=sys.argv[2])\n"
        "row = opened['train'][0]\n"
        "counts = {name: len(split) for name, split in opened.items()}\n"
        "names = opened['train'].features['movement'].names\n"
        "print(json.dumps([counts, names, row['whole'].size, len(row['regions']), len(row['boxes'])]))"
    )
    command = [sys.executable, "-c", script, str(prepared.folder), str(tmp_path / "cache")]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counts, movements, size, regions, boxes = json.loads(done.stdout.splitlines()[-1])
    assert counts == {split: len(rows) for split, rows in prepared.rows().items()}
    assert movements == list(TAXONOMY.movements)
    assert (size, regions, boxes) == ([OPTIONS.size_px, OPTIONS.size_px], 5, 5)


@pytest.mark.parametrize("trim", [True, False])
def test_margins_are_left_out_of_the_views_unless_they_are_kept(trim: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    works = []
    for number, style in enumerate(STYLES * 4):
        image = Image.new("RGB", (70, 60), "white")
        image.paste(Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)), (20, 10))
        stream = BytesIO()
        image.save(stream, "PNG")
        works.append(Work(style, f"Painter {number}", f"No {number}", "", stream.getvalue()))
    draw_csv(tmp_path / "framed", works)
    options = replace(OPTIONS, trim=trim, split_by="painting")
    prepare([read_catalog(str(tmp_path / "framed"))], tmp_path / "data", TAXONOMY, options)
    rows = [row for split in SPLITS for row in iterate_rows(tmp_path / "data", split, ["width", "boxes"])]
    assert read_info(tmp_path / "data").trim is trim
    assert {row["width"] for row in rows} == {70}
    assert {tuple(row["boxes"][0]) for row in rows} == {(20, 10, 52, 42) if trim else (0, 0, 32, 32)}
