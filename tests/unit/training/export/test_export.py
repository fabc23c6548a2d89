"""Facts for the model card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from artnet.errors import UsageError
from artnet.model.card import model_card
from artnet.model.config import default_model, read_config
from artnet.training.export.export import read_facts


def test_facts_reach_the_card(tmp_path: Path) -> None:
    (tmp_path / "facts.toml").write_text('license = "cc0-1.0"\nlimits = ["It has seen no pastels."]\n')
    config = replace(read_config(default_model()), training=read_facts(tmp_path / "facts.toml"))
    card = model_card(config)
    assert "license: cc0-1.0" in card
    assert "- It has seen no pastels." in card


@pytest.mark.parametrize("text", ["limits = 3", "nested = {a = 1}", "no toml"])
def test_facts_that_are_no_texts_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "facts.toml").write_text(text)
    with pytest.raises(UsageError, match=r"facts\.toml"):
        read_facts(tmp_path / "facts.toml")
