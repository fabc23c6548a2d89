"""Our metrics and intervals equal those of scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.metrics import calibration, classification
from artnet.metrics.bootstrap import bootstrap_interval, resampled_sums

sklearn_metrics = pytest.importorskip("sklearn.metrics", reason="needs pip install '.[dev]'")
scipy_stats = pytest.importorskip("scipy.stats", reason="needs pip install '.[dev]'")
CLASSES = 5
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 2, (300, CLASSES)).round(1)
Y_TRUE = RNG.integers(0, CLASSES, 300)
SCORES = classification.softmax(LOGITS)
Y_PRED = SCORES.argmax(1)
MATRIX = classification.confusion_matrix(Y_TRUE, Y_PRED, CLASSES)


def test_the_metrics_of_each_class_are_scikit_learns() -> None:
    precision, recall, f1, _ = sklearn_metrics.precision_recall_fscore_support(Y_TRUE, Y_PRED)
    assert np.array_equal(MATRIX, sklearn_metrics.confusion_matrix(Y_TRUE, Y_PRED))
    assert classification.precisions(MATRIX) == pytest.approx(precision)
    assert classification.recalls(MATRIX) == pytest.approx(recall)
    assert classification.f1_scores(MATRIX) == pytest.approx(f1)


def test_the_metrics_of_all_classes_are_scikit_learns() -> None:
    ours = (
        classification.accuracy(Y_TRUE, Y_PRED),
        classification.balanced_accuracy(Y_TRUE, Y_PRED, CLASSES),
        classification.macro_f1(Y_TRUE, Y_PRED, CLASSES),
        classification.top_k_accuracy(Y_TRUE, SCORES, 2),
        calibration.negative_log_likelihood(Y_TRUE, SCORES),
    )
    theirs = (
        sklearn_metrics.accuracy_score(Y_TRUE, Y_PRED),
        sklearn_metrics.balanced_accuracy_score(Y_TRUE, Y_PRED),
        sklearn_metrics.f1_score(Y_TRUE, Y_PRED, average="macro"),
        sklearn_metrics.top_k_accuracy_score(Y_TRUE, SCORES, k=2),
        sklearn_metrics.log_loss(Y_TRUE, SCORES),
    )
    assert ours == pytest.approx(theirs)


def test_ranking_with_ties_is_scikit_learns() -> None:
    positive, values = Y_TRUE == 0, LOGITS[:, 0]
    assert len(set(values)) < len(values)
    auroc = classification.auroc(values[~positive], values[positive])
    assert auroc == pytest.approx(sklearn_metrics.roc_auc_score(positive, values))
    average_precision = classification.average_precision(positive, values)
    assert average_precision == pytest.approx(sklearn_metrics.average_precision_score(positive, values))


def test_the_bins_of_reliability_are_scikit_learns() -> None:
    sklearn_calibration = pytest.importorskip("sklearn.calibration")
    found = calibration.reliability(Y_TRUE, SCORES, bins=10)
    share, confidence = sklearn_calibration.calibration_curve(Y_TRUE == Y_PRED, SCORES.max(1), n_bins=10)
    assert found.accuracy[found.counts > 0] == pytest.approx(share)
    assert found.confidence[found.counts > 0] == pytest.approx(confidence)


def test_softmax_and_sigmoid_are_scipys() -> None:
    scipy_special = pytest.importorskip("scipy.special")
    assert classification.softmax(LOGITS, 1.5) == pytest.approx(scipy_special.softmax(LOGITS / 1.5, axis=1))
    assert classification.sigmoid(LOGITS) == pytest.approx(scipy_special.expit(LOGITS))


@pytest.mark.parametrize(("only_first", "only_second"), [(3, 1), (0, 7), (40, 25), (700, 500)])
def test_mcnemars_test_is_scipys_binomial_test(only_first: int, only_second: int) -> None:
    expected = scipy_stats.binomtest(only_first, only_first + only_second).pvalue
    assert classification.mcnemar_p(only_first, only_second) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_of_a_mean_is_scipys_within_the_noise_of_resampling(seed: int) -> None:
    values = np.random.default_rng(seed).gamma(2.0, size=200)
    ours = bootstrap_interval(resampled_sums({"mean": values[:, None]}, seed, 4000)["mean"][:, 0] / len(values))
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(seed)
    ).confidence_interval
    noise = 0.12 * (theirs.high - theirs.low)  # of a 2.5 % quantile of 4,000: four standard errors
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=noise)
