"""Every record's bytes, and every row of Parquet, are read or refused by name."""

import random
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artnet.data.catalog import Catalog, Record, RecordReader
from artnet.data.readers.detect import read_catalog
from artnet.errors import ArtNetError, DataError, SourceError, TooLargeError
from artnet.imaging.decode import Limits
from artnet.sources.item import SourceRules
from artnet.sources.local import LocalFile
from artnet.sources.parquet import ParquetRow
from fixtures.collections import WORKS, draw_huggingface, draw_style_folders


def test_a_catalog_counts_its_missing_files() -> None:
    records = (Record("1.jpg", None, "Cubism"), Record("2.jpg", LocalFile("2.jpg"), "Cubism"))
    assert Catalog("mine", "csv", records).missing == 1


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
        with pytest.raises(ArtNetError, match=r"mine\.zip/Cubism/1\.jpg"):
            reader.read(damaged)
        assert reader.read(sound) == b"sound"


@pytest.mark.parametrize("name", ["mine", "mine.zip", "hub"])
def test_a_picture_over_the_budget_is_too_large_wherever_it_lies(name: str, tmp_path: Path) -> None:
    draw = draw_huggingface if name == "hub" else draw_style_folders
    (record,) = read_catalog(draw(tmp_path / name, WORKS[:1])).records
    with RecordReader(SourceRules(Limits(size_bytes=5))) as reader, pytest.raises(TooLargeError, match=f"{name}/"):
        reader.read(record)


def test_an_archive_that_is_gone_by_the_time_of_reading_gives_a_source_error(tmp_path: Path) -> None:
    source = draw_style_folders(tmp_path / "mine.zip", WORKS[:1])
    (record,) = read_catalog(source).records
    source.unlink()
    with RecordReader() as reader, pytest.raises(SourceError, match=r"mine\.zip/Cubism/1\.jpg"):
        reader.read(record)


@pytest.mark.parametrize("order", [range(4), [3, 2, 1, 0], [2, 0, 0, 3, 1]])
@pytest.mark.parametrize("rows_in_group", [1, 3, 4])
def test_the_rows_of_parquet_are_read_in_any_order(order: Sequence[int], rows_in_group: int, tmp_path: Path) -> None:
    records = read_catalog(draw_huggingface(tmp_path / "hub", WORKS, rows_in_group=rows_in_group)).records
    with RecordReader() as reader:
        assert [reader.read(records[index]) for index in order] == [WORKS[index].data for index in order]


def test_reading_parquet_in_order_opens_each_row_group_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works = [replace(WORKS[0], data=b"%d" % number) for number in range(100)]
    records = read_catalog(draw_huggingface(tmp_path / "hub", works, rows_in_group=40)).records
    opened: list[Path] = []

    class Counted(pq.ParquetFile):  # type: ignore[misc]
        def __init__(self, path: Path, **options: object) -> None:
            opened.append(path)
            super().__init__(path, **options)

    monkeypatch.setattr(pq, "ParquetFile", Counted)
    with RecordReader() as reader:
        assert [reader.read(record) for record in records] == [work.data for work in works]
    assert len(opened) == 3


def test_a_row_without_a_picture_is_an_error_of_that_painting_alone(tmp_path: Path) -> None:
    empty, sound = read_catalog(draw_huggingface(tmp_path / "hub", [replace(WORKS[0], data=None), WORKS[1]])).records
    with RecordReader() as reader:
        with pytest.raises(SourceError, match=r"hub/data/train-00000-of-00001\.parquet/0: its row holds no image"):
            reader.read(empty)
        assert reader.read(sound) == WORKS[1].data


def test_a_parquet_file_that_has_changed_by_the_time_of_reading_gives_a_source_error(tmp_path: Path) -> None:
    source = draw_huggingface(tmp_path / "hub", WORKS, rows_in_group=4)
    last = read_catalog(source).records[-1]
    pq.write_table(pa.table({"image": [b"other"]}), last.location.path)
    with RecordReader() as reader, pytest.raises(SourceError, match="there is no row 3"):
        reader.read(last)
    Path(last.location.path).write_bytes(b"PAR1")
    with RecordReader() as reader, pytest.raises(SourceError, match="cannot be read from its Parquet file"):
        reader.read(last)


@pytest.mark.parametrize("labels", [True, False])
def test_parquet_gives_style_and_artist_from_labels_or_text(labels: bool, tmp_path: Path) -> None:
    catalog = read_catalog(draw_huggingface(tmp_path / "hub", WORKS, labels))
    assert [(record.style, record.artist) for record in catalog.records] == [(w.style, w.artist) for w in WORKS]
    file = tmp_path / "hub" / "data" / "train-00000-of-00001.parquet"
    assert catalog.records[3].location == ParquetRow(str(file), 1, 1)
    assert catalog.records[3].source == "hub/data/train-00000-of-00001.parquet/3"


def test_one_parquet_file_with_plain_bytes_a_title_and_a_year_is_read(tmp_path: Path) -> None:
    columns = {"image": [b"a", b"b"], "style": ["Cubism", None], "title": ["Clown", ""], "date": [1919, None]}
    pq.write_table(pa.table(columns), tmp_path / "blob")
    (tmp_path / "mine.parquet").symlink_to("blob")  # as the Hub's cache keeps its files
    clown, other = read_catalog(tmp_path / "mine.parquet").records
    assert (clown.style, clown.artist, clown.title, clown.date) == ("Cubism", None, "Clown", "1919")
    assert (other.style, other.title, other.date) == ("", None, None)
    with RecordReader() as reader:
        assert reader.read(other) == b"b"


def test_a_class_label_of_none_is_no_style(tmp_path: Path) -> None:
    source = draw_huggingface(tmp_path / "hub", WORKS[:1])
    (path,) = source.rglob("*.parquet")
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.schema.names.index("style"), "style", pa.array([-1])), path)
    assert [record.style for record in read_catalog(source).records] == [""]


WRONG_PARQUET: dict[str, tuple[dict[str, object], str]] = {
    "no style": ({"image": [b"a"], "label": [1]}, "has no column 'style'; its columns are image, label"),
    "no image": ({"whole": [b"a"], "style": ["Cubism"]}, "has no column 'image'; its columns are whole, style"),
    "numbers without names": ({"image": [b"a"], "style": [1]}, "the column 'style' holds numbers"),
    "paths": ({"image": ["a.jpg"], "style": ["Cubism"]}, "the column 'image' holds string"),
    "other structs": ({"image": [{"url": "a"}], "style": ["Cubism"]}, "the column 'image' holds struct"),
}


@pytest.mark.parametrize("case", WRONG_PARQUET)
def test_parquet_with_wrong_columns_is_refused_with_those_it_has(case: str, tmp_path: Path) -> None:
    columns, message = WRONG_PARQUET[case]
    pq.write_table(pa.table(columns), tmp_path / "mine.parquet")
    with pytest.raises(DataError, match=rf"mine\.parquet: {message}"):
        read_catalog(tmp_path)


@pytest.mark.parametrize("content", [b"version https://git-lfs.github.com/spec/v1\n", b"PAR1 cut short"])
def test_a_parquet_file_that_is_none_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"mine\.parquet: cannot be read as Parquet .*download it again"):
        read_catalog(tmp_path)
