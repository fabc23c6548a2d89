"""The page's scripts: types, pure functions against values from Python, and a graph that was cut down."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from artnet.model.config import default_model

ROOT = Path(__file__).parent.parent.parent
STATIC = ROOT / "src" / "artnet" / "serving" / "web" / "static"


def run(*command: str) -> str:
    """Run a command in the repository and return what it prints."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def node() -> str:
    path = shutil.which("node")
    if path is None:
        pytest.skip("no Node.js: install it to test the page's scripts without a browser")
    return path


def write_vectors() -> ModuleType:
    """Load the script beside the JavaScript tests."""
    spec = importlib.util.spec_from_file_location("write_vectors", ROOT / "tests" / "js" / "write_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_vectors_are_what_the_script_writes() -> None:
    written = json.loads((ROOT / "tests" / "js" / "vectors.json").read_text(encoding="utf-8"))
    current = json.loads(json.dumps(write_vectors().vectors()))
    for before, now in zip(written.pop("resizes"), current.pop("resizes"), strict=True):
        np.testing.assert_allclose(now.pop("view"), before.pop("view"), atol=1)  # Pillow 12 and 13 differ by a level
        assert now == before
    before, now = (vectors["scores"]["ood"].pop("score") for vectors in (written, current))
    assert now == pytest.approx(before, rel=1e-6)  # processors add float32 in another order
    for before, now in zip(written["what_if"].pop("neutral"), current["what_if"].pop("neutral"), strict=True):
        np.testing.assert_allclose(now, before, atol=1)
    assert current == written


def test_pure_functions_agree_with_python(node: str) -> None:
    run(node, "--test", *map(str, sorted((ROOT / "tests" / "js").glob("*.test.js"))))


def test_the_types_hold() -> None:
    tsc = os.environ.get("ARTNET_TSC") or shutil.which("tsc")
    if tsc is None:
        pytest.skip("no TypeScript: run npm install --no-save typescript, and name its tsc in ARTNET_TSC")
    run(tsc, "-p", "tsconfig.json")


def test_a_graph_cut_to_its_logits_gives_the_same_logits(node: str, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="install it: pip install '.[onnxruntime]'")
    graph, pruned = default_model() / "model.onnx", tmp_path / "pruned.onnx"
    script = (
        f"import {{ readFileSync, writeFileSync }} from 'node:fs';\n"
        f"import {{ prune }} from '{STATIC / 'graph' / 'prune.js'}';\n"
        f"writeFileSync('{pruned}', prune(readFileSync('{graph}'), ['logits']));"
    )
    run(node, "--input-type=module", "--eval", script)
    whole, cut = (
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]) for path in (graph, pruned)
    )
    views = np.random.default_rng(0).normal(size=(2, 3, 224, 224)).astype(np.float32)
    assert [each.name for each in cut.get_inputs()] == ["views"]
    zeros = {each.name: np.zeros((2, each.shape[1]), np.float32) for each in whole.get_inputs() if each.name != "views"}
    expected = whole.run(["logits"], {"views": views, **zeros})[0]
    np.testing.assert_allclose(cut.run(["logits"], {"views": views})[0], expected, rtol=1e-5, atol=1e-5)
    assert len(cut.get_outputs()) == 1
