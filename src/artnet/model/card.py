"""The model card, README.md, from config.json alone."""

from __future__ import annotations

from pathlib import Path

from artnet.html.render import render
from artnet.model.config import CARD_FILE, ModelConfig


def model_card(config: ModelConfig) -> str:
    """Return the card's Markdown with the metadata that the Hugging Face Hub reads."""
    return render("model_card.md.j2", config=config, scores=config.scores)


def write_card(folder: Path, config: ModelConfig) -> None:
    """Write the model card of a model folder."""
    (folder / CARD_FILE).write_text(model_card(config), encoding="utf-8")
