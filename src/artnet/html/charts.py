"""SVG charts whose colours and lettering are classes of the page's style sheet, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup


@dataclass(frozen=True)
class _Frame:
    """The chart's area: x from 0 to 1, y from `lowest` to 1; all else in pixels."""

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


def reliability_plot(counts: Sequence[int], accuracy: Sequence[float | None], label: str) -> Markup:
    """Draw accuracy over confidence as bars; a bar that ends at the dashed line is calibrated.

    Args:
        counts: (B,) paintings in each of B bins of confidence of equal width; drawn below the axis.
        accuracy: (B,) from 0 to 1; read only where a bin is not empty.
        label: What a screen reader says.
    """
    frame = _Frame(bottom=86)
    bins, floor = len(counts), frame.y(0) + 72
    parts = _axes(frame, "confidence", "accuracy", label_offset=44)
    parts.append(_line("even", (frame.x(0), frame.y(0)), (frame.x(1), frame.y(1))))
    for index, (count, height) in enumerate(zip(counts, accuracy, strict=True)):
        if not count or height is None:
            continue
        left, right = frame.x(index / bins) + 1, frame.x((index + 1) / bins) - 1
        top, count_height = frame.y(height), 26 * count / max(counts)
        parts.append(_rectangle("bar", left, top, right - left, frame.y(0) - top))
        parts.append(_rectangle("faint", left, floor - count_height, right - left, count_height))
    return _svg(frame, parts, label)


def coverage_plot(
    coverage: Sequence[float], accuracy: Sequence[float], mark: tuple[float, float | None], label: str
) -> Markup:
    """Draw accuracy over coverage, both from 0 to 1, and mark one point, unless its accuracy is None."""
    lowest = max(0.0, np.floor((min(accuracy) - 0.05) * 10) / 10)
    frame = _Frame(lowest=min(lowest, 0.9))
    points = " ".join(f"{frame.x(x)},{frame.y(y)}" for x, y in zip(coverage, accuracy, strict=True))
    parts = [
        *_axes(frame, "coverage (share of paintings kept)", "accuracy"),
        Markup('<polyline class="curve" points="{}"/>').format(points),
    ]
    if mark[1] is not None:
        x, y = frame.x(mark[0]), frame.y(max(mark[1], frame.lowest))
        parts.append(_line("mark-line", (x, y), (x, frame.y(frame.lowest))))
        parts.append(Markup('<circle class="mark" cx="{}" cy="{}" r="5.5"/>').format(x, y))
    return _svg(frame, parts, label)


def _axes(frame: _Frame, x_label: str, y_label: str, label_offset: int = 38) -> list[Markup]:
    parts = []
    step = 0.2 if frame.lowest < 0.5 else 0.1
    for tick in np.arange(1, frame.lowest - 1e-9, -step):
        y = frame.y(tick)
        parts.append(_line("grid", (frame.x(0), y), (frame.x(1), y)))
        parts.append(_text(f"{tick:.0%}", frame.left - 8, y + 4, "end"))
    base = frame.y(frame.lowest)
    parts += [_text(f"{tick:.0%}", frame.x(tick), base + 18, "middle") for tick in np.linspace(0, 1, 6)]
    parts.append(_text(x_label, frame.x(0.5), base + label_offset, "middle"))
    turned = Markup('<text transform="translate(12 {:.0f}) rotate(-90)" text-anchor="middle">{}</text>')
    parts.append(turned.format((frame.top + base) / 2, y_label))
    return parts


def _svg(frame: _Frame, parts: Sequence[Markup], label: str) -> Markup:
    svg = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return svg.format(frame.width, frame.height, label, Markup("").join(parts))


def _line(kind: str, start: tuple[float, float], end: tuple[float, float]) -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(kind, *start, *end)


def _rectangle(kind: str, left: float, top: float, width: float, height: float) -> Markup:
    rectangle = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    return rectangle.format(kind, left, top, width, height)


def _text(text: str, x: float, y: float, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, text)
