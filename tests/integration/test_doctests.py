"""The examples in docstrings give what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import artnet

PACKAGE = Path(artnet.__file__).parent


def modules_with_examples() -> list[str]:
    files = [path for path in PACKAGE.rglob("*.py") if ">>>" in path.read_text(encoding="utf-8")]
    return sorted(".".join(("artnet", *path.relative_to(PACKAGE).with_suffix("").parts)) for path in files)


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_a_module_are_true(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name.removesuffix(".__init__")))
    assert results.attempted
    assert not results.failed
