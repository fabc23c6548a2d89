"""Named settings, and how one of them is changed."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from artnet.errors import UsageError
from artnet.training.recipe import RECIPES, Recipe, find_recipe, override, recipe_from_dict, setting_names


def test_every_recipe_is_found_by_its_name() -> None:
    assert all(find_recipe(name) is recipe for name, recipe in RECIPES.items())


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(UsageError, match="use one of finetune"):
        find_recipe("soup")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_comes_back_from_json_as_it_was(name: str) -> None:
    assert recipe_from_dict(json.loads(json.dumps(asdict(RECIPES[name])))) == RECIPES[name]


def test_single_settings_can_be_changed() -> None:
    recipe = override(
        Recipe(),
        ["rates.trunk=2e-4", "epochs=7", "augmentation.enabled=false", "freezing.batch_norm=affine", "fit=stretch"],
    )
    assert (recipe.rates.trunk, recipe.epochs, recipe.augmentation.enabled) == (2e-4, 7, False)
    assert (recipe.freezing.batch_norm, recipe.fit) == ("affine", "stretch")
    assert recipe.rates.head == Recipe().rates.head


def test_the_modules_that_learn_are_a_list_with_commas() -> None:
    assert override(Recipe(), ["freezing.trained_modules=one,two"]).freezing.trained_modules == ("one", "two")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs", "write NAME=VALUE"),
        ("speed=1", "use one of method"),
        ("rates=1", "rates.head"),
        ("epochs.more=1", "no setting"),
        ("epochs=1.5", "a whole number"),
        ("epochs=0", "from 1"),
        ("rates.trunk=fast", "a number"),
        ("rates.trunk=nan", "is nan"),
        ("rates.trunk=-1", "from 0"),
        ("freezing.frozen_share=1.1", "from 0 to 1"),
        ("augmentation.enabled=maybe", "true or false"),
        ("freezing.batch_norm=some", "frozen, affine, train"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(setting: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        override(Recipe(), [setting])


def test_every_setting_has_a_name() -> None:
    assert {"epochs", "rates.layer_decay", "freezing.trained_modules", "augmentation.cutmix"} <= set(setting_names())
