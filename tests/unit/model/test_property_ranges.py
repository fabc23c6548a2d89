"""Where a painting lies among the training paintings, worked by hand, and a file that is read whole or refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.errors import ModelError
from artnet.imaging.properties import PROPERTIES
from artnet.model.property_ranges import (
    PropertyRanges,
    fit_property_ranges,
    locate,
    read_property_ranges,
    write_property_ranges,
)

EVEN = tuple(float(value) for value in range(0, 110, 10))  # 0 to 100, evenly
DARK = tuple(value / 2 for value in EVEN)  # 0 to 50


def ranges_of(**quantiles: tuple[float, ...]) -> PropertyRanges:
    return PropertyRanges(dict.fromkeys(quantiles, 100), {"lightness": quantiles})


def painted(lightness: float) -> dict[str, float]:
    return {**dict.fromkeys(PROPERTIES, 0.0), "lightness": lightness}


def test_shares_worked_by_hand() -> None:
    # Realism lies evenly in 0 to 50, Abstract in 0 to 100. Of both together, each counting half, x in 0 to 50 has
    # x / 50 / 2 + x / 100 / 2 = 0.015 x below it: tenths end at 6.67, 13.33, ... 46.67. From 6.67 to 13.33 lie 13.3 %
    # of Realism and 6.7 % of Abstract. Above 50 the last three tenths hold no Realism.
    shares, share = ranges_of(Realism=DARK, Abstract=EVEN).shares("lightness", 10.0)
    assert shares == pytest.approx({"Realism": 0.1333, "Abstract": 0.0667}, abs=1e-3)
    assert share == pytest.approx(0.1, abs=1e-3)
    assert ranges_of(Realism=DARK, Abstract=EVEN).shares("lightness", 99.0)[0]["Realism"] == 0


@given(st.floats(-50, 150))
def test_about_a_tenth_of_all_lies_where_any_value_lies(value: float) -> None:
    shares, share = ranges_of(Realism=DARK, Abstract=EVEN).shares("lightness", value)
    assert share == pytest.approx(0.1, abs=1e-6)
    assert all(0 <= each <= 1 for each in shares.values())


@given(st.integers(0, 20))
def test_whole_numbers_that_recur_are_located_too(value: int) -> None:
    counts = (0.0, 2.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 7.0, 12.0)
    shares, share = ranges_of(Realism=counts, Abstract=(0.0,) * 11).shares("lightness", value)
    assert all(0 <= each <= 1 for each in shares.values())
    assert 0 <= share <= 1


def test_ranges_are_the_deciles_of_each_movement() -> None:
    values = [painted(lightness) for lightness in range(101)]
    ranges = fit_property_ranges([*values, painted(7.0)], [2] * 101 + [0], ("Cubism", "Realism", "Abstract"))
    assert ranges.paintings == {"Cubism": 1, "Abstract": 101}
    assert ranges.quantiles["lightness"]["Abstract"] == EVEN
    assert ranges.quantiles["lightness"]["Cubism"] == (7.0,) * 11


def test_a_located_property_says_where_it_lies() -> None:
    measured = {each.definition.name: each for each in locate(painted(65.0), ranges_of(Realism=DARK, Abstract=EVEN))}
    assert measured["lightness"].words == "lies where 20% of Abstract, 0% of Realism lie"
    assert measured["lightness"].deciles["Realism"] == DARK[1:-1]
    assert measured["contrast"].words == ""  # these ranges do not know it


def test_without_ranges_a_property_has_its_value_alone() -> None:
    (*_, last) = locate(painted(60.0), None)
    assert last.to_dict() | {"value": 0.0} == last.to_dict()
    assert (last.words, last.share, last.shares) == ("", None, {})


def test_ranges_are_written_and_read_back_alike(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = [dict(zip(PROPERTIES, rng.normal(size=len(PROPERTIES)), strict=True)) for _ in range(30)]
    ranges = fit_property_ranges(values, [0, 1] * 15, ("A/b", "🎨"))
    write_property_ranges(tmp_path / "properties.json", ranges)
    assert read_property_ranges(tmp_path / "properties.json") == ranges


def text_of(values: list[int], paintings: dict[str, int]) -> str:
    """Return a file with the quantiles of one movement."""
    fields = {"format": "artnet-properties/1", "paintings": paintings, "quantiles": {"lightness": {"A": values}}}
    return json.dumps(fields)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"format": "other/1", "paintings": {}, "quantiles": {}}',
        text_of([1], {"A": 1}),
        text_of([*range(10, -1, -1)], {"A": 1}),
        text_of([*range(11)], {}),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "properties.json").write_text(text)
    with pytest.raises(ModelError, match=r"properties\.json: .*copy or export the model again"):
        read_property_ranges(tmp_path / "properties.json")
