"""An evaluation answers as users are answered, and says what its figures are worth."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from artnet.data.dataset import iterate_rows, read_info
from artnet.errors import DataError, UsageError
from artnet.evaluation.evaluate import (
    Beside,
    EvaluateOptions,
    Report,
    assemble,
    baselines,
    checked_views,
    evaluate,
    warnings_of,
)
from artnet.evaluation.predictions import SplitPredictions
from artnet.model.classifier import Classifier

LAZY = Beside({"majority": 0.25, "artist_oracle": None, "chance": 0.2})


@pytest.fixture(scope="module")
def report(classifier: Classifier, data: Path) -> Report:
    """Four paintings, worked by hand: three right, the Realist taken for an Expressionist."""
    logits = np.log(np.eye(5)[[0, 1, 2, 2]] * 0.5 + 0.1)[:, None] * classifier.config.calibration.temperature
    ids = ("w", "x", "y", "z")
    sources = ("a/w.jpg", "a/x.jpg", "b/y.jpg", "b/z.jpg")
    answers = SplitPredictions(
        ids, sources, ("Cubism", "Fauvism", "Neo_Dada", "Realism"), np.arange(4), ("whole",), logits
    )
    return assemble(classifier, read_info(data), "test", answers, LAZY)


@pytest.fixture(scope="module")
def measured(exported: Path, data: Path) -> Report:
    """A tiny trained model, measured with everything that can be asked for."""
    classifier = Classifier.load(exported, precision="f32")
    return evaluate(classifier, data, "test", EvaluateOptions(views="all", against=classifier))


def test_figures_worked_by_hand(report: Report) -> None:
    assert report.values["accuracy"].value == 0.75
    assert report.values["calibration_error"].value == pytest.approx(0.15)  # confidence 0.6, accuracy 0.75
    assert report.by_movement["Realism"].recall.value == 0
    assert report.by_collection["b"].accuracy.value == 0.5
    assert report.by_style["Expressionism: Neo Dada"].accuracy.value == 1
    assert report.confusion[3] == (0, 0, 1, 0, 0)
    assert [(each.id, each.truth, each.answer) for each in report.mistakes] == [("z", "Realism", "Expressionism")]


def test_before_calibration_the_temperature_is_one(classifier: Classifier, report: Report) -> None:
    sharper = 0.6**classifier.config.calibration.temperature
    expected = sharper / (sharper + 4 * 0.1**classifier.config.calibration.temperature)
    assert np.nanmax(report.calibration["before"].bins.confidence) == pytest.approx(expected)
    assert np.nanmax(report.calibration["after"].bins.confidence) == pytest.approx(0.6)


def test_every_painting_of_the_split_is_answered_as_users_are(measured: Report, data: Path) -> None:
    rows = list(iterate_rows(data, "test", ["movement", "id"]))
    assert measured.paintings == len(rows) == sum(map(sum, measured.confusion))
    assert measured.answers.ids == tuple(row["id"] for row in rows)
    counts = np.bincount([row["movement"] for row in rows], minlength=5)
    assert [sum(row) for row in measured.confusion] == counts.tolist()


def test_all_six_views_are_compared_when_asked_for(measured: Report, exported: Path, data: Path) -> None:
    assert list(measured.by_views) == ["whole alone", "five regions alone", "all six alike", "as the model votes"]
    voting = evaluate(Classifier.load(exported, precision="f32"), data, "test")
    assert list(voting.by_views) == ["whole alone", "as the model votes"]
    assert voting.scores == pytest.approx(measured.scores)


def test_a_model_compared_with_itself_does_not_differ(measured: Report) -> None:
    assert measured.comparison is not None
    assert measured.comparison.difference.value == 0
    assert measured.comparison.p_value == 1


def test_mistakes_have_pictures_unless_they_are_not_wanted(measured: Report, exported: Path, data: Path) -> None:
    assert measured.mistakes
    assert all(mistake.picture for mistake in measured.mistakes)
    bare = evaluate(Classifier.load(exported), data, "test", EvaluateOptions(pictures=False))
    assert not any(mistake.picture for mistake in bare.mistakes)


def test_lazy_guessers_are_scored_on_the_same_split(data: Path) -> None:
    found = baselines(data, read_info(data), "test")
    assert found["chance"] == 0.2
    assert found["majority"] is not None
    assert found["artist_oracle"] == found["majority"]  # no artist of test is known


def test_other_training_paintings_are_warned_of(classifier: Classifier, data: Path) -> None:
    info = dataclasses.replace(read_info(data), train_sha256="b" * 64)

    def trained_on(digest: str) -> Classifier:
        config = dataclasses.replace(classifier.config, training={"train_sha256": digest})
        return Classifier(config, classifier.engine)

    assert "may hold paintings that the model was trained on" in warnings_of(trained_on("a" * 64), info, "test")[0]
    assert warnings_of(trained_on("b" * 64), info, "test") == ()
    assert warnings_of(trained_on(""), info, "test") == ()
    assert "train split" in warnings_of(trained_on("b" * 64), info, "train")[0]


def test_what_travels_in_the_model_folder_names_no_painting(measured: Report) -> None:
    record = measured.to_record()
    assert not {"mistakes", "by_style", "answers"} & set(record)
    assert all(identity not in str(record) for identity in measured.answers.ids)
    assert record["values"]["accuracy"]["value"] == measured.values["accuracy"].value


def test_a_dataset_of_other_views_is_refused(classifier: Classifier, data: Path) -> None:
    with pytest.raises(DataError, match="--size-px 224 --fit stretch"):
        evaluate(classifier, data, "test")


def test_a_folder_that_is_no_dataset_is_refused(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a prepared dataset"):
        evaluate(classifier, tmp_path, "test")


def test_an_unknown_choice_of_views_is_refused() -> None:
    with pytest.raises(UsageError, match="voting or all"):
        checked_views("some")


def test_strangers_for_a_model_that_cannot_tell_are_refused(exported: Path, data: Path) -> None:
    opened = Classifier.load(exported)
    blind = Classifier(dataclasses.replace(opened.config, ood=None), opened.engine)
    with pytest.raises(UsageError, match="cannot tell ood"):
        evaluate(blind, data, "test", EvaluateOptions(ood=(str(data),)))
