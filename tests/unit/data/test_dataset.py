"""What is written is what is read, in order; a folder that is not whole is refused."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artnet.data.dataset import (
    DatasetInfo,
    Row,
    SplitWriter,
    count_rows,
    digest_of_ids,
    iterate_rows,
    read_columns,
    read_info,
    schema,
    shard_names,
    spread_rows,
    write_info,
)
from artnet.errors import DataError

MOVEMENTS = ("Cubism", "Impressionism")
COLUMNS = tuple(Row.__dataclass_fields__)
INFO = DatasetInfo("drawn", MOVEMENTS, "artnet-2026", 32, "letterbox", "artist", (0.7, 0.15, 0.15), 0)


def table(rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist([each.to_columns() for each in rows], schema=schema(MOVEMENTS))


def write_rows(folder: Path, split: str, rows: Sequence[Row], rows_per_shard: int = 2000) -> list[Path]:
    with SplitWriter(folder, split, len(rows), MOVEMENTS, rows_per_shard) as writer:
        writer.write(table(rows))
    return [folder / name for name in shard_names(split, len(rows), rows_per_shard)]


def row(number: int) -> Row:
    return Row(
        id=f"{number:064x}",
        movement=number % 2,
        style="Synthetic Cubism",
        artist="Juan Gris",
        title="Le « Clown » 小丑",
        date="1919",
        source=f"mine/{number}.jpg",
        width=48,
        height=40,
        whole=b"whole \x00\xff %d" % number,
        regions=tuple(b"region %d of %d" % (region, number) for region in range(5)),
        boxes=tuple((region, 0, region + 32, 32) for region in range(5)),
    )


def rebuilt(columns: dict[str, Any]) -> Row:
    images = {"whole": columns["whole"]["bytes"], "regions": tuple(part["bytes"] for part in columns["regions"])}
    return Row(**{**columns, **images, "boxes": tuple(tuple(box) for box in columns["boxes"])})


def write_split(folder: Path, split: str, rows: int, rows_per_shard: int) -> list[Path]:
    return write_rows(folder, split, [row(number) for number in range(rows)], rows_per_shard)


def numbers(folder: Path, split: str = "train") -> list[int]:
    return [int(found["id"], 16) for found in iterate_rows(folder, split, ["id"])]


def test_a_shard_read_back_equals_what_was_written(tmp_path: Path) -> None:
    rows = [row(0), replace(row(1), artist=None, title=None, date=None)]
    write_rows(tmp_path, "train", rows)
    assert [rebuilt(columns) for columns in iterate_rows(tmp_path, "train", COLUMNS)] == rows


def test_every_image_carries_a_file_name_of_its_own(tmp_path: Path) -> None:
    write_split(tmp_path, "train", 1, 1)
    (found,) = iterate_rows(tmp_path, "train", ["id", "whole", "regions"])
    names = [found["whole"]["path"], *(part["path"] for part in found["regions"])]
    assert names[0] == f"{found['id']}.jpg"
    assert names[5] == f"{found['id']}-centre.jpg"
    assert len(set(names)) == 6


def test_a_shards_metadata_names_the_movements_to_the_datasets_library(tmp_path: Path) -> None:
    (path,) = write_split(tmp_path, "train", 1, 1)
    features = json.loads(pq.read_schema(path).metadata[b"huggingface"])["info"]["features"]
    assert features["movement"] == {"names": ["Cubism", "Impressionism"], "_type": "ClassLabel"}
    assert features["whole"] == {"_type": "Image"}
    assert features["regions"] == {"feature": {"_type": "Image"}, "_type": "List"}


def test_the_columns_are_the_fields_of_a_row_and_each_has_its_feature() -> None:
    found = schema(MOVEMENTS)
    features = json.loads(found.metadata[b"huggingface"])["info"]["features"]
    assert tuple(found.names) == tuple(features) == COLUMNS


def test_shards_are_named_as_on_the_hub() -> None:
    assert shard_names("val", 2001, 2000) == ["val-00000-of-00002.parquet", "val-00001-of-00002.parquet"]
    assert shard_names("val", 2000, 2000) == ["val-00000-of-00001.parquet"]
    assert shard_names("val", 0, 2000) == []


@given(st.integers(0, 10_000), st.integers(1, 500))
def test_there_are_just_enough_shards_and_their_names_sort(rows: int, rows_per_shard: int) -> None:
    names = shard_names("train", rows, rows_per_shard)
    assert names == sorted(set(names))
    assert (len(names) - 1) * rows_per_shard < max(rows, 1) <= max(len(names), 1) * rows_per_shard


def test_rows_come_in_the_order_they_were_written_in(tmp_path: Path) -> None:
    write_split(tmp_path, "train", rows=7, rows_per_shard=3)
    assert numbers(tmp_path) == list(range(7))
    assert read_columns(tmp_path, "train", ["source"])["source"].to_pylist() == [f"mine/{n}.jpg" for n in range(7)]
    assert count_rows(tmp_path, "train") == 7


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 6), max_size=4))
def test_how_rows_come_does_not_show_in_the_bytes(cuts: list[int]) -> None:
    rows, places = table([row(number) for number in range(7)]), sorted([0, *cuts, 7])
    written = []
    for pieces in ([rows], [rows.slice(low, high - low) for low, high in pairwise(places)]):
        with TemporaryDirectory() as folder:
            with SplitWriter(Path(folder), "train", 7, MOVEMENTS, rows_per_shard=3, rows_per_group=2) as writer:
                for piece in pieces:
                    writer.write(piece)
            written.append({path.name: path.read_bytes() for path in Path(folder).iterdir()})
            assert [pq.ParquetFile(path).num_row_groups for path in sorted(Path(folder).iterdir())] == [2, 2, 1]
    assert written[0] == written[1]


def test_rows_stream_one_shard_after_the_other(tmp_path: Path) -> None:
    _, second = write_split(tmp_path, "train", rows=4, rows_per_shard=2)
    second.write_bytes(b"cut short")
    rows = iterate_rows(tmp_path, "train", ["id"])
    assert [int(next(rows)["id"], 16) for _ in range(2)] == [0, 1]  # before the second shard is touched
    with pytest.raises(DataError, match=second.name):
        next(rows)


def test_each_split_is_read_alone(tmp_path: Path) -> None:
    write_split(tmp_path, "train", rows=3, rows_per_shard=2)
    write_split(tmp_path, "val", rows=1, rows_per_shard=2)
    assert (numbers(tmp_path, "train"), numbers(tmp_path, "val")) == ([0, 1, 2], [0])


def test_only_the_columns_asked_for_are_read(tmp_path: Path) -> None:
    write_split(tmp_path, "train", 2, 2)
    assert read_columns(tmp_path, "train", ["style", "movement"]).column_names == ["style", "movement"]
    assert [list(found) for found in iterate_rows(tmp_path, "train", ["movement"])] == [["movement"]] * 2


def test_some_rows_are_taken_evenly_and_all_where_there_are_no_more(tmp_path: Path) -> None:
    write_split(tmp_path, "val", rows=7, rows_per_shard=3)
    # Three of the places 0 to 6 are 0, 3 and 6.
    found = {count: [int(each["id"], 16) for each in spread_rows(tmp_path, "val", ["id"], count)] for count in (3, 9)}
    assert found == {3: [0, 3, 6], 9: [0, 1, 2, 3, 4, 5, 6]}


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_missing_shard_is_noticed(lost: int, tmp_path: Path) -> None:
    write_split(tmp_path, "train", rows=3, rows_per_shard=1)[lost].unlink()
    with pytest.raises(DataError, match="train shards are missing or mixed"):
        numbers(tmp_path)
    with pytest.raises(DataError, match="train shards are missing or mixed"):
        count_rows(tmp_path, "train")


def test_shards_of_two_datasets_in_one_folder_are_noticed(tmp_path: Path) -> None:
    write_split(tmp_path, "train", rows=2, rows_per_shard=1)
    write_split(tmp_path, "train", rows=1, rows_per_shard=1)
    with pytest.raises(DataError, match="missing or mixed"):
        read_columns(tmp_path, "train", ["id"])


def test_a_split_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write_split(tmp_path, "train", rows=1, rows_per_shard=1)
    with pytest.raises(DataError, match="has no test split"):
        read_columns(tmp_path, "test", ["id"])


@pytest.mark.parametrize("reader", ["read_columns", "iterate_rows", "count_rows"])
def test_a_damaged_shard_is_refused_by_whoever_reads_it(reader: str, tmp_path: Path) -> None:
    (path,) = write_split(tmp_path, "train", 1, 1)
    path.write_bytes(path.read_bytes()[:-20])
    readers: dict[str, Callable[[], object]] = {
        "read_columns": lambda: read_columns(tmp_path, "train", ["id"]),
        "iterate_rows": lambda: numbers(tmp_path),
        "count_rows": lambda: count_rows(tmp_path, "train"),
    }
    with pytest.raises(DataError, match=str(tmp_path)):
        readers[reader]()


def test_the_description_read_back_equals_what_was_written(tmp_path: Path) -> None:
    write_info(tmp_path, INFO)
    assert read_info(tmp_path) == INFO


def test_a_folder_without_a_description_is_not_a_prepared_dataset(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not a prepared dataset .* artnet prepare"):
        read_info(tmp_path)


def test_a_description_of_another_version_is_refused(tmp_path: Path) -> None:
    write_info(tmp_path, replace(INFO, format="artnet-dataset/9"))
    with pytest.raises(DataError, match=r"'artnet-dataset/9', this version reads 'artnet-dataset/1'"):
        read_info(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '"text"', '{"format": "artnet-dataset/1"}', '{"format": "artnet-dataset/1", "movements": 5}'],
)
def test_a_description_that_is_none_is_refused_by_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"dataset\.json"):
        read_info(tmp_path)


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("words", encoding="utf-8")
    with pytest.raises(DataError, match="file"):
        read_info(tmp_path / "file")


def test_a_description_from_before_train_was_named_is_read(tmp_path: Path) -> None:
    write_info(tmp_path, replace(INFO, train_sha256="ab"))
    fields = json.loads((tmp_path / "dataset.json").read_text(encoding="utf-8"))
    assert fields.pop("train_sha256") == "ab"
    (tmp_path / "dataset.json").write_text(json.dumps(fields), encoding="utf-8")
    assert read_info(tmp_path) == INFO
    assert INFO.train_sha256 == ""


def test_a_set_of_ids_is_named_by_the_sha256_of_its_sorted_lines() -> None:
    assert digest_of_ids(["b", "a"]) == hashlib.sha256(b"a\nb\n").hexdigest()
    assert digest_of_ids(["ab"]) != digest_of_ids(["a", "b"])


@given(st.sets(st.text("0123456789abcdef", min_size=4, max_size=4)).flatmap(lambda ids: st.permutations(sorted(ids))))
def test_the_order_of_ids_does_not_matter(ids: list[str]) -> None:
    assert digest_of_ids(ids) == digest_of_ids(sorted(ids))
