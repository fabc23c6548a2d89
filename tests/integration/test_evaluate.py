"""An evaluation predicts as users get it, and says what its scores are worth."""

from __future__ import annotations

import dataclasses
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artnet.data.dataset import count_rows, iterate_rows, read_info
from artnet.errors import DataError, UsageError
from artnet.evaluation.evaluate import EvaluateOptions, baselines, evaluate, overlap_warnings
from artnet.evaluation.predictions import predict_split
from artnet.evaluation.report import Evaluation
from artnet.evaluation.report_html import report_page
from artnet.imaging.views import VIEWS
from artnet.model.card import model_card
from artnet.model.classifier import Classifier
from artnet.model.config import ModelConfig

PHOTOGRAPHS = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "not-paintings" / "photo"


@pytest.fixture(scope="module")
def tiny(exported: Path) -> Classifier:
    """A tiny trained model."""
    return Classifier.load(exported, precision="f32")


@pytest.fixture(scope="module")
def evaluation(tiny: Classifier, data: Path) -> Evaluation:
    """That model, evaluated with all views and compared with itself."""
    return evaluate(tiny, data, "test", EvaluateOptions(views="all", against=tiny))


def test_every_painting_of_the_split_is_predicted(evaluation: Evaluation, data: Path) -> None:
    rows = list(iterate_rows(data, "test", ["movement", "id"]))
    groups = evaluation.report.groups
    assert evaluation.report.meta.paintings == len(rows) == sum(map(sum, groups.confusion))
    assert evaluation.scored.predictions.ids == tuple(row["id"] for row in rows)
    counts = np.bincount([row["movement"] for row in rows], minlength=5)
    assert [sum(row) for row in groups.confusion] == counts.tolist()


def test_predictions_cover_every_view_of_every_painting(tiny: Classifier, data: Path) -> None:
    steps: list[tuple[int, int]] = []
    found = predict_split(tiny, data, "test", VIEWS, lambda done, total: steps.append((done, total)))
    count = count_rows(data, "test")
    assert found.logits.shape == (count, 6, 5)
    assert found.ood_score is not None
    assert found.ood_score.shape == (count,)
    assert steps[-1] == (count, count)
    assert set(found.collections) == {"collection"}


def test_the_whole_view_has_the_same_logits_alone_and_among_six(tiny: Classifier, data: Path) -> None:
    six, one = (predict_split(tiny, data, "val", views, lambda done, total: None) for views in (VIEWS, VIEWS[:1]))
    assert np.array_equal(six.logits[:, 0], one.logits[:, 0])
    assert one.voted({"whole": 1}, 2.0) == pytest.approx(six.voted({"whole": 1}, 2.0))


def test_all_six_views_are_compared_on_request(evaluation: Evaluation, tiny: Classifier, data: Path) -> None:
    names = ["whole alone", "five regions alone", "all six alike", "as the model votes"]
    assert list(evaluation.report.groups.by_views) == names
    voting = evaluate(tiny, data, "test", EvaluateOptions(thumbnails=False))
    assert list(voting.report.groups.by_views) == ["whole alone", "as the model votes"]
    assert voting.scored.scores == pytest.approx(evaluation.scored.scores)
    assert voting.thumbnails == ()


def test_a_model_compared_with_itself_does_not_differ(evaluation: Evaluation) -> None:
    comparison = evaluation.report.comparison
    assert comparison is not None
    assert comparison.difference.value == 0
    assert comparison.p_value == 1


def test_thumbnails_of_errors_have_the_paintings_shape_and_are_small(evaluation: Evaluation, data: Path) -> None:
    rows = {row["id"]: row for row in iterate_rows(data, "test", ["id", "width", "height"])}
    assert len(evaluation.thumbnails) == len(evaluation.report.errors) > 0
    for error, jpeg in zip(evaluation.report.errors, evaluation.thumbnails, strict=True):
        with Image.open(BytesIO(jpeg)) as image:
            aspect = rows[error.id]["width"] / rows[error.id]["height"]
            assert abs(image.width / image.height - aspect) < 0.05
            assert max(image.size) <= 168
        assert len(jpeg) < 20_000


