"""Import Gradio in a third of its time, and compose its blocks in a third of theirs.

Knows nothing about pages. While it is imported, Gradio writes stubs for editors beside its own sources, one for every
component: that takes longer than all the rest of the import, and needs a writable installation. It imports pandas, for
tables that no page here has, and httpx with the command of that name. And for one set of blocks it makes three servers,
of which the last is used.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any

_WRITER, _WRITES = "gradio.component_meta", "create_or_modify_pyi"
_LATER = "pandas"  # is loaded when somebody first asks it for anything
_COMMAND = "httpx._main"  # httpx does without where what it needs is not installed


class _Quick(MetaPathFinder):
    """Find the module that writes the stubs and take the writing out of it; put off or leave out what is not needed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give the module's own specification, with a change to its loading; leave all other modules alone."""
        if fullname == _COMMAND:
            raise ImportError("the command httpx is not needed here")
        if fullname == _LATER:
            return _lazy(PathFinder.find_spec(fullname, path))
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


def _lazy(spec: ModuleSpec | None) -> ModuleSpec | None:
    if spec is not None and spec.loader is not None:
        spec.loader = LazyLoader(spec.loader)
    return spec


@contextmanager
def without_servers() -> Iterator[None]:
    """Let Gradio make no server until the block's end; blocks composed in it can be mounted after it."""
    from gradio.routes import App

    apps: Any = App
    made = App.__dict__["create_app"]
    apps.create_app = staticmethod(lambda *_, **__: None)
    try:
        yield
    finally:
        apps.create_app = made


def import_gradio() -> Any:
    """Import Gradio and give it.

    Python's search for garbage stands still meanwhile: among a hundred thousand new objects it finds none, and takes a
    sixth of the time.
    """
    finder = _Quick()
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
