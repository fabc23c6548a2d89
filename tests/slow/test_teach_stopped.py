"""Teaching that is stopped or runs out of room leaves no half-written model."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from artnet.model.classifier import Classifier
from fixtures.page import ROOT

pytest.importorskip("onnx", reason="needs pip install 'artnet[teach]'")
COMMAND = [sys.executable, "-m", "artnet", "teach", "mine", "--out", "models/mine"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shapes")
    subprocess.run([sys.executable, ROOT / "examples" / "shapes.py", made], check=True)
    return made


def limit_files() -> None:
    """Let files grow to 6 MB: the graph has 12."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (6 * 2**20, 6 * 2**20))


def test_a_full_disk_is_said_and_leaves_nothing(folder: Path) -> None:
    done = subprocess.run(COMMAND, cwd=folder, capture_output=True, text=True, check=False, preexec_fn=limit_files)
    assert done.returncode == 7
    assert "models/mine: cannot be written (File too large); make room" in done.stderr
    assert list((folder / "models").iterdir()) == []


def test_a_killed_command_leaves_no_model_and_can_be_given_again(folder: Path) -> None:
    process = subprocess.Popen(COMMAND, cwd=folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while not list(folder.glob("models/.mine-*/mine/model.onnx")):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    assert not (folder / "models" / "mine").exists()
    done = subprocess.run(COMMAND, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(Classifier.load(folder / "models" / "mine").config.movements) == 4
    shutil.rmtree(folder / "models")


def test_ctrl_c_while_the_model_is_written_leaves_nothing(folder: Path) -> None:
    process = subprocess.Popen(COMMAND, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    while not list(folder.glob("models/.mine-*/mine/model.onnx")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    assert list((folder / "models").iterdir()) == []
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
