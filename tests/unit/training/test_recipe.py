"""Named settings, and how one of them is changed."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from artnet.errors import UsageError
from artnet.training.recipe import RECIPES, Recipe, adjusted, find_recipe, recipe_from, setting_names


def test_every_recipe_is_found_by_its_name() -> None:
    assert all(find_recipe(name) is recipe for name, recipe in RECIPES.items())


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(UsageError, match="use one of finetune"):
        find_recipe("soup")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_comes_back_from_json_as_it_was(name: str) -> None:
    assert recipe_from(json.loads(json.dumps(asdict(RECIPES[name])))) == RECIPES[name]


def test_single_settings_can_be_changed() -> None:
    recipe = adjusted(
        Recipe(), ["rates.trunk=2e-4", "epochs=7", "changes.augment=false", "trained.batch_norm=affine", "fit=stretch"]
    )
    assert (recipe.rates.trunk, recipe.epochs, recipe.changes.augment) == (2e-4, 7, False)
    assert (recipe.trained.batch_norm, recipe.fit) == ("affine", "stretch")
    assert recipe.rates.head == Recipe().rates.head


def test_the_modules_that_learn_are_a_list_with_commas() -> None:
    assert adjusted(Recipe(), ["trained.only=one,two"]).trained.only == ("one", "two")


@pytest.mark.parametrize(
    ("setting", "said"),
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
        ("trained.frozen_share=1.1", "from 0 to 1"),
        ("changes.augment=maybe", "true or false"),
        ("trained.batch_norm=some", "frozen, affine, train"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(setting: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        adjusted(Recipe(), [setting])


def test_every_setting_has_a_name() -> None:
    assert {"epochs", "rates.layer_decay", "trained.only", "changes.cutmix"} <= set(setting_names())
