"""The graph on OpenVINO gives the same bits each time, and says what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from artnet.errors import ModelError, UsageError
from artnet.model.config import GRAPH_FILE, default_model, read_model
from artnet.model.openvino import OpenVinoEngine, cache_folder, compile_config

GRAPH = default_model() / GRAPH_FILE
SIZE_PX = read_model()[1].preprocessing.size_px


@pytest.fixture(scope="module")
def views() -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.normal(0, 0.6, (2, 3, SIZE_PX, SIZE_PX)).astype(np.float32)


@pytest.fixture(scope="module")
def openvino() -> OpenVinoEngine:
    return OpenVinoEngine(GRAPH, "f32")


def test_a_view_gives_the_same_bits_alone_and_among_others(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    together = openvino.run(views, None, ["logits"])["logits"]
    alone = openvino.run(views[1:], None, ["logits"])["logits"]
    assert (together[1] == alone[0]).all()


def test_a_second_engine_gives_the_same_bits(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    again = OpenVinoEngine(GRAPH, "f32").run(views, None, ["logits"])["logits"]
    assert (openvino.run(views, None, ["logits"])["logits"] == again).all()


def test_compiled_graphs_are_kept_in_the_users_cache(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    openvino.run(views, None, ["logits"])
    folder = cache_folder()
    assert folder is not None
    assert any((folder / "f32").iterdir())


def test_a_process_that_shares_the_machine_keeps_no_core_for_itself(views: np.ndarray) -> None:
    assert compile_config(exact=True, concurrency=1, processors=1, cache=None)["ENABLE_CPU_PINNING"] is False
    assert OpenVinoEngine(GRAPH, "f32", processors=1).run(views[:1], None, ["logits"])["logits"].shape == (1, 5)


def test_graphs_that_are_compiled_otherwise_are_cached_apart(tmp_path: Path) -> None:
    ways = [(True, 1, None), (False, 1, None), (True, 2, None), (True, 2, 1), (True, 1, 1)]
    folders = {compile_config(*way, tmp_path)["CACHE_DIR"] for way in ways}
    assert len(folders) == len(ways)


def test_gradients_without_a_target_are_refused(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    with pytest.raises(UsageError, match="target"):
        openvino.run(views, None, ["gradient_9"])


def test_an_output_that_the_graph_lacks_is_named(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    with pytest.raises(ModelError, match="gradient_10"):
        openvino.run(views, None, ["gradient_10"])
