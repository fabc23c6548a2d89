"""The `info` command."""

from __future__ import annotations

import json

from artnet.cli.console import print_line
from artnet.cli.options import Json, Model


def info(model: Model = None, as_json: Json = False) -> int:
    """Describe a model folder: movements, views, layers, scores."""
    from dataclasses import asdict

    from artnet.model.card import model_card
    from artnet.model.config import read_model

    folder, config = read_model(model)
    if as_json:
        print_line(json.dumps({"folder": str(folder), **asdict(config)}, ensure_ascii=False))
    else:
        print_line(f"{folder}\n")
        print_line(model_card(config).split("---\n", 2)[-1].strip())
    return 0
