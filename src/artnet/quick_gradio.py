"""Import Gradio in half its time.

Knows nothing about pages. While it is imported, Gradio writes stubs for editors beside its own sources, one for every
component: that takes longer than all the rest of the import, and needs a writable installation.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_WRITER, _WRITES = "gradio.component_meta", "create_or_modify_pyi"


class _WithoutStubs(MetaPathFinder):
    """Find the module that writes the stubs and take the writing out of it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give the module's own specification, with a step after its execution; leave all other modules alone."""
        spec = PathFinder.find_spec(fullname, path) if fullname == _WRITER else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def without_stubs(module: ModuleType) -> None:
            execute(module)
            if hasattr(module, _WRITES):
                module.__dict__[_WRITES] = lambda *_: None

        spec.loader.exec_module = without_stubs  # type: ignore[method-assign]
        return spec


def import_gradio() -> Any:
    """Import Gradio and give it.

    Python's search for garbage stands still meanwhile: among a hundred thousand new objects it finds none, and takes a
    sixth of the time.
    """
    finder = _WithoutStubs()
    sys.meta_path.insert(0, finder)
    collecting = gc.isenabled()
    gc.disable()
    try:
        import gradio
    finally:
        sys.meta_path.remove(finder)
        if collecting:
            gc.enable()
    return gradio
