"""Plots are drawn where the numbers say, and speak to those who cannot see them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np

from artnet.html.charts import coverage_plot, interval_bar, reliability_plot
from artnet.metrics.bootstrap import Interval
from artnet.metrics.calibration import Reliability

BINS = Reliability(np.array([0, 2, 6]), np.array([np.nan, 0.5, 0.9]), np.array([np.nan, 0.25, 1.0]))


def heights(drawing: str, kind: str) -> list[float]:
    return [float(found) for found in re.findall(rf'class="{kind}"[^>]*height="([\d.]+)"', drawing)]


def test_a_reliability_bar_is_as_high_as_its_accuracy() -> None:
    bars = heights(reliability_plot(BINS, "label"), "bar")
    assert len(bars) == 2  # an empty bin has none
    assert abs(bars[0] / bars[1] - 0.25) < 0.01
    counts = heights(reliability_plot(BINS, "label"), "faint")
    assert abs(counts[0] / counts[1] - 2 / 6) < 0.02


def test_the_curve_passes_through_its_mark() -> None:
    drawing = coverage_plot(np.array([0.5, 0.8, 1.0]), np.array([0.9, 0.8, 0.7]), (0.8, 0.8), "label")
    found = re.search(r'class="mark" cx="([\d.]+)" cy="([\d.]+)"', drawing)
    assert found is not None
    assert f"{found[1]},{found[2]}" in drawing.split("points=")[1]


def test_a_threshold_without_answers_has_no_mark() -> None:
    assert "mark" not in coverage_plot(np.array([1.0]), np.array([0.0]), (0.0, float("nan")), "label")


def test_an_unknown_interval_is_not_drawn() -> None:
    assert interval_bar(Interval(float("nan"), float("nan"), float("nan"))) == ""


def test_every_drawing_is_well_formed_and_labelled() -> None:
    drawings = [
        reliability_plot(BINS, 'a "label" & more'),
        coverage_plot(np.array([0.5, 1.0]), np.array([0.9, 0.7]), (0.5, 0.9), "label"),
        interval_bar(Interval(0.5, 0.4, 0.6)),
    ]
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.get("role") == "img"
        assert root.get("aria-label")
