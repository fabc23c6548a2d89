"""A Parquet file yields the image of each row, called by the path beside it."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artnet.errors import ArtNetError
from artnet.imaging.decode import Limits
from artnet.sources.find import find_items
from artnet.sources.item import SourceItem, SourceRules


def items_in(path: Path, rules: SourceRules | None = None, **columns: object) -> list[SourceItem]:
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return list(find_items([str(path)], rules or SourceRules()))


def test_the_struct_of_hugging_face_gives_bytes_and_names(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    items = items_in(path, image=[{"bytes": b"A", "path": "a.jpg"}, {"bytes": b"B", "path": "b.jpg"}], style=["x", "y"])
    assert [item.name for item in items] == [f"{path}/a.jpg", f"{path}/b.jpg"]
    assert [pickle.loads(pickle.dumps(item)).read() for item in items] == [b"A", b"B"]


def test_plain_bytes_are_called_by_a_column_of_names_or_their_row(tmp_path: Path) -> None:
    (item,) = items_in(tmp_path / "a.parquet", picture=[b"A"], filename=["item.png"])
    (other,) = items_in(tmp_path / "b.parquet", image=[b"A"], thumbnail=[b"a"])
    assert (item.name, other.name) == (f"{tmp_path}/a.parquet/item.png", f"{tmp_path}/b.parquet/row 0")


def test_rows_of_one_name_have_two(tmp_path: Path) -> None:
    items = items_in(tmp_path / "a.parquet", image=[{"bytes": bytes([n]), "path": "x.jpg"} for n in range(5)])
    assert len({item.name for item in items}) == 5
    assert [item.read() for item in items] == [bytes([n]) for n in range(5)]


def test_a_row_without_bytes_or_with_too_many_is_told(tmp_path: Path) -> None:
    image = [
        {"bytes": None, "path": "a.jpg"},
        None,
        {"bytes": b"B" * 99, "path": "b.jpg"},
        {"bytes": b"C", "path": None},
    ]
    items = items_in(tmp_path / "a.parquet", SourceRules(Limits(size_bytes=10)), image=image)
    assert [item.error.kind if item.error else "picture" for item in items] == [
        "missing",
        "missing",
        "too-large",
        "picture",
    ]


@pytest.mark.parametrize(
    ("columns", "words"), [({"style": ["x"]}, "0 columns"), ({"a": [b"1"], "b": [b"2"]}, "2 columns hold bytes")]
)
def test_a_table_without_one_column_of_bytes_says_which_it_has(
    columns: dict[str, object], words: str, tmp_path: Path
) -> None:
    (item,) = items_in(tmp_path / "a.parquet", **columns)
    assert words in str(item.error)


def test_an_empty_table_is_an_error(tmp_path: Path) -> None:
    (item,) = items_in(tmp_path / "a.parquet", image=pa.array([], pa.binary()))
    assert item.error is not None
    assert item.error.kind == "no-images"


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_cut_short_is_an_error(share: float, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    items_in(path, image=[os.urandom(100)] * 20)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    (item,) = find_items([str(path)])
    assert item.error is not None
    assert "download it again" in str(item.error)


def test_a_damaged_row_group_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": [os.urandom(5000) for _ in range(200)]}), path, row_group_size=50)
    data = bytearray(path.read_bytes())
    where = pq.read_metadata(path).row_group(2).column(0).data_page_offset
    data[where : where + 40] = b"\xff" * 40
    path.write_bytes(data)
    items = list(find_items([str(path)]))
    assert [item.name for item in items if item.error] == [f"{path}#row 100"]
    assert len(items) == 151
    assert items[-1].name == f"{path}/row 199"
    with pytest.raises(ArtNetError):
        items[100].read()
