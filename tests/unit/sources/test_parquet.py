"""A Parquet file gives the picture of each row, called by the path beside it."""

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


def found(path: Path, rules: SourceRules | None = None, **columns: object) -> list[SourceItem]:
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return list(find_items([str(path)], rules or SourceRules()))


def test_the_struct_of_hugging_face_gives_bytes_and_names(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    pictures = found(path, image=[{"bytes": b"A", "path": "a.jpg"}, {"bytes": b"B", "path": "b.jpg"}], style=["x", "y"])
    assert [one.name for one in pictures] == [f"{path}/a.jpg", f"{path}/b.jpg"]
    assert [pickle.loads(pickle.dumps(one)).read() for one in pictures] == [b"A", b"B"]


def test_plain_bytes_are_called_by_a_column_of_names_or_their_row(tmp_path: Path) -> None:
    (one,) = found(tmp_path / "a.parquet", picture=[b"A"], filename=["one.png"])
    (other,) = found(tmp_path / "b.parquet", image=[b"A"], thumbnail=[b"a"])
    assert (one.name, other.name) == (f"{tmp_path}/a.parquet/one.png", f"{tmp_path}/b.parquet/row 0")


def test_rows_of_one_name_have_two(tmp_path: Path) -> None:
    pictures = found(tmp_path / "a.parquet", image=[{"bytes": bytes([n]), "path": "x.jpg"} for n in range(5)])
    assert len({one.name for one in pictures}) == 5
    assert [one.read() for one in pictures] == [bytes([n]) for n in range(5)]


def test_a_row_without_bytes_or_with_too_many_is_told(tmp_path: Path) -> None:
    image = [
        {"bytes": None, "path": "a.jpg"},
        None,
        {"bytes": b"B" * 99, "path": "b.jpg"},
        {"bytes": b"C", "path": None},
    ]
    pictures = found(tmp_path / "a.parquet", SourceRules(Limits(size_bytes=10)), image=image)
    assert [one.error.kind if one.error else "picture" for one in pictures] == [
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
    (one,) = found(tmp_path / "a.parquet", **columns)
    assert words in str(one.error)


def test_an_empty_table_is_an_error(tmp_path: Path) -> None:
    (one,) = found(tmp_path / "a.parquet", image=pa.array([], pa.binary()))
    assert one.error is not None
    assert one.error.kind == "no-images"


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_cut_short_is_an_error(share: float, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    found(path, image=[os.urandom(100)] * 20)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    (one,) = find_items([str(path)])
    assert one.error is not None
    assert "download it again" in str(one.error)


def test_a_damaged_row_group_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": [os.urandom(5000) for _ in range(200)]}), path, row_group_size=50)
    data = bytearray(path.read_bytes())
    where = pq.read_metadata(path).row_group(2).column(0).data_page_offset
    data[where : where + 40] = b"\xff" * 40
    path.write_bytes(data)
    pictures = list(find_items([str(path)]))
    assert [one.name for one in pictures if one.error] == [f"{path}#row 100"]
    assert len(pictures) == 151
    assert pictures[-1].name == f"{path}/row 199"
    with pytest.raises(ArtNetError):
        pictures[100].read()
