"""Every layout is recognised and read to the same records; what cannot be used is refused by name."""

import random
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.catalog import Catalog, Place, Record, RecordReader, normalise_artist, read_catalog
from artnet.errors import ArtNetError, DataError, SourceError, TooLargeError, UsageError
from artnet.image import Limits
from collections_fixture import (
    WORKS,
    Work,
    draw_csv,
    draw_painter_by_numbers,
    draw_style_folders,
    draw_wikiart,
    write_csv,
    write_zip,
)

DRAWERS: dict[str, Callable[[Path], Path]] = {
    "painter-by-numbers": lambda folder: draw_painter_by_numbers(folder / "kaggle", WORKS),
    "painter-by-numbers zipped": lambda folder: draw_painter_by_numbers(folder / "kaggle", WORKS, zipped=True),
    "wikiart": lambda folder: draw_wikiart(folder / "wikiart", WORKS),
    "wikiart zipped": lambda folder: draw_wikiart(folder / "wikiart.zip", WORKS),
    "folders": lambda folder: draw_style_folders(folder / "mine", WORKS),
    "folders zipped": lambda folder: draw_style_folders(folder / "mine.zip", WORKS),
    "csv": lambda folder: draw_csv(folder / "table", WORKS),
}
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
    found = read_all(read_catalog(DRAWERS[layout](tmp_path)))
    assert {style.replace("Ukiyo_e", "Ukiyo-e"): data for style, data in found.items()} == expected


@LAYOUTS
def test_reading_leaves_the_collection_as_it_was(layout: str, tmp_path: Path) -> None:
    source = DRAWERS[layout](tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    read_all(read_catalog(source))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("layout", ["painter-by-numbers", "painter-by-numbers zipped", "csv"])
def test_a_table_gives_style_artist_title_and_date(layout: str, tmp_path: Path) -> None:
    catalog = read_catalog(DRAWERS[layout](tmp_path))
    found = [(record.style, record.artist, record.title, record.date) for record in catalog.records]
    assert found == [(work.style, work.artist, work.title, work.date or None) for work in WORKS]


@pytest.mark.parametrize("layout", ["wikiart", "wikiart zipped"])
def test_wikiart_file_names_give_artist_title_and_date(layout: str, tmp_path: Path) -> None:
    records = by_style(read_catalog(DRAWERS[layout](tmp_path)))
    wave, fuji = records["Realism"], records["Ukiyo_e"]
    assert (wave.artist, wave.title, wave.date) == ("gustave-courbet", "the-wave", "1869")
    assert (fuji.artist, fuji.title, fuji.date) == ("katsushika-hokusai", "fuji", None)


def test_plain_folders_give_the_style_and_claim_nothing_more(tmp_path: Path) -> None:
    catalog = read_catalog(draw_style_folders(tmp_path / "mine", WORKS[:1]))
    path = tmp_path / "mine" / "Cubism" / "1.jpg"
    assert catalog.records == (Record("mine/Cubism/1.jpg", Place(path), "Cubism"),)


def test_the_records_of_a_zip_are_members_of_it(tmp_path: Path) -> None:
    source = draw_wikiart(tmp_path / "wikiart.zip", WORKS[:1])
    (record,) = read_catalog(source).records
    assert record.place == Place(source, "Cubism/juan-gris_clown-1919.jpg")
    assert record.source == "wikiart.zip/Cubism/juan-gris_clown-1919.jpg"


def test_pictures_still_in_several_train_zips_are_found(tmp_path: Path) -> None:
    folder = draw_painter_by_numbers(tmp_path / "kaggle", WORKS, zipped=True)
    (folder / "train.zip").unlink()
    for part, number in enumerate((1, 3), start=1):
        write_zip(folder / f"train_{part}.zip", {f"train_{part}/{number}.jpg": b"from part %d" % part})
    found = read_all(read_catalog(folder))
    assert (found["Cubism"], found["Realism"]) == (b"from part 1", b"from part 2")


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
def test_a_listed_file_that_is_missing_is_a_record_without_a_place(
    draw: Callable[[Path, list[Work]], Path], tmp_path: Path
) -> None:
    catalog = read_catalog(draw(tmp_path / "mine", [WORKS[0], replace(WORKS[1], data=None)]))
    present, missing = catalog.records
    assert present.place is not None
    assert missing.place is None
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gogh, Vincent Van", "Vincent van Gogh"),
        ("vincent-van-gogh", "Vincent van Gogh"),
        ("  VINCENT   van_Gogh ", "Vincent van Gogh"),
        ("Fernand Léger", "fernand-leger"),
        ("Le\u0301ger, Fernand", "Fernand L\u00e9ger"),
        ("Joan Miró", "MIRO, JOAN"),
    ],
)
def test_the_spellings_of_one_artist_meet(one: str, other: str) -> None:
    assert normalise_artist(one) == normalise_artist(other) is not None


def test_a_normalised_artist_is_lower_case_words_in_order() -> None:
    assert normalise_artist("Gogh, Vincent Van") == "gogh van vincent"


@pytest.mark.parametrize(("one", "other"), [("Claude Monet", "Édouard Manet"), ("Jan Both", "Andries Both")])
def test_two_artists_stay_two(one: str, other: str) -> None:
    assert normalise_artist(one) != normalise_artist(other)


