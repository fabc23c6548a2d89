"""The dataset card of a prepared dataset."""

from __future__ import annotations

from typing import Any

from artnet.data.dataset import DatasetInfo
from artnet.html.render import render


def dataset_card(info: DatasetInfo, summary: dict[str, Any]) -> str:
    """Return the card, in Markdown, of a dataset with this audit; its header configures the Hugging Face Hub."""
    return render("dataset_card.md.j2", info=info, paintings=summary["paintings"], splits=summary["splits"])
