"""What a training takes of the machine, and gives back."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator

import pytest
import torch

from artnet.errors import UsageError
from artnet.training.devices import FitOptions, deterministic_convolutions, open_fabric, seeded, stop_requests


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Make Ctrl-C do what it does in a terminal; a command in a script's background starts with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_asks_and_a_late_one_stops_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_requests() as stop_requested:
        assert not stop_requested()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert stop_requested()
    with stop_requests(patience_s=0) as stop_requested:
        signal.raise_signal(signal.SIGINT)
        assert stop_requested()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_polite_kill_asks_too_and_the_handler_is_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_requests() as stop_requested:
        signal.raise_signal(signal.SIGTERM)
        assert stop_requested()
    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_of_the_main_thread_nothing_is_caught() -> None:
    answers: list[bool] = []

    def ask() -> None:
        with stop_requests() as stop_requested:
            answers.append(stop_requested())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert answers == [False]


def test_a_seed_is_given_back() -> None:
    state = torch.get_rng_state()
    with seeded(7):
        first = torch.rand(3)
    with seeded(7):
        assert torch.equal(first, torch.rand(3))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(("precision", "rounded"), [("auto", True), ("f32", False)])
def test_cudnn_repeats_itself_and_rounds_no_float32_that_was_asked_for(precision: str, rounded: bool) -> None:
    cudnn = torch.backends.cudnn
    before = (cudnn.enabled, cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32)
    with deterministic_convolutions(precision):
        assert (cudnn.enabled, cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32) == (True, True, False, rounded)
    assert (cudnn.enabled, cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32) == before


def test_float32_can_be_asked_for() -> None:
    assert open_fabric(FitOptions(device="cpu", precision="f32"), 32)._precision.precision == "32-true"


def test_nothing_is_said_of_how_the_devices_are_opened(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("lightning_fabric.utilities.rank_zero")
    with caplog.at_level(logging.DEBUG, log.name):
        open_fabric(FitOptions(device="cpu"), 32)
        assert not caplog.records
        assert log.level == logging.DEBUG


def test_the_batch_of_four_processes_is_a_multiple_of_eight() -> None:
    with pytest.raises(UsageError, match="a multiple of 8"):
        open_fabric(FitOptions(device="cpu", devices=2, nodes=2), 36)
