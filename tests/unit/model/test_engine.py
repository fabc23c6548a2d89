"""Two runtimes, one graph, the same numbers."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from artnet.errors import ModelError, UsageError
from artnet.model.config import GRAPH_FILE, default_model, read_model
from artnet.model.engine import open_engine
from artnet.model.graph import CHANNELS_GRADIENT, output_names, required_inputs
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


def test_both_engines_give_the_same_logits_in_float32(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    pytest.importorskip("onnxruntime", reason="needs pip install 'artnet[onnxruntime]'")
    ours = openvino.run(views, None, ["logits"])["logits"]
    theirs = open_engine(GRAPH, "onnxruntime").run(views, None, ["logits"])["logits"]
    assert ours.shape == (2, openvino.classes)
    assert np.abs(ours - theirs).max() < 1e-3


def test_both_engines_give_the_same_gradients(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    pytest.importorskip("onnxruntime", reason="needs pip install 'artnet[onnxruntime]'")
    target = np.eye(openvino.classes, dtype=np.float32)[:2]
    wanted = ["gradient_9", "gradient_5"]
    ours = openvino.run(views, target, wanted)
    theirs = open_engine(GRAPH, "onnxruntime").run(views, target, wanted)
    for name in wanted:
        assert np.linalg.norm(ours[name] - theirs[name]) < 1e-2 * np.linalg.norm(theirs[name])


def test_a_view_gives_the_same_bits_alone_and_among_others(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    together = openvino.run(views, None, ["logits"])["logits"]
    alone = openvino.run(views[1:], None, ["logits"])["logits"]
    assert (together[1] == alone[0]).all()


def test_a_second_engine_gives_the_same_bits(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    again = OpenVinoEngine(GRAPH, "f32").run(views, None, ["logits"])["logits"]
    assert (openvino.run(views, None, ["logits"])["logits"] == again).all()


def test_pruned_outputs_equal_those_of_the_whole_graph(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    target = np.ones((1, openvino.classes), np.float32)
    wanted = [name for name in output_names() if name in openvino.outputs and name != CHANNELS_GRADIENT]
    whole = openvino.run(views[:1], target, wanted)
    assert np.allclose(whole["logits"], openvino.run(views[:1], None, ["logits"])["logits"], atol=1e-4)
    assert all(len(whole[name]) == 1 and np.isfinite(whole[name]).all() for name in wanted)


def test_outputs_need_only_the_inputs_they_depend_on() -> None:
    assert required_inputs(["logits", "activation_3"]) == ["views"]
    assert required_inputs(["logits", "gradient_3", "gradient_views"]) == ["views", "target"]
    assert required_inputs([CHANNELS_GRADIENT]) == ["views", "mixture"]


def test_compiled_graphs_are_kept_in_the_users_cache(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    openvino.run(views, None, ["logits"])
    folder = cache_folder()
    assert folder is not None
    assert any((folder / "f32").iterdir())


def test_a_cache_that_cannot_be_made_costs_time_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, views: np.ndarray
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache_folder() is None
    assert OpenVinoEngine(GRAPH, "f32").run(views, None, ["logits"])["logits"].shape == (2, 5)


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


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_file_that_is_no_graph_is_refused(engine: str, tmp_path: Path) -> None:
    path = tmp_path / GRAPH_FILE
    path.write_bytes(b"not a graph")
    if engine == "onnxruntime":
        pytest.importorskip("onnxruntime", reason="needs pip install 'artnet[onnxruntime]'")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        _ = open_engine(path, engine).classes


def test_unknown_engines_and_precisions_are_refused() -> None:
    with pytest.raises(UsageError, match="openvino, onnxruntime"):
        open_engine(GRAPH, "tensorflow")
    with pytest.raises(UsageError, match="auto, f32"):
        open_engine(GRAPH, precision="int4")


def test_several_callers_at_once_get_the_bits_that_one_gets(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    shared = open_engine(GRAPH, precision="f32", concurrency=3)
    alone = openvino.run(views[:1], None, ["logits"])["logits"]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: shared.run(views[:1], None, ["logits"])["logits"], range(24)))
    assert all(np.array_equal(each, alone) for each in found)


def test_at_least_one_caller_is_served() -> None:
    with pytest.raises(UsageError, match="concurrency is 0"):
        open_engine(GRAPH, concurrency=0)


def test_nobody_is_told_that_openvino_was_loaded() -> None:
    script = (
        "import sys, socket, os\n"
        "def refuse(*_): print('told'); os._exit(9)\n"
        "os.register_at_fork(before=refuse)\n"
        "socket.socket.connect = refuse\n"
        "from artnet import Classifier\n"
        "from PIL import Image\n"
        "Classifier.load().classify(Image.new('RGB', (9, 9)))\n"
        "assert not [name for name in sys.modules if name.startswith('openvino_telemetry')]"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_threads_whose_first_view_comes_at_once_do_not_wait_for_ever() -> None:
    script = (
        "import sys, threading, numpy as np\n"
        "from artnet.model.openvino import OpenVinoEngine\n"
        f"engine = OpenVinoEngine(__import__('pathlib').Path({str(GRAPH)!r}), 'f32', concurrency=2)\n"
        "sys.setswitchinterval(1e-5)\n"
        f"view = np.zeros((1, 3, {SIZE_PX}, {SIZE_PX}), np.float32)\n"
        "threads = [threading.Thread(target=engine.run, args=(view, None, ['logits'])) for _ in range(4)]\n"
        "[each.start() for each in threads]; [each.join() for each in threads]"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
