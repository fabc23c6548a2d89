"""An index finds the nearest paintings, and tells what it is of."""

from __future__ import annotations

import importlib.util
import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from artnet.batch.index import Index, check_installed, check_out, rows_path, write_index
from artnet.errors import DataError, MissingExtraError, OutputError
from artnet.model.classifier import Classifier

needs_lancedb = pytest.mark.skipif(
    importlib.util.find_spec("lancedb") is None, reason="needs pip install 'artnet[similar]'"
)
ABOUT = {"model": "drawn (1)", "movements": ["Cubism", "Realism"]}


def small(colour: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (8, 6), (colour, 9, 9)).save(buffer, "JPEG")
    return buffer.getvalue()


def rows(folder: Path, embeddings: list[list[float] | None]) -> Path:
    """A table as answers would fill it, with None for pictures that failed."""
    table = [
        {
            "source": f"{index}.jpg",
            "sha256": f"{index:064d}",
            "movement": "Cubism" if each else None,
            "confidence": 0.75 if each else None,
            "decision": "confident" if each else None,
            "score_cubism": 0.75 if each else None,
            "score_realism": 0.25 if each else None,
            "error_kind": None if each else "corrupt",
            "error": None if each else "torn",
            "label": None,
            "id": None,
            "embedding": each,
            "thumbnail": small(index) if each else None,
        }
        for index, each in enumerate(embeddings)
    ]
    schema = pa.Table.from_pylist(table).schema
    schema = schema.set(schema.get_field_index("embedding"), pa.field("embedding", pa.list_(pa.float32())))
    for name in ("label", "id", "error", "error_kind"):
        schema = schema.set(schema.get_field_index(name), pa.field(name, pa.string()))
    pq.write_table(pa.Table.from_pylist(table, schema=schema), folder / "rows.parquet")
    return folder / "rows.parquet"


@needs_lancedb
def test_the_nearest_by_angle_come_first_and_failures_never(tmp_path: Path) -> None:
    count = write_index(rows(tmp_path, [[0, 1], None, [9, 1], [1, 1]]), tmp_path / "index", ABOUT)
    found = Index(tmp_path / "index", "drawn (1)").nearest(np.array([2, 0], np.float32), 5)
    assert count == 3
    assert [each.source for each in found] == ["2.jpg", "3.jpg", "0.jpg"]
    assert [each.similarity for each in found] == pytest.approx([9 / 82**0.5, 0.5**0.5, 0], abs=1e-6)
    assert found[0].scores == {"Cubism": 0.75, "Realism": 0.25}
    assert found[0].thumbnail.size == (8, 6)


@needs_lancedb
@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**31))
def test_a_painting_is_nearest_to_itself(seed: int) -> None:
    import tempfile

    embeddings = np.random.default_rng(seed).normal(size=(20, 16)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        write_index(rows(Path(folder), embeddings.tolist()), Path(folder, "index"), ABOUT)
        index = Index(Path(folder, "index"), "drawn (1)")
        nearest = index.nearest(embeddings[7], 3)
    assert nearest[0].source == "7.jpg"
    assert nearest[0].similarity == pytest.approx(1, abs=1e-5)
    assert [each.similarity for each in nearest] == sorted((each.similarity for each in nearest), reverse=True)


@needs_lancedb
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_of_many_paintings_an_index_chooses_whom_to_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artnet.batch.index._ALL_COMPARED", 100)
    embeddings = np.random.default_rng(5).normal(size=(600, 16)).astype(np.float32)
    write_index(rows(tmp_path, embeddings.tolist()), tmp_path / "index", ABOUT)
    found = Index(tmp_path / "index", "drawn (1)").nearest(embeddings[321], 5)
    assert found[0].source == "321.jpg"
    assert found[0].similarity == pytest.approx(1, abs=1e-5)


@needs_lancedb
def test_an_index_of_another_model_is_refused(tmp_path: Path) -> None:
    write_index(rows(tmp_path, [[0, 1]]), tmp_path / "index", ABOUT)
    with pytest.raises(DataError, match=r"made with the model drawn \(1\), this is other \(2\)"):
        Index(tmp_path / "index", "other (2)")


@needs_lancedb
def test_what_is_no_index_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no index; make one with artnet index"):
        Index(tmp_path, "drawn (1)")


@needs_lancedb
def test_pictures_that_all_failed_make_no_index(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of the pictures could be read"):
        write_index(rows(tmp_path, [None]), tmp_path / "index", ABOUT)
    assert not (tmp_path / "index").exists()


@needs_lancedb
def test_a_new_index_replaces_the_old_one_in_one_step(tmp_path: Path) -> None:
    write_index(rows(tmp_path, [[0, 1]]), tmp_path / "index", ABOUT)
    write_index(rows(tmp_path, [[0, 1], [1, 0]]), tmp_path / "index", ABOUT)
    assert Index(tmp_path / "index", "drawn (1)").count == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "rows.parquet"]


def test_places_that_would_lose_something_are_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        check_out(tmp_path / "photos", resume=False, overwrite=False)
    with pytest.raises(OutputError, match="is no index and would be lost"):
        check_out(tmp_path / "photos", resume=False, overwrite=True)
    rows_path(tmp_path / "new").write_text("begun")
    with pytest.raises(OutputError, match="was begun and not finished"):
        check_out(tmp_path / "new", resume=False, overwrite=False)


def test_without_lancedb_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lancedb", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'artnet\[similar\]'"):
        check_installed()


def test_an_embedding_is_that_of_the_whole(classifier: Classifier, painting: Image.Image) -> None:
    whole = classifier.infer(classifier.open(painting).views, embed=True).embedding
    assert whole is not None
    assert np.array_equal(classifier.embed(painting), whole)
    assert json.dumps(whole.tolist())
