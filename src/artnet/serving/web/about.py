"""Render the part About of the page: what the model is, its scores and limits."""

from __future__ import annotations

from artnet.html.render import render
from artnet.imaging.views import WHOLE
from artnet.model.config import ModelConfig


def about_html(config: ModelConfig) -> str:
    """Return the part of the page that describes a model."""
    return render("about.html.j2", config=config, whole_only=config.voting_views == (WHOLE,))
