"""Every layout is recognised and read to the same records; what cannot be used is refused by name."""

import json
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from artnet.data.artists import normalise_artist
from artnet.data.catalog import Catalog, Record, RecordReader
from artnet.data.readers.detect import read_catalog
from artnet.data.split import group_of
from artnet.errors import ArtNetError, DataError, SourceError, UsageError
from artnet.sources.local import LocalFile
from artnet.sources.zip import ZipMember
from fixtures.collections import (
    DRAWERS,
    WORKS,
    Work,
    draw_csv,
    draw_painter_by_numbers,
    draw_style_folders,
    draw_wikiart,
    write_csv,
    write_wikiart_splits,
    write_zip,
)

DATA = Path(__file__).parents[4] / "../shared/data"


LAYOUTS = pytest.mark.parametrize("layout", DRAWERS)


def by_style(catalog: Catalog) -> dict[str, Record]:
    return {record.style: record for record in catalog.records}


def read_all(catalog: Catalog) -> dict[str, bytes]:
    with RecordReader() as reader:
        return {record.style: reader.read(record) for record in catalog.records}


@LAYOUTS
def test_each_layout_is_recognised(layout: str, tmp_path: Path) -> None:
    catalog = read_catalog(DRAWERS[layout](tmp_path))
    assert catalog.kind == layout.split()[0]
    assert len(catalog.records) == len(WORKS)


@LAYOUTS
def test_naming_the_kind_reads_the_same_as_recognising_it(layout: str, tmp_path: Path) -> None:
    source = DRAWERS[layout](tmp_path)
    assert read_catalog(source, layout.split()[0]) == read_catalog(source)


@LAYOUTS
def test_every_record_leads_to_its_own_picture(layout: str, tmp_path: Path) -> None:
    expected = {work.style: work.data for work in WORKS}
    images = read_all(read_catalog(DRAWERS[layout](tmp_path)))
    assert {style.replace("Ukiyo_e", "Ukiyo-e"): data for style, data in images.items()} == expected


@LAYOUTS
def test_reading_leaves_the_collection_as_it_was(layout: str, tmp_path: Path) -> None:
    source = DRAWERS[layout](tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    read_all(read_catalog(source))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("layout", ["painter-by-numbers", "painter-by-numbers zipped", "csv"])
def test_a_table_gives_style_artist_title_and_date(layout: str, tmp_path: Path) -> None:
    catalog = read_catalog(DRAWERS[layout](tmp_path))
    texts = [(record.style, record.artist, record.title, record.date) for record in catalog.records]
    assert texts == [(work.style, work.artist, work.title, work.date or None) for work in WORKS]


@pytest.mark.parametrize("layout", ["wikiart", "wikiart zipped"])
def test_wikiart_file_names_give_artist_title_and_date(layout: str, tmp_path: Path) -> None:
    records = by_style(read_catalog(DRAWERS[layout](tmp_path)))
    wave, fuji = records["Realism"], records["Ukiyo_e"]
    assert (wave.artist, wave.title, wave.date) == ("gustave-courbet", "the-wave", "1869")
    assert (fuji.artist, fuji.title, fuji.date) == ("katsushika-hokusai", "fuji", None)


def test_plain_folders_give_the_style_and_claim_nothing_more(tmp_path: Path) -> None:
    catalog = read_catalog(draw_style_folders(tmp_path / "mine", WORKS[:1]))
    path = tmp_path / "mine" / "Cubism" / "1.jpg"
    assert catalog.records == (Record("mine/Cubism/1.jpg", LocalFile(str(path)), "Cubism"),)


def test_the_records_of_a_zip_are_members_of_it(tmp_path: Path) -> None:
    source = draw_wikiart(tmp_path / "wikiart.zip", WORKS[:1])
    (record,) = read_catalog(source).records
    assert isinstance(record.location, ZipMember)
    assert record.location.path == str(source)
    assert record.source == "wikiart.zip/Cubism/juan-gris_clown-1919.jpg"


def test_pictures_still_in_several_train_zips_are_found(tmp_path: Path) -> None:
    folder = draw_painter_by_numbers(tmp_path / "kaggle", WORKS, zipped=True)
    (folder / "train.zip").unlink()
    for part, number in enumerate((1, 3), start=1):
        write_zip(folder / f"train_{part}.zip", {f"train_{part}/{number}.jpg": b"from part %d" % part})
    images = read_all(read_catalog(folder))
    assert (images["Cubism"], images["Realism"]) == (b"from part 1", b"from part 2")


def test_a_folder_with_nothing_but_a_table_and_its_pictures_is_read_by_the_table(tmp_path: Path) -> None:
    table = draw_csv(tmp_path / "mine", WORKS)
    assert read_catalog(table.parent) == replace(read_catalog(table), name="mine")


def test_a_table_beside_a_folder_of_pictures_is_not_overlooked(tmp_path: Path) -> None:
    table = draw_csv(tmp_path / "mine", WORKS, pictures="pictures")
    catalog = read_catalog(table.parent)
    assert catalog.kind == "csv"
    assert [record.style for record in catalog.records] == [work.style for work in WORKS]


def test_a_table_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "excel.csv", [("path", "style"), ("1.jpg", " Cubism ")], encoding="utf-8-sig")
    assert read_catalog(table).records == (Record(f"{tmp_path.name}/1.jpg", None, "Cubism"),)


