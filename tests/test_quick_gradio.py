"""Gradio, imported in half its time."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc, sys
from artnet.quick_gradio import import_gradio
gradio = import_gradio()
from gradio import component_meta
assert gradio.HTML and gradio.Blocks
assert component_meta.create_or_modify_pyi(None, "", []) is None
assert gc.isenabled()
assert not any(type(finder).__name__ == "_WithoutStubs" for finder in sys.meta_path)
"""


def test_gradio_is_imported_without_writing_stubs_and_everything_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