def test_baselines_are_scored_on_the_same_split(data: Path) -> None:
    found = baselines(data, read_info(data), "test")
    assert found["random"] == 0.2
    assert found["majority"] is not None
    assert found["artist_oracle"] == found["majority"]  # no artist of test is known


def test_a_warning_says_that_the_training_paintings_differ(tiny: Classifier, data: Path) -> None:
    info = dataclasses.replace(read_info(data), train_sha256="b" * 64)

    def trained_on(digest: str) -> ModelConfig:
        return dataclasses.replace(tiny.config, training={"train_sha256": digest})

    different = overlap_warnings(trained_on("a" * 64), info, "test")
    assert "may contain paintings that the model was trained on" in different[0]
    assert overlap_warnings(trained_on("b" * 64), info, "test") == ()
    assert overlap_warnings(trained_on(""), info, "test") == ()
    assert "train split" in overlap_warnings(trained_on("b" * 64), info, "train")[0]


def test_the_record_in_the_model_folder_names_no_painting(evaluation: Evaluation) -> None:
    record = str(evaluation.report.to_record())
    assert all(identity not in record for identity in evaluation.scored.predictions.ids)


def test_the_faithfulness_of_heatmaps_is_measured_on_request(tiny: Classifier, data: Path) -> None:
    report = evaluate(tiny, data, "test", EvaluateOptions(thumbnails=False, faithfulness=2)).report
    assert [found.depth for found in report.faithfulness] == list(range(1, 10))
    assert all(found.paintings == 2 and np.isfinite(found.gain) for found in report.faithfulness)
    assert report.to_dict()["faithfulness"][8]["depth"] == 9
    assert "gradcam on 2 paintings" in report_page(report.to_dict())


def test_fine_styles_are_in_the_report_and_on_the_card(tiny: Classifier, evaluation: Evaluation) -> None:
    report = evaluation.report
    record = report.to_record()["styles"]
    assert set(record["by_style"]) == set(tiny.config.styles)
    assert record["paintings"] == report.meta.paintings
    assert "Mean average precision" in report_page(report.to_dict())
    card = model_card(dataclasses.replace(tiny.config, scores=report.to_record()))
    assert f"mean average precision {record['mean']:.3f}" in card


def test_a_model_without_a_second_head_has_no_scores_of_fine_styles(exported_without_styles: Path, data: Path) -> None:
    report = evaluate(Classifier.load(exported_without_styles), data, "test").report
    assert report.styles is None
    assert "styles" not in report.to_record()
    assert "Fine styles" not in report_page(report.to_dict())


def test_a_dataset_of_other_views_is_refused(classifier: Classifier, data: Path) -> None:
    with pytest.raises(DataError, match="--size-px 224 --fit stretch"):
        evaluate(classifier, data, "test")


def test_a_folder_that_is_no_dataset_is_refused(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a prepared dataset"):
        evaluate(classifier, tmp_path, "test")


def test_an_unknown_choice_of_views_is_refused(classifier: Classifier, data: Path) -> None:
    views: Any = "some"
    with pytest.raises(UsageError, match="voting or all"):
        evaluate(classifier, data, "test", EvaluateOptions(views=views))


def test_ood_folders_are_refused_for_a_model_without_a_detector(tiny: Classifier, data: Path) -> None:
    blind = Classifier(dataclasses.replace(tiny.config, ood=None), tiny.engine)
    with pytest.raises(UsageError, match="no out-of-distribution detector"):
        evaluate(blind, data, "test", EvaluateOptions(ood=(str(data),)))


@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="needs ../shared/data beside the repository")
def test_the_embedded_model_calls_most_photographs_unfamiliar(classifier: Classifier) -> None:
    decisions = [classifier.classify(path).decision for path in sorted(PHOTOGRAPHS.iterdir())[:40]]
    assert decisions.count("unfamiliar") > len(decisions) / 2
