"""An index finds the nearest paintings, and tells what it is of."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from artnet.batch.index import Index, check_index_path, check_installed, write_index
from artnet.batch.journal import journal_path
from artnet.batch.predict import Result
from artnet.batch.table import Row, TableSchema, table_row
from artnet.errors import CorruptImageError, DataError, MissingExtraError, OutputError
from artnet.extras import install_command
from artnet.imaging.encode import encode_jpeg
from artnet.model.classifier import Classifier
from artnet.model.prediction import Prediction

needs_lancedb = pytest.mark.skipif(importlib.util.find_spec("lancedb") is None, reason="needs pip install '.[similar]'")
MODEL = "drawn (1)"
SCHEMA = TableSchema(("Cubism", "Realism"), embedding=True, thumbnail=True)


def thumbnail(colour: int) -> bytes:
    return encode_jpeg(Image.new("RGB", (8, 6), (colour, 9, 9)), 90)


def rows(embeddings: Sequence[Sequence[float] | np.ndarray | None]) -> Iterator[Row]:
    """Yield the rows of results, with None for images that failed."""
    for index, embedding in enumerate(embeddings):
        if embedding is None:
            yield table_row(Result(f"{index}.jpg", "0", error=CorruptImageError("torn")), SCHEMA)
            continue
        scores = {"Cubism": 0.75, "Realism": 0.25}
        prediction = Prediction(f"{index}.jpg", "Cubism", 0.75, "confident", scores, (), MODEL, 8, 6)
        result = Result(prediction.source, f"{index:064d}", prediction, embedding=np.array(embedding, np.float32))
        yield table_row(replace(result, thumbnail=thumbnail(index % 256)), SCHEMA)


@needs_lancedb
def test_the_nearest_by_angle_come_first_and_failures_never(tmp_path: Path) -> None:
    count = write_index(tmp_path / "index", rows([[0, 1], None, [9, 1], [1, 1]]), SCHEMA, MODEL)
    found = Index(tmp_path / "index", MODEL).nearest(np.array([2, 0], np.float32), 5)
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
        write_index(Path(folder, "index"), rows(embeddings), SCHEMA, MODEL)
        index = Index(Path(folder, "index"), MODEL)
        nearest = index.nearest(embeddings[7], 3)
    assert nearest[0].source == "7.jpg"
    assert nearest[0].similarity == pytest.approx(1, abs=1e-5)
    assert [each.similarity for each in nearest] == sorted((each.similarity for each in nearest), reverse=True)


@needs_lancedb
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_of_many_paintings_an_index_selects_those_to_compare(tmp_path: Path) -> None:
    embeddings = np.random.default_rng(5).normal(size=(600, 16)).astype(np.float32)
    write_index(tmp_path / "index", rows(embeddings), SCHEMA, MODEL, exhaustive_up_to=100)
    found = Index(tmp_path / "index", MODEL, exhaustive_up_to=100).nearest(embeddings[321], 5)
    assert found[0].source == "321.jpg"
    assert found[0].similarity == pytest.approx(1, abs=1e-5)


@needs_lancedb
def test_an_index_of_another_model_is_refused(tmp_path: Path) -> None:
    write_index(tmp_path / "index", rows([[0, 1]]), SCHEMA, MODEL)
    with pytest.raises(DataError, match=r"built with the model drawn \(1\), this is other \(2\)"):
        Index(tmp_path / "index", "other (2)")


@needs_lancedb
def test_a_folder_that_is_no_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not an index; build one with artnet index"):
        Index(tmp_path, MODEL)


@needs_lancedb
def test_images_that_all_failed_make_no_index(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of the images could be read"):
        write_index(tmp_path / "index", rows([None]), SCHEMA, MODEL)
    assert not (tmp_path / "index").exists()


@needs_lancedb
def test_a_new_index_replaces_the_old_one_in_one_step(tmp_path: Path) -> None:
    write_index(tmp_path / "index", rows([[0, 1]]), SCHEMA, MODEL)
    write_index(tmp_path / "index", rows([[0, 1], [1, 0]]), SCHEMA, MODEL)
    assert Index(tmp_path / "index", MODEL).count == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index"]


def test_what_would_be_lost_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        check_index_path(tmp_path / "photos")
    with pytest.raises(OutputError, match="is complete already"):
        check_index_path(tmp_path / "photos", "resume")
    with pytest.raises(OutputError, match="is not an index and would be lost"):
        check_index_path(tmp_path / "photos", "overwrite")
    journal_path(tmp_path / "new").write_text("begun")
    with pytest.raises(OutputError, match="was begun and not finished"):
        check_index_path(tmp_path / "new")


def test_without_lancedb_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lancedb", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("similar"))):
        check_installed()


def test_an_embedding_is_that_of_the_whole(classifier: Classifier, painting: Image.Image) -> None:
    whole = classifier.infer(classifier.open(painting).views, embed=True).embedding
    assert whole is not None
    assert np.array_equal(classifier.embed(painting), whole)
    assert json.dumps(whole.tolist())