@pytest.mark.parametrize("draw", [draw_painter_by_numbers, draw_csv])
def test_a_listed_file_that_is_missing_is_a_record_without_a_location(
    draw: Callable[[Path, list[Work]], Path], tmp_path: Path
) -> None:
    catalog = read_catalog(draw(tmp_path / "mine", [WORKS[0], replace(WORKS[1], data=None)]))
    present, missing = catalog.records
    assert present.location is not None
    assert missing.location is None
    with RecordReader() as reader, pytest.raises(SourceError, match=r"mine/2\.jpg: .*no such file"):
        reader.read(missing)


@pytest.mark.parametrize("names", [["IMG_0001", "IMG_0002"], ["cubism_01", "cubism_02"]])
def test_numbered_files_in_plain_folders_are_not_taken_for_an_artists(names: list[str], tmp_path: Path) -> None:
    source = write_zip(tmp_path / "mine.zip", {f"Cubism/{name}.jpg": b"picture" for name in names})
    catalog = read_catalog(source)
    assert catalog.kind == "folders"
    assert {record.artist for record in catalog.records} == {None}


def test_what_a_mac_adds_to_a_zip_is_no_painting(tmp_path: Path) -> None:
    members = {"Cubism/1.jpg": b"picture", "__MACOSX/Cubism/._1.jpg": b"a Mac's notes"}
    catalog = read_catalog(write_zip(tmp_path / "mine.zip", members))
    assert [record.source for record in catalog.records] == ["mine.zip/Cubism/1.jpg"]


