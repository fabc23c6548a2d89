"""Where the paintings of each movement lie in the measured properties: properties.json of a model folder."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artnet.errors import ModelError, reason
from artnet.imaging.properties import PROPERTIES, Property

FORMAT = "artnet-properties/1"
QUANTILES = 11  # the smallest value, nine deciles and the largest
_BINS = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PropertyRanges:
    """Quantiles of the training paintings.

    Attributes:
        paintings: how many were measured, by movement
        quantiles: by property and movement, the smallest value, nine deciles and the largest
    """

    paintings: Mapping[str, int]
    quantiles: Mapping[str, Mapping[str, tuple[float, ...]]]
    format: str = FORMAT

    def shares(self, name: str, value: float) -> tuple[dict[str, float], float]:
        """Return which share of each movement lies where a value lies, and which share of all, each movement alike.

        *Where* is one of ten ranges that hold a tenth of all paintings each, as near as the deciles tell.
        """
        quantiles = self.quantiles[name]
        edges = self._edges(name)
        upper = int(np.searchsorted(edges, value, side="left"))
        low = edges[upper - 1] if upper > 0 else -math.inf
        high = edges[upper] if upper < len(edges) else math.inf
        shares = {
            movement: float(_cumulative(values, high) - _cumulative(values, low))
            for movement, values in quantiles.items()
        }
        return shares, float(np.mean(list(shares.values())))

    def _edges(self, name: str) -> Floats:
        """Return the nine values that divide all paintings, each movement counting alike, into ten equal parts."""
        quantiles = self.quantiles[name].values()
        values = np.unique(np.concatenate([np.asarray(each) for each in quantiles]))
        cumulative = np.mean([_cumulative(each, values) for each in quantiles], axis=0)
        return np.unique(np.interp(np.arange(1, _BINS) / _BINS, cumulative, values))


@dataclass(frozen=True)
class MeasuredProperty:
    """A property of one painting, and where it lies among the training paintings.

    Attributes:
        definition: what was measured
        value: of this painting
        shares: by movement, the share of its paintings that lie where this one lies; empty without ranges
        share: of all paintings, each movement counting alike; None without ranges
        deciles: by movement, the nine of its paintings; empty without ranges
    """

    definition: Property
    value: float
    shares: Mapping[str, float]
    share: float | None
    deciles: Mapping[str, tuple[float, ...]]

    @property
    def words(self) -> str:
        """Where the value lies, the fullest movement first; empty without ranges."""
        ranked = sorted(self.shares, key=lambda movement: -self.shares[movement])
        if not ranked:
            return ""
        return "lies where " + ", ".join(f"{self.shares[name]:.0%} of {name}" for name in ranked) + " lie"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that `artnet explain --properties --json` prints."""
        return {
            "name": self.definition.name,
            "label": self.definition.label,
            "low": self.definition.low,
            "high": self.definition.high,
            "value": self.value,
            "shares": dict(self.shares),
            "share": self.share,
            "words": self.words,
            "deciles": {movement: list(values) for movement, values in self.deciles.items()},
        }


def locate(values: Mapping[str, float], ranges: PropertyRanges | None) -> tuple[MeasuredProperty, ...]:
    """Return measured values with where they lie among the training paintings, if that is known."""
    return tuple(_located(PROPERTIES[name], value, ranges) for name, value in values.items())


def fit_property_ranges(
    values: Sequence[Mapping[str, float]], movements: Sequence[int], names: Sequence[str]
) -> PropertyRanges:
    """Return the ranges of measured paintings; a movement without any is left out.

    Args:
        values: of each painting, as `measure_properties` returns them
        movements: of each painting, an index into `names`
        names: of the movements
    """
    present = [index for index in range(len(names)) if index in set(movements)]
    rows = {
        index: [each for each, movement in zip(values, movements, strict=True) if movement == index]
        for index in present
    }
    return PropertyRanges(
        {names[index]: len(rows[index]) for index in present},
        {
            name: {names[index]: _quantiles([row[name] for row in rows[index]]) for index in present}
            for name in PROPERTIES
        },
    )


def write_property_ranges(path: Path, ranges: PropertyRanges) -> None:
    """Write properties.json."""
    path.write_text(json.dumps(asdict(ranges), ensure_ascii=False) + "\n", encoding="utf-8")


def read_property_ranges(path: Path) -> PropertyRanges:
    """Read properties.json; raise `ModelError` where it is damaged or contradicts itself.

    Properties that this version does not measure are left out.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        paintings = {str(name): int(count) for name, count in fields["paintings"].items()}
        quantiles = {
            name: {movement: tuple(map(float, values)) for movement, values in fields["quantiles"][name].items()}
            for name in PROPERTIES
            if name in fields["quantiles"]
        }
        consistent = fields["format"] == FORMAT and all(
            len(values) == QUANTILES
            and np.isfinite(values).all()
            and (np.diff(values) >= 0).all()
            and name in paintings
            for each in quantiles.values()
            for name, values in each.items()
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(
            f"{path}: cannot be read as ranges of properties ({reason(error)}); copy or export the model again"
        ) from error
    if not consistent:
        raise ModelError(f"{path}: its quantiles contradict each other; copy or export the model again")
    return PropertyRanges(paintings, quantiles)


def _located(measured: Property, value: float, ranges: PropertyRanges | None) -> MeasuredProperty:
    if ranges is None or measured.name not in ranges.quantiles:
        return MeasuredProperty(measured, value, {}, None, {})
    shares, share = ranges.shares(measured.name, value)
    deciles = {movement: values[1:-1] for movement, values in ranges.quantiles[measured.name].items()}
    return MeasuredProperty(measured, value, shares, share, deciles)


def _quantiles(values: Sequence[float]) -> tuple[float, ...]:
    levels = np.linspace(0, 1, QUANTILES)
    return tuple(round(float(value), 6) for value in np.quantile(np.asarray(values, np.float64), levels))


def _cumulative(quantiles: Sequence[float], values: Any) -> Any:
    """Return the share of paintings at or below values, a line from each quantile to the next."""
    return np.interp(values, quantiles, np.linspace(0, 1, QUANTILES), left=0.0, right=1.0)
