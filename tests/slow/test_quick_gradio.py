"""Gradio, imported and composed in a third of its time."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc, sys
from artnet.serving.web.quick_gradio import import_gradio, without_servers
gradio = import_gradio()
from gradio import component_meta
assert gradio.HTML and gradio.Blocks
assert component_meta.create_or_modify_pyi(None, "", []) is None
assert gc.isenabled()
assert not any(type(finder).__name__ == "_Quick" for finder in sys.meta_path)
assert "pandas.core" not in sys.modules
from gradio.routes import App
made = App.create_app
with without_servers(), gradio.Blocks(analytics_enabled=False) as blocks:
    gradio.HTML("text")
assert blocks.app is None
assert App.create_app is made
assert made(blocks).get_blocks() is blocks
import pandas
assert pandas.DataFrame({"a": [1]}).sum().a == 1
"""


def test_gradio_is_imported_without_writing_stubs_and_everything_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