@pytest.mark.parametrize("given", [Path(), Path("catalog.csv")])
def test_a_collection_in_the_working_folder_has_that_folders_name(
    given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_csv(tmp_path / "mine", WORKS)
    monkeypatch.chdir(tmp_path / "mine")
    catalog = read_catalog(given)
    assert catalog.name in ("mine", "catalog.csv")
    assert catalog.records[0].source == "mine/1.jpg"


def zipped_without_flags(folder: Path, archive: Path) -> Path:
    """Pack a folder as stock `zip -r` does: names in UTF-8, and no flag that says so."""
    write_zip(archive, {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.jpg")})
    data = bytearray(archive.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for match in re.finditer(re.escape(signature), bytes(data)):
            data[match.start() + flags + 1] &= ~0x08
    archive.write_bytes(data)
    return archive


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_same_artists_in_a_folder_and_in_a_zip_are_on_one_side_of_the_split(
    form: Literal["NFC", "NFD"], tmp_path: Path
) -> None:
    artists = [unicodedata.normalize(form, f"Ren\u00e9e Ling\u00e8r{letter}") for letter in "abcdefghijkl"]
    folder = draw_wikiart(tmp_path / "wikiart", [Work("Cubism", name, "Clown", "1919", b"x") for name in artists])
    archive = zipped_without_flags(folder, tmp_path / "wikiart.zip")
    groups = [
        {group_of(record.source, normalise_artist(record.artist), "artist") for record in read_catalog(source).records}
        for source in (folder, archive)
    ]
    assert groups[0] == groups[1]
    assert len(groups[0]) == 12


def test_a_table_and_an_archive_may_compose_their_letters_differently(tmp_path: Path) -> None:
    rows = [("style", "new_filename"), ("Cubism", "e\u0301.jpg")]
    write_zip(tmp_path / "train.zip", {"train/\u00e9.jpg": b"picture"})
    write_csv(tmp_path / "all_data_info.csv", rows)
    assert read_all(read_catalog(tmp_path)) == {"Cubism": b"picture"}


def test_wikiarts_unknown_artist_is_nobody(tmp_path: Path) -> None:
    source = draw_wikiart(tmp_path / "wikiart", [replace(WORKS[0], artist=""), replace(WORKS[1], artist="")])
    assert {path.name for path in source.rglob("*.jpg")} >= {"unknown-artist_clown-1919.jpg"}
    assert {record.artist for record in read_catalog(source).records} == {None}


def test_a_place_where_nothing_is_gives_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere: no such file or folder"):
        read_catalog(tmp_path / "nowhere")


def test_an_unknown_kind_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'louvre'; use one of painter-by-numbers, wikiart, huggingface, folders, csv"):
        read_catalog(tmp_path, "louvre")


def broken_zip(folder: Path) -> Path:
    path = draw_wikiart(folder / "broken.zip", WORKS)
    path.write_bytes(path.read_bytes()[:200])
    return path


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-1])
    return path


REFUSED: dict[str, Callable[[Path], Path]] = {
    "a zip cut short": broken_zip,
    "a table without the column style": lambda folder: write_csv(folder / "wrong.csv", [("path", "movement")]),
    "a table of nothing": lambda folder: write_csv(folder / "blank.csv", []),
    "a table without rows": lambda folder: write_csv(folder / "short.csv", [("path", "style")]),
    "a table cut within a letter": lambda folder: cut(
        write_csv(folder / "cut.csv", [("path", "style"), ("1.jpg", "Cubism")], encoding="utf-16")
    ),
    "an empty folder": lambda folder: folder,
    "a zip without pictures": lambda folder: write_zip(folder / "texts.zip", {"Cubism/notes.txt": b"words"}),
    "a file of another kind": lambda folder: write_csv(folder / "notes.txt", [("words",)]),
    "pictures in no folder": lambda folder: write_zip(folder / "loose.zip", {"1.jpg": b"picture"}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_collection_is_refused_by_name(case: str, tmp_path: Path) -> None:
    source = REFUSED[case](tmp_path)
    with pytest.raises(DataError) as refusal:
        read_catalog(source)
    assert str(source) in str(refusal.value)


def test_a_wrong_header_is_shown_beside_what_was_expected(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "wrong.csv", [("file", "genre"), ("1.jpg", "portrait")])
    with pytest.raises(DataError, match=r"no column 'style' or 'label' or 'class'; those .* are file, genre"):
        read_catalog(table)


@pytest.mark.parametrize("header", [("image", "LABEL"), ("File Name", "class"), ("Style", "FullName")])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_read_under_the_names_that_people_use(
    header: tuple[str, str], encoding: str, tmp_path: Path
) -> None:
    row = ("1.jpg", "R\u00e9alisme") if header[0] != "Style" else ("R\u00e9alisme", "1.jpg")
    (record,) = read_catalog(write_csv(tmp_path / "mine.csv", [header, row], encoding)).records
    assert (record.source, record.style) == (f"{tmp_path.name}/1.jpg", "R\u00e9alisme")


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_the_metadata_of_image_folders_lists_them(name: str, tmp_path: Path) -> None:
    for folder, style in (("train", "Cubism"), ("test", "Realism")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.jpg").write_bytes(style.encode())
        row = {"file_name": "1.jpg", "label": style, "artist": "Anyone"}
        text = f"{','.join(row)}\n{','.join(row.values())}\n" if name.endswith("csv") else f"{json.dumps(row)}\n"
        (tmp_path / folder / name).write_text(text)
    catalog = read_catalog(tmp_path)
    assert catalog.kind == "csv"
    assert {record.source: (record.style, record.artist) for record in catalog.records} == {
        "test/1.jpg": ("Realism", "Anyone"),
        "train/1.jpg": ("Cubism", "Anyone"),
    }
    assert read_all(catalog) == {"Cubism": b"Cubism", "Realism": b"Realism"}


def test_a_row_without_a_path_is_no_painting(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "mine.csv", [("path", "style"), ("", "Cubism"), ("1.jpg", "Realism")])
    assert [record.style for record in read_catalog(table).records] == ["Realism"]


def test_a_row_that_names_the_tables_own_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").touch()
    (record,) = read_catalog(write_csv(tmp_path / "mine.csv", [("path", "style"), (".", "Cubism")])).records
    assert "name that folder as a source of its own" in str(record.error)


@pytest.mark.parametrize("kind", ["painter-by-numbers", "csv", "huggingface"])
def test_a_kind_whose_table_is_not_there_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ArtNetError, match=tmp_path.name):
        read_catalog(draw_style_folders(tmp_path / "mine", WORKS), kind)


def test_a_broken_zip_of_the_kaggle_set_is_refused_by_name(tmp_path: Path) -> None:
    folder = draw_painter_by_numbers(tmp_path / "kaggle", WORKS, zipped=True)
    (folder / "test.zip").write_bytes(b"PK\x03\x04 and then the line went dead")
    with pytest.raises(DataError, match=r"test\.zip: cannot be read as a zip archive"):
        read_catalog(folder)


def test_an_overlong_path_in_a_table_is_a_missing_file(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "mine.csv", [("path", "style"), ("x" * 300 + ".jpg", "Cubism")])
    assert [record.location for record in read_catalog(table).records] == [None]


def test_the_kaggle_table_named_itself_is_the_same_collection(tmp_path: Path) -> None:
    folder = draw_painter_by_numbers(tmp_path / "kaggle", WORKS)
    catalog = read_catalog(folder / "all_data_info.csv")
    assert catalog == read_catalog(folder)
    assert (catalog.name, catalog.kind) == ("kaggle", "painter-by-numbers")


def test_a_table_whose_pictures_are_all_missing_is_read_and_says_where_they_were_looked_for(tmp_path: Path) -> None:
    rows = [("style", "filename"), ("Cubism", "7.jpg"), ("Realism", "8.jpg")]
    (tmp_path / "kaggle").mkdir()
    catalog = read_catalog(write_csv(tmp_path / "kaggle" / "all_data_info.csv", rows))
    assert catalog.records == (Record("kaggle/7.jpg", None, "Cubism"), Record("kaggle/8.jpg", None, "Realism"))
    assert catalog.missing == 2
    assert catalog.searched == f"train, test and their zip archives in {tmp_path / 'kaggle'}"


@pytest.mark.parametrize("unpacked", [False, True])
def test_replacements_take_the_place_of_the_corrupted_files(unpacked: bool, tmp_path: Path) -> None:
    folder = draw_painter_by_numbers(tmp_path / "kaggle", WORKS, zipped=True)
    members = {"train/3.jpg": b"mended", "2.jpg": b"too", "__MACOSX/train/._1.jpg": b"a Mac's notes"}
    archive = write_zip(folder / "replacements_for_corrupted_files.zip", members)
    if unpacked:
        with zipfile.ZipFile(archive) as file:
            file.extractall(archive.with_suffix(""))
        archive.unlink()
    images = read_all(read_catalog(folder))
    assert (images["Realism"], images["Impressionism"]) == (b"mended", b"too")
    assert images["Cubism"] == WORKS[0].data


def test_of_two_files_of_one_name_the_tables_in_train_decides(tmp_path: Path) -> None:
    header = ("style", "in_train", "new_filename")
    rows = [("Cubism", "True", "1.jpg"), ("Realism", "False", "1.jpg"), ("Fauvism", "", "1.jpg")]
    write_zip(tmp_path / "train.zip", {"train/1.jpg": b"of train"})
    write_zip(tmp_path / "test.zip", {"test/1.jpg": b"of test"})
    write_zip(tmp_path / "replacements_for_corrupted_files.zip", {"test/1.jpg": b"of test, mended"})
    write_csv(tmp_path / "all_data_info.csv", [header, *rows])
    images = read_all(read_catalog(tmp_path))
    assert images == {"Cubism": b"of train", "Realism": b"of test, mended", "Fauvism": b"of train"}


def test_an_unpacked_picture_is_preferred_to_the_one_in_the_archive(tmp_path: Path) -> None:
    folder = draw_painter_by_numbers(tmp_path / "kaggle", WORKS)
    write_zip(folder / "train.zip", {"train/1.jpg": b"as downloaded"})
    (folder / "train_info.csv.zip").write_bytes(b"no archive of pictures, and cut short")
    assert read_all(read_catalog(folder))["Cubism"] == WORKS[0].data


def test_each_row_for_one_file_is_a_record(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"picture")
    rows = [("path", "style"), ("1.jpg", "Cubism"), ("1.jpg", "Cubism"), ("1.jpg", "Realism")]
    records = read_catalog(write_csv(tmp_path / "mine.csv", rows)).records
    assert [record.style for record in records] == ["Cubism", "Cubism", "Realism"]
    assert {record.location for record in records} == {LocalFile(str(tmp_path / "1.jpg"))}


def test_a_name_that_a_zip_holds_twice_is_two_records(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("Cubism/1.jpg", b"first")
        archive.writestr("Cubism/1.jpg", b"last")
    catalog = read_catalog(tmp_path / "mine.zip")
    with RecordReader() as reader:
        assert {record.source: reader.read(record) for record in catalog.records} == {
            "mine.zip/Cubism/1.jpg": b"first",
            "mine.zip/Cubism/1.jpg#1": b"last",
        }


@pytest.mark.parametrize("beside", ["", "wikiart_csv"])
def test_the_csv_splits_of_wikiart_add_what_is_missing_and_nothing_else(beside: str, tmp_path: Path) -> None:
    source = draw_wikiart(tmp_path / "wikiart", WORKS)
    there = read_catalog(source)
    names = [record.source.removeprefix("wikiart/") for record in there.records]
    write_wikiart_splits(source / beside, [*names[1:], "Realism/gustave-courbet_the-wave-1870(2).jpg"])
    catalog = read_catalog(source)
    assert catalog.kind == "wikiart"
    assert catalog.records[:4] == there.records
    lost = "wikiart/Realism/gustave-courbet_the-wave-1870(2).jpg"
    assert catalog.records[4:] == (Record(lost, None, "Realism", "gustave-courbet", "the-wave", "1870"),)


def test_a_folder_of_numbered_pictures_with_csv_splits_is_wikiart(tmp_path: Path) -> None:
    source = draw_style_folders(tmp_path / "mine", WORKS[:1])
    write_wikiart_splits(source, ["Cubism/1.jpg"])
    assert (read_catalog(source).kind, read_catalog(source, "wikiart").missing) == ("wikiart", 0)


@pytest.mark.parametrize("on_disk", ["joaqu\u00edn-s_a.jpg", "joaqui\u0301n-s_a.jpg", "joaqu#U00e3n-s_a.jpg"])
def test_a_spelling_that_unpacking_has_changed_is_not_missing(on_disk: str, tmp_path: Path) -> None:
    source = draw_wikiart(tmp_path / "wikiart", WORKS[:1])
    (source / "Cubism" / on_disk).write_bytes(b"picture")
    write_wikiart_splits(source, ["Cubism/joaqu\u00e3n-s_a.jpg"])
    assert read_catalog(source).missing == 0


def beside(name: str) -> pytest.MarkDecorator:
    reason = f"runs where ../shared/data/{name} lies beside the repository"
    return pytest.mark.skipif(not (DATA / name).exists(), reason=reason)


@beside("painter-by-numbers/all_data_info.csv")
def test_the_real_table_of_painter_by_numbers_is_read() -> None:
    catalog = read_catalog(DATA / "painter-by-numbers")
    assert (catalog.kind, len(catalog.records), catalog.missing) == ("painter-by-numbers", 102_264, 102_264)
    assert Counter(record.style for record in catalog.records)["Cubism"] == 1747


@beside("painter-by-numbers-sample/train.zip")
def test_every_row_of_the_sample_of_painter_by_numbers_leads_to_a_picture() -> None:
    catalog = read_catalog(DATA / "painter-by-numbers-sample")
    assert (catalog.kind, len(catalog.records), catalog.missing) == ("painter-by-numbers", 3712, 0)
    with RecordReader() as reader:
        assert all(reader.read(record).startswith(b"\xff\xd8") for record in catalog.records[::500])


@beside("wikiart224.zip")
def test_the_real_names_of_wikiart_give_styles_and_artists() -> None:
    catalog = read_catalog(DATA / "wikiart224.zip")
    styles = Counter(record.style for record in catalog.records)
    assert (catalog.kind, catalog.missing, len(catalog.records)) == ("wikiart", 0, 8624)
    assert (styles["Cubism"], styles["Pointillism"]) == (1724, 74)
    assert {record.artist for record in catalog.records if record.style == "Expressionism"} == {None}
