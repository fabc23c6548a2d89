"""The measured properties of a dataset's training paintings, for the ranges that a model folder carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from artnet.data.dataset import count_rows, read_info, spread_rows
from artnet.evaluation.predictions import stored_view
from artnet.imaging.properties import measure_properties
from artnet.imaging.views import WHOLE, Box, without_letterbox
from artnet.model.property_ranges import PropertyRanges, fit_property_ranges

MAX_MEASURED = 2000  # paintings, evenly spread; a decile of 400 is known to about two percent of its movement


def measure_property_ranges(
    data: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> PropertyRanges:
    """Measure the whole views of a prepared dataset's training paintings; raise `DataError` where it cannot be read."""
    info = read_info(data)
    total = min(count_rows(data, "train"), MAX_MEASURED)
    values, movements = [], []
    for row in spread_rows(data, "train", ["movement", "width", "height", "whole"], MAX_MEASURED):
        view = stored_view(row, WHOLE)
        placed = replace(view, box=Box(0, 0, row["width"], row["height"]))
        values.append(measure_properties(without_letterbox(placed, info.fit)))
        movements.append(row["movement"])
        progress(len(values), total)
    return fit_property_ranges(values, movements, info.movements)
