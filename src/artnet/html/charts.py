"""Draw plots as inline SVG: numbers in, drawings out that follow the page's colours, light or dark.

Knows nothing about evaluations; colours and lettering are classes of the page's style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from artnet.html.render import Html
from artnet.metrics.bootstrap import Interval
from artnet.metrics.calibration import Reliability

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Frame:
    """Where data lies in a drawing: x from 0 to 1, y from `lowest` to 1; all else in pixels."""

    width: int = 440
    height: int = 320
    left: int = 62
    bottom: int = 46
    top: int = 12
    right: int = 12
    lowest: float = 0.0

    def x(self, value: float) -> float:
        return round(self.left + value * (self.width - self.left - self.right), 1)

    def y(self, value: float) -> float:
        span = self.height - self.top - self.bottom
        return round(self.top + (1 - (value - self.lowest) / (1 - self.lowest)) * span, 1)


def reliability_plot(bins: Reliability, label: str) -> Html:
    """Draw accuracy over confidence as bars, where a bar ending at the dashed line is as sure as it is right.

    Under the axis stands how many paintings each bin holds.
    """
    frame = _Frame(bottom=86)
    count, floor = len(bins.counts), frame.y(0) + 72
    parts = _axes(frame, "confidence", "share right", label_offset=44)
    parts.append(_line("even", (frame.x(0), frame.y(0)), (frame.x(1), frame.y(1))))
    for index in np.flatnonzero(bins.counts):
        left, right = frame.x(index / count) + 1, frame.x((index + 1) / count) - 1
        top, held = frame.y(bins.accuracy[index]), 26 * bins.counts[index] / bins.counts.max()
        parts.append(_rectangle("bar", left, top, right - left, frame.y(0) - top))
        parts.append(_rectangle("faint", left, floor - held, right - left, held))
    return _drawing(frame, parts, label)


def coverage_plot(coverage: Floats, accuracy: Floats, mark: tuple[float, float], label: str) -> Html:
    """Draw accuracy over the share answered, surest first, and mark one point of it."""
    lowest = max(0.0, np.floor((float(np.nanmin(accuracy)) - 0.05) * 10) / 10)
    frame = _Frame(lowest=min(lowest, 0.9))
    points = " ".join(f"{frame.x(x)},{frame.y(y)}" for x, y in zip(coverage, accuracy, strict=True))
    parts = [
        *_axes(frame, "share of paintings answered", "share right"),
        f'<polyline class="curve" points="{points}"/>',
    ]
    if np.isfinite(mark[1]):
        x, y = frame.x(mark[0]), frame.y(max(mark[1], frame.lowest))
        parts.append(_line("mark-line", (x, y), (x, frame.y(frame.lowest))))
        parts.append(f'<circle class="mark" cx="{x}" cy="{y}" r="5.5"/>')
    return _drawing(frame, parts, label)


def interval_bar(entry: Interval) -> Html:
    """Draw a value from 0 to 1 with its interval, as wide as a table's cell; nothing where it is not known."""
    if not np.isfinite(entry.value):
        return Html("")
    x = [round(4 + 136 * value, 1) for value in (entry.low, entry.value, entry.high)]
    label = f"{entry.value:.3f}, {entry.low:.3f} to {entry.high:.3f}"
    return Html(
        f'<svg class="inline" viewBox="0 0 144 16" role="img" aria-label="{label}">'
        + _line("grid", (4, 8), (140, 8))
        + _line("span", (x[0], 8), (x[2], 8))
        + f'<circle class="dot" cx="{x[1]}" cy="8" r="4.5"/></svg>'
    )


def _axes(frame: _Frame, across: str, up: str, label_offset: int = 38) -> list[str]:
    parts = []
    step = 0.2 if frame.lowest < 0.5 else 0.1
    for tick in np.arange(1, frame.lowest - 1e-9, -step):
        y = frame.y(tick)
        parts.append(_line("grid", (frame.x(0), y), (frame.x(1), y)))
        parts.append(_text(f"{tick:.0%}", frame.left - 8, y + 4, "end"))
    base = frame.y(frame.lowest)
    parts += [_text(f"{tick:.0%}", frame.x(tick), base + 18, "middle") for tick in np.linspace(0, 1, 6)]
    parts.append(_text(across, frame.x(0.5), base + label_offset, "middle"))
    middle = (frame.top + base) / 2
    parts.append(f'<text transform="translate(12 {middle:.0f}) rotate(-90)" text-anchor="middle">{escape(up)}</text>')
    return parts


def _drawing(frame: _Frame, parts: Sequence[str], label: str) -> Html:
    body = "".join(parts)
    return Html(f'<svg viewBox="0 0 {frame.width} {frame.height}" role="img" aria-label="{escape(label)}">{body}</svg>')


def _line(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    return f'<line class="{kind}" x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}"/>'


def _rectangle(kind: str, left: float, top: float, width: float, height: float) -> str:
    return f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _text(text: str, x: float, y: float, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