@pytest.mark.parametrize("name", [None, "", "  ", "unknown-artist", "Unknown Artist", "Anonymous", "nan", "-"])
def test_an_unknown_artist_is_none(name: str | None) -> None:
    assert normalise_artist(name) is None


@pytest.mark.parametrize("name", ["Казимир Малевич", "葛飾北斎", "Θεόφιλος"])
def test_an_artist_written_in_other_letters_is_not_unknown(name: str) -> None:
    assert normalise_artist(name) is not None
    assert normalise_artist(name) == normalise_artist(" ".join(reversed(name.split())))


@given(st.text())
def test_normalising_an_artist_twice_changes_nothing_more(name: str) -> None:
    once = normalise_artist(name)
    assert normalise_artist(once) == once


@given(st.permutations(["Henri", "Marie", "de", "Toulouse", "Lautrec"]), st.sampled_from([" ", ", ", "-", "_"]))
def test_order_and_separators_of_an_artists_words_do_not_matter(words: list[str], glue: str) -> None:
    assert normalise_artist(glue.join(words)) == "de henri lautrec marie toulouse"


def test_wikiarts_unknown_artist_is_nobody(tmp_path: Path) -> None:
    source = draw_wikiart(tmp_path / "wikiart", [replace(WORKS[0], artist=""), replace(WORKS[1], artist="")])
    assert {path.name for path in source.rglob("*.jpg")} >= {"unknown-artist_clown-1919.jpg"}
    assert {record.artist for record in read_catalog(source).records} == {None}


def test_a_place_where_nothing_is_gives_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere: no such file or folder"):
        read_catalog(tmp_path / "nowhere")


def test_an_unknown_kind_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'louvre'; use one of painter-by-numbers, wikiart, folders, csv"):
        read_catalog(tmp_path, "louvre")


def broken_zip(folder: Path) -> Path:
    path = draw_wikiart(folder / "broken.zip", WORKS)
    path.write_bytes(path.read_bytes()[:200])
    return path


REFUSED: dict[str, Callable[[Path], Path]] = {
    "a zip cut short": broken_zip,
    "a table without the column style": lambda folder: write_csv(folder / "wrong.csv", [("path", "movement")]),
    "a table of nothing": lambda folder: write_csv(folder / "blank.csv", []),
    "a table without rows": lambda folder: write_csv(folder / "short.csv", [("path", "style")]),
    "a table that is not UTF-8": lambda folder: write_csv(
        folder / "latin.csv", [("path", "style"), ("1.jpg", "Réalisme")], encoding="latin-1"
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
    table = write_csv(tmp_path / "wrong.csv", [("file", "style"), ("1.jpg", "Cubism")])
    with pytest.raises(DataError, match="no column 'path'; its first line names file, style"):
        read_catalog(table)


@pytest.mark.parametrize("kind", ["painter-by-numbers", "csv"])
def test_a_kind_whose_table_is_not_there_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ArtNetError, match=tmp_path.name):
        read_catalog(draw_style_folders(tmp_path / "mine", WORKS), kind)


def test_a_broken_zip_of_the_kaggle_set_is_refused_by_name(tmp_path: Path) -> None:
    folder = draw_painter_by_numbers(tmp_path / "kaggle", WORKS, zipped=True)
    (folder / "test.zip").write_bytes(b"PK\x03\x04 and then the line went dead")
    with pytest.raises(DataError, match=r"test\.zip: cannot be read as a zip archive"):
        read_catalog(folder)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_is_an_error_of_that_painting_alone(method: int, tmp_path: Path) -> None:
    source, data = tmp_path / "mine.zip", random.Random(0).randbytes(500)
    with zipfile.ZipFile(source, "w", method) as archive:
        archive.writestr("Cubism/1.jpg", data)
        archive.writestr("Cubism/2.jpg", b"sound")
    content = bytearray(source.read_bytes())
    content[45:100] = b"\xff" * 55  # inside the first member's data, which begins after 30 + 12 bytes of header
    source.write_bytes(content)
    damaged, sound = read_catalog(source).records
    with RecordReader() as reader:
        with pytest.raises(SourceError, match=r"mine\.zip/Cubism/1\.jpg"):
            reader.read(damaged)
        assert reader.read(sound) == b"sound"


@pytest.mark.parametrize("name", ["mine", "mine.zip"])
def test_a_picture_over_the_budget_is_too_large_wherever_it_lies(name: str, tmp_path: Path) -> None:
    (record,) = read_catalog(draw_style_folders(tmp_path / name, WORKS[:1])).records
    with RecordReader(Limits(size_bytes=5)) as reader, pytest.raises(TooLargeError, match=f"{name}/Cubism"):
        reader.read(record)


def test_an_overlong_path_in_a_table_is_a_missing_file(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "mine.csv", [("path", "style"), ("x" * 300 + ".jpg", "Cubism")])
    assert [record.place for record in read_catalog(table).records] == [None]


def test_an_archive_that_is_gone_by_the_time_of_reading_gives_a_source_error(tmp_path: Path) -> None:
    source = draw_style_folders(tmp_path / "mine.zip", WORKS[:1])
    (record,) = read_catalog(source).records
    source.unlink()
    with RecordReader() as reader, pytest.raises(SourceError, match=r"mine\.zip/Cubism/1\.jpg"):
        reader.read(record)
