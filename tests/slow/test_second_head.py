"""When a network has a second head for styles; that it is trained, resumed and exported is tested with the first."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from artnet.training.fit import fit
from artnet.training.recipe import RECIPES
from artnet.training.run import Run
from fixtures.training import ON_CPU, RECIPE, TINY_STYLES, settings


def test_a_training_learns_the_styles_that_it_is_given(trained: Run) -> None:
    assert trained.settings.styles == TINY_STYLES
    assert "styles.weight" in trained.read_tensors("best")


@pytest.mark.parametrize(
    ("styles", "weight"), [((), RECIPE.styles_weight), (TINY_STYLES, 0.0)], ids=["few paintings", "a weight of zero"]
)
def test_no_second_head_is_built_for(styles: tuple[str, ...], weight: float, data: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=1, styles_weight=weight)
    run = fit(data, tmp_path / "run", settings(recipe=recipe, styles=styles), ON_CPU)
    assert run.settings.styles == ()
    assert "styles.weight" not in run.read_tensors("best")


def test_the_recipe_of_2020_has_no_second_head() -> None:
    assert RECIPES["artnet-2020"].styles_weight == 0
