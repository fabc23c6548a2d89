"""An engine is opened by the name of its runtime, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from artnet.errors import ModelError, UsageError
from artnet.model.config import GRAPH_FILE, default_model
from artnet.model.engine import open_engine

GRAPH = default_model() / GRAPH_FILE


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_file_that_is_no_graph_is_refused(runtime: str, tmp_path: Path) -> None:
    path = tmp_path / GRAPH_FILE
    path.write_bytes(b"not a graph")
    if runtime == "onnxruntime":
        pytest.importorskip("onnxruntime", reason="needs pip install 'artnet[onnxruntime]'")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        _ = open_engine(path, runtime).classes


def test_unknown_runtimes_and_precisions_are_refused() -> None:
    with pytest.raises(UsageError, match="openvino, onnxruntime"):
        open_engine(GRAPH, "tensorflow")
    with pytest.raises(UsageError, match="auto, f32"):
        open_engine(GRAPH, precision="int4")


def test_a_concurrency_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="concurrency is 0"):
        open_engine(GRAPH, concurrency=0)
