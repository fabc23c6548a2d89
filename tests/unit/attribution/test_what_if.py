"""What if: noise and sentences worked by hand, and every edit of any image."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from artnet.attribution.what_if import BLOCK_ORDER, EDITS, noise_of, sentence, what_if
from artnet.errors import UsageError
from fixtures.engine import tiny_classifier

BEFORE = {"Cubism": 0.8, "Realism": 0.15, "Abstract": 0.05}


def test_noise_is_one_and_a_half_times_the_largest_neutral_change() -> None:
    neutral = [{**BEFORE, "Cubism": 0.78, "Realism": 0.17}, {**BEFORE, "Realism": 0.11, "Abstract": 0.09}]
    assert noise_of(BEFORE, neutral) == pytest.approx(1.5 * 0.04)


def test_another_answer_is_told_with_its_score() -> None:
    after = {"Cubism": 0.39, "Realism": 0.61, "Abstract": 0.0}
    told = sentence(EDITS["no-colour"], BEFORE, after, "unfamiliar", 0.05)
    assert told == "Without colour it would be Realism (61%, unfamiliar)."


def test_the_same_answer_is_told_with_both_scores() -> None:
    after = {"Cubism": 0.6, "Realism": 0.3, "Abstract": 0.1}
    told = sentence(EDITS["mirrored"], BEFORE, after, "confident", 0.05)
    assert told == "Mirrored, it would still be Cubism (60%, not 80%)."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BEFORE, {"Cubism": 0.76, "Realism": 0.15, "Abstract": 0.09}),
        (BEFORE, {"Cubism": 0.8, "Realism": 0.05, "Abstract": 0.15}),  # its own score did not change
        ({"Cubism": 0.51, "Realism": 0.49}, {"Cubism": 0.49, "Realism": 0.51}),
    ],
)
def test_what_is_within_the_noise_is_not_told(before: dict[str, float], after: dict[str, float]) -> None:
    assert sentence(EDITS["darker"], before, after, "confident", 0.05) == ""


@pytest.mark.parametrize("size", [(420, 300), (1, 1), (900, 3)])
def test_every_edit_of_any_image_is_classified(size: tuple[int, int]) -> None:
    result = what_if(tiny_classifier(), Image.effect_noise(size, 60).convert("RGB"))
    assert [outcome.edit.name for outcome in result.outcomes] == list(EDITS)
    assert 0 <= result.noise <= 1.5
    for outcome in result.outcomes:
        assert sum(outcome.scores.values()) == pytest.approx(1)
        assert sum(outcome.changes.values()) == pytest.approx(0, abs=1e-9)
        assert outcome.image.size == result.image.size
        assert max(result.in_proportion(outcome.image).size) == 28


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_plain_image_changes_by_nothing_but_light_and_its_outlines(mode: str) -> None:
    result = what_if(tiny_classifier(), Image.new(mode, (60, 40), "grey"))
    moved = {outcome.edit.name for outcome in result.outcomes if outcome.sentence}
    assert moved <= {"darker", "lighter", "outlines", "no-colour"}


def test_grey_scans_lose_nothing_without_colour(painting: Image.Image) -> None:
    grey = painting.convert("L").convert("RGB")
    (outcome,) = what_if(tiny_classifier(), grey, ["no-colour"]).outcomes
    assert outcome.largest_change == 0
    assert outcome.sentence == ""


def test_edits_are_chosen_by_name_and_keep_their_order(painting: Image.Image) -> None:
    result = what_if(tiny_classifier(), painting, ["mirrored", "darker"])
    assert [outcome.edit.name for outcome in result.outcomes] == ["darker", "mirrored"]
    with pytest.raises(UsageError, match="unknown edit 'sepia'; use some of no-colour"):
        what_if(tiny_classifier(), painting, ["sepia"])


def test_sentences_tell_other_answers_first_and_name_what_is_quiet(painting: Image.Image) -> None:
    result = what_if(tiny_classifier(), painting)
    told = [outcome for outcome in result.outcomes if outcome.sentence]
    *sentences, last = result.sentences
    assert sorted(sentences) == sorted(outcome.sentence for outcome in told)
    still = ["would still be" in each for each in sentences]
    assert still == sorted(still)
    assert last.startswith(("No more than noise", "Noise:"))


def test_the_json_object_holds_every_number(painting: Image.Image) -> None:
    result = what_if(tiny_classifier(), painting)
    entries = result.to_dict()["edits"]
    assert len(entries) == len(EDITS)
    for entry, outcome in zip(entries, result.outcomes, strict=True):
        assert entry["changes"] == outcome.changes
        assert entry["scores"][entry["movement"]] == entry["confidence"]


def test_blocks_that_touched_do_so_no_more() -> None:
    places = np.array(BLOCK_ORDER).reshape(4, 4)
    assert sorted(BLOCK_ORDER) == list(range(16))
    assert (places != np.arange(16).reshape(4, 4)).all()
    for one, other in ((places[1:], places[:-1]), (places[:, 1:], places[:, :-1])):
        distance = np.abs(one // 4 - other // 4) + np.abs(one % 4 - other % 4)
        assert (distance > 1).all()
