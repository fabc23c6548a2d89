"""OpenVINO and ONNX Runtime on the embedded model: the same numbers, alone and among threads."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from artnet.model.classifier import open_engine
from artnet.model.config import GRAPH_FILE, default_model, read_model
from artnet.model.engine import CHANNELS_GRADIENT, output_names
from artnet.model.openvino import OpenVinoEngine, cache_folder

GRAPH = default_model() / GRAPH_FILE
SIZE_PX = read_model()[1].preprocessing.size_px


def test_both_runtimes_give_the_same_logits_in_float32(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    pytest.importorskip("onnxruntime", reason="needs pip install '.[onnxruntime]'")
    ours = openvino.run(views, None, ["logits"])["logits"]
    theirs = open_engine(GRAPH, "onnxruntime").run(views, None, ["logits"])["logits"]
    assert ours.shape == (2, openvino.classes)
    assert np.abs(ours - theirs).max() < 1e-3


def test_both_runtimes_give_the_same_gradients(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    pytest.importorskip("onnxruntime", reason="needs pip install '.[onnxruntime]'")
    target = np.eye(openvino.classes, dtype=np.float32)[:2]
    names = ["gradient_9", "gradient_5"]
    ours = openvino.run(views, target, names)
    theirs = open_engine(GRAPH, "onnxruntime").run(views, target, names)
    for name in names:
        assert np.linalg.norm(ours[name] - theirs[name]) < 1e-2 * np.linalg.norm(theirs[name])


def test_pruned_outputs_equal_those_of_the_whole_graph(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    target = np.ones((1, openvino.classes), np.float32)
    names = [name for name in output_names() if name in openvino.outputs and name != CHANNELS_GRADIENT]
    whole = openvino.run(views[:1], target, names)
    assert np.allclose(whole["logits"], openvino.run(views[:1], None, ["logits"])["logits"], atol=1e-4)
    assert all(len(whole[name]) == 1 and np.isfinite(whole[name]).all() for name in names)


def test_several_threads_get_the_bits_that_one_gets(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    shared = open_engine(GRAPH, precision="f32", concurrency=3)
    alone = openvino.run(views[:1], None, ["logits"])["logits"]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: shared.run(views[:1], None, ["logits"])["logits"], range(24)))
    assert all(np.array_equal(each, alone) for each in found)


def test_a_cache_that_cannot_be_made_costs_time_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, views: np.ndarray
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache_folder() is None
    assert OpenVinoEngine(GRAPH, "f32").run(views, None, ["logits"])["logits"].shape == (2, 5)


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
