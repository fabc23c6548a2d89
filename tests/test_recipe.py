"""Named settings."""

from __future__ import annotations

import pytest

from artnet.errors import UsageError
from artnet.training.recipe import RECIPES, find_recipe


def test_every_recipe_is_found_by_its_name() -> None:
    assert all(find_recipe(name) is recipe for name, recipe in RECIPES.items())


def test_the_head_recipe_trains_nothing_else() -> None:
    assert find_recipe("head").frozen_share == 1.0


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(UsageError, match="use one of finetune"):
        find_recipe("soup")
