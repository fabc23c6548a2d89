"""A signal raises `KeyboardInterrupt` once, and ends what does not heed it; in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

INSTALLED = "import os, signal, sys, time\nfrom artnet.cli.signals import STOP\nSTOP.install()\n"
SEND = f"{INSTALLED}send = lambda number=signal.SIGINT: os.kill(os.getpid(), number)\n"
STUCK = "import hashlib\nstuck = lambda: hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)\n"  # native, for minutes
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a system that can send SIGTERM")


def run(script: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout, done.stderr


def test_only_the_first_signal_interrupts() -> None:
    script = (
        f"{SEND}try:\n    send()\nexcept KeyboardInterrupt:\n    send(), send(signal.SIGTERM), print('cleaned up')\n"
        "sys.exit(STOP.report())"
    )
    assert run(script) == (130, "cleaned up\n", "artnet: interrupted\n")


def test_sigterm_has_a_word_and_a_code_of_its_own() -> None:
    script = f"{SEND}try:\n    send(signal.SIGTERM)\nexcept KeyboardInterrupt:\n    sys.exit(STOP.report('kept'))"
    assert run(script) == (143, "", "artnet: kept\n")


def test_native_code_that_heeds_no_signal_is_ended_with_the_workers() -> None:
    script = (
        f"{INSTALLED}{STUCK}import multiprocessing\n"
        "worker = multiprocessing.get_context('fork').Process(target=time.sleep, args=(600,))\nworker.start()\n"
        "try:\n    print(flush=True)\n    stuck()\nexcept KeyboardInterrupt:\n    stuck()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=120)[1] == b"artnet: terminated\n"  # once the worker's end is closed, too
    assert process.returncode == 143


def test_a_forked_process_is_not_the_commands_to_report() -> None:
    script = (
        f"{INSTALLED}ready, begun = os.pipe()\nchild = os.fork()\n"
        "if child == 0:\n    os.write(begun, b'.'), time.sleep(60), os._exit(0)\n"
        "os.read(ready, 1), os.kill(child, signal.SIGTERM)\nprint(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert run(script) == (0, "-15\n", "")


def test_an_ignored_interrupt_stays_ignored() -> None:
    script = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{SEND}send(); print('went on')"
    assert run(script) == (0, "went on\n", "")


def test_an_interrupt_within_exec_leaves_the_exit_code(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(
        f"{SEND}try:\n    exec('send(), time.sleep(1)')\nexcept KeyboardInterrupt:\n    code = STOP.report()\n"
        "STOP.finish()\nsys.exit(code)\n"
    )
    command = [sys.executable, "-m", "interrupted"]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 130


def test_signals_that_are_held_back_come_afterwards() -> None:
    script = (
        f"{SEND}from artnet.workers import signals_held_back\ntry:\n    with signals_held_back():\n"
        "        send(signal.SIGTERM), time.sleep(0.2), print('whole')\nexcept KeyboardInterrupt:\n"
        "    sys.exit(STOP.report())"
    )
    assert run(script) == (143, "whole\n", "artnet: terminated\n")


def test_a_thread_that_is_still_in_native_code_aborts_nothing() -> None:
    script = (
        f"{SEND}{STUCK}import threading\n"
        "threading.Thread(target=stuck, daemon=True).start()\n"
        "import atexit; atexit.register(print, 'left in order')\nsend()"
    )
    assert run(script) == (130, "left in order\n", "artnet: interrupted\n")


def test_a_signal_that_comes_after_all_is_done_changes_nothing() -> None:
    script = f"{SEND}class Last:\n    def __del__(self): send(signal.SIGTERM)\nsys.last = Last()\nSTOP.finish()"
    assert run(script) == (0, "", "")


def test_a_process_that_follows_prints_nothing_and_ends_without_failure() -> None:
    assert run(f"{SEND}STOP.follow()\nsend(signal.SIGTERM)") == (0, "", "")


def test_a_process_that_follows_ends_with_its_parent() -> None:
    follower = f"{INSTALLED}STOP.follow()\nprint(flush=True)\ntime.sleep(600)"
    parent = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {follower!r}])\ntime.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        assert process.stdout.read() == b""  # returns once both have ended
