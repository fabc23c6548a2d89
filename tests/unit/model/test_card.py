"""The model card says what config.json says."""

from __future__ import annotations

from dataclasses import replace

from artnet.model.card import model_card
from artnet.model.config import CARD_FILE, default_model, read_config

CONFIG = read_config(default_model())


def test_the_embedded_models_card_is_what_its_config_says() -> None:
    assert (default_model() / CARD_FILE).read_text(encoding="utf-8") == model_card(CONFIG)


def test_a_card_has_every_recorded_score() -> None:
    card = model_card(CONFIG)
    accuracy, photo = CONFIG.scores["values"]["accuracy"], CONFIG.scores["ood"]["photo"]
    assert f"| accuracy | {accuracy['value']:.3f} | {accuracy['low']:.3f} to {accuracy['high']:.3f} |" in card
    low, high = photo["interval"]["low"], photo["interval"]["high"]
    auroc = f"{photo['auroc']:.3f} ({low:.3f} to {high:.3f})"
    assert f"| photo | {photo['images']} | {auroc} | {photo['detection_rate']:.3f} |" in card
    for movement, entry in CONFIG.scores["by_movement"].items():
        assert f"| {movement} | {entry['paintings']} | {entry['recall']:.3f} |" in card


def test_a_card_without_scores_says_so() -> None:
    assert "Not evaluated yet" in model_card(replace(CONFIG, scores={}))


def test_a_card_without_detector_or_styles_does_not_mention_them() -> None:
    card = model_card(replace(CONFIG, ood=None, styles=(), scores={}))
    assert "never calls an image unfamiliar" in card
    assert "Mahalanobis" not in card
    assert "styles" not in card


def test_a_card_lists_the_weights_of_several_votes() -> None:
    config = replace(CONFIG, view_weights={"whole": 1.0, "top-left": 0.25, "centre": 0.0})
    assert "Vote: whole 1, top-left 0.25." in model_card(config)


def test_facts_stand_on_the_card_as_they_are_written() -> None:
    card = model_card(replace(CONFIG, training={"license": "cc0-1.0", "limits": ["It saw <no> pastels & inks."]}))
    assert "license: cc0-1.0" in card
    assert "- It saw <no> pastels & inks." in card


def test_a_recall_of_no_painting_is_none() -> None:
    scores = {**CONFIG.scores, "by_movement": {"Cubism": {"paintings": 0, "recall": None}}}
    assert "| Cubism | 0 | none |" in model_card(replace(CONFIG, scores=scores))
