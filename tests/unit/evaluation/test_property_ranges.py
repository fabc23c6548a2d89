"""The ranges that a dataset gives are those of its training paintings."""

from __future__ import annotations

from pathlib import Path

from artnet.data.dataset import count_rows, iterate_rows, read_info
from artnet.evaluation.predictions import stored_view
from artnet.evaluation.property_ranges import measure_property_ranges
from artnet.imaging.properties import PROPERTIES, measure_properties


def test_ranges_are_those_of_the_training_paintings(data: Path) -> None:
    steps: list[tuple[int, int]] = []
    ranges = measure_property_ranges(data, lambda done, total: steps.append((done, total)))
    total = count_rows(data, "train")
    assert sum(ranges.paintings.values()) == total
    assert steps[-1] == (total, total)
    assert list(ranges.quantiles) == list(PROPERTIES)
    names = read_info(data).movements
    rows = [row for row in iterate_rows(data, "train", ["movement", "whole"]) if names[row["movement"]] == names[0]]
    lightness = [measure_properties(stored_view(row, "whole").image)["lightness"] for row in rows]
    low, *_, high = ranges.quantiles["lightness"][names[0]]
    assert [low, high] == [round(min(lightness), 6), round(max(lightness), 6)]
