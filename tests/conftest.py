"""Fixtures that several test files share: the embedded model, painted pictures, a browser, a tiny trained run."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # pytest-xdist uses all cores: more threads would wait for each other

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of what a shell runs in the background; it is inherited
    signal.signal(signal.SIGINT, signal.default_int_handler)

import hypothesis
import numpy as np
import pytest
from PIL import Image

from artnet.model.classifier import Classifier
from artnet.model.engine import Engine

if TYPE_CHECKING:  # the run half is tested without torch, too
    from artnet.training.run import Run

ROOT = Path(__file__).parent.parent

# How long a test takes says nothing on a busy machine.
hypothesis.settings.register_profile("artnet", deadline=None, max_examples=50)
hypothesis.settings.load_profile("artnet")


def pytest_collection_finish() -> None:
    """Leave what all tests share out of the collector's rounds, which look at a million objects of imported modules."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep compiled graphs out of the user's own cache, and share them among the processes that test together."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(shared_folder(tmp_path_factory) / "cache")
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The embedded model in float32, so that every run gives the same bits."""
    return Classifier.load(precision="f32")


@pytest.fixture(scope="session")
def openvino(classifier: Classifier) -> Engine:
    """Its graph on OpenVINO."""
    return classifier.engine


@pytest.fixture(scope="session")
def views(openvino: Engine) -> np.ndarray:
    """Two normalised views of noise for it."""
    side_px = openvino.size_px
    return np.random.default_rng(3).normal(0, 0.6, (2, 3, side_px, side_px)).astype(np.float32)


@pytest.fixture(scope="session")
def painting() -> Image.Image:
    """A painted picture of uneven sides: three dark bars on a light ground."""
    pixels = np.full((300, 420, 3), 235, np.uint8)
    pixels[40:90, 60:380] = (20, 30, 120)
    pixels[120:280, 100:140] = (170, 30, 30)
    pixels[200:230, 180:400] = (20, 20, 20)
    return Image.fromarray(pixels)


@pytest.fixture
def painting_file(painting: Image.Image, tmp_path: Path) -> Path:
    """The painting as a PNG file."""
    path = tmp_path / "painting.png"
    painting.save(path)
    return path


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the temporary folder of all processes that test together, where pytest-xdist runs several."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Make a folder once for all processes that test together, where pytest-xdist runs several."""
    from filelock import FileLock

    root = shared_folder(factory)
    folder, done = root / name, root / f"{name}.done"
    with FileLock(root / f"{name}.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a failed try left
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="module")  # since while Playwright runs, no test of this process can run an event loop of its own
def playwright() -> Iterator[Any]:
    from fixtures.page import chromium

    chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def shared_browser(playwright: Any) -> Iterator[Any]:
    from fixtures.page import FLAGS, chromium

    opened = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
    yield opened
    opened.close()


@pytest.fixture
def browser(shared_browser: Any) -> Iterator[Any]:
    """A real browser, in which every new page is another visitor, who leaves with the test."""
    yield shared_browser
    for context in shared_browser.contexts:
        context.close()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny prepared dataset."""
    from fixtures.training import tiny_dataset

    return made_once(tmp_path_factory, "tiny", tiny_dataset) / "data"


@pytest.fixture(scope="session")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of a tiny network with both heads on that dataset."""
    from artnet.training.run import open_run
    from fixtures.training import tiny_run

    return open_run(made_once(tmp_path_factory, "run", lambda folder: tiny_run(data, folder)))


@pytest.fixture(scope="session")
def exported(trained: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder of that run."""
    from artnet.training.export.export import export

    return made_once(tmp_path_factory, "model", lambda folder: export(trained, folder))


@pytest.fixture(scope="session")
def exported_without_styles(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That model folder without its second head: an export of its own would take long."""
    from fixtures.training import leave_out_styles

    return made_once(tmp_path_factory, "without-styles", lambda folder: leave_out_styles(exported, folder))


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder whose graph has nine convolutions: what is slow to start with any other starts with it at once."""
    from fixtures.training import write_small_model

    return made_once(tmp_path_factory, "small-model", write_small_model)


@pytest.fixture
def store() -> Iterator[str]:
    """A bucket in memory."""
    import fsspec

    system = fsspec.filesystem("memory")
    yield "memory://bucket"
    system.store.clear()
    system.pseudo_dirs[:] = [""]
