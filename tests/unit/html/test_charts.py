"""Charts are drawn where the numbers say, and have labels for those who cannot see them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from artnet.html.charts import coverage_plot, reliability_plot

COUNTS, ACCURACY = [0, 2, 6], [None, 0.25, 1.0]


def heights(drawing: str, kind: str) -> list[float]:
    return [float(found) for found in re.findall(rf'class="{kind}"[^>]*height="([\d.]+)"', drawing)]


def test_a_reliability_bar_is_as_high_as_its_accuracy() -> None:
    bars = heights(reliability_plot(COUNTS, ACCURACY, "label"), "bar")
    assert len(bars) == 2  # an empty bin has none
    assert abs(bars[0] / bars[1] - 0.25) < 0.01
    counts = heights(reliability_plot(COUNTS, ACCURACY, "label"), "faint")
    assert abs(counts[0] / counts[1] - 2 / 6) < 0.02


def test_the_curve_passes_through_its_mark() -> None:
    drawing = coverage_plot([0.5, 0.8, 1.0], [0.9, 0.8, 0.7], (0.8, 0.8), "label")
    found = re.search(r'class="mark" cx="([\d.]+)" cy="([\d.]+)"', drawing)
    assert found is not None
    assert f"{found[1]},{found[2]}" in drawing.split("points=")[1]


def test_a_threshold_above_all_confidences_has_no_mark() -> None:
    assert "mark" not in coverage_plot([1.0], [0.0], (0.0, None), "label")


def test_every_drawing_is_well_formed_and_labelled() -> None:
    drawings = [
        reliability_plot(COUNTS, ACCURACY, 'a "label" & more'),
        coverage_plot([0.5, 1.0], [0.9, 0.7], (0.5, 0.9), "label"),
    ]
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.get("role") == "img"
        assert root.get("aria-label")
