"""The OOD score is the Mahalanobis distance, and its file holds numbers only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artnet.errors import ModelError
from artnet.metrics.classification import auroc
from artnet.model.ood import (
    OUTLIER_PENALTY,
    OodDetector,
    expose_to_outliers,
    fit_ood_detector,
    logistic_regression,
    read_ood_detector,
    write_ood_detector,
)

RNG = np.random.default_rng(0)
MOVEMENTS = np.arange(300) % 3
PAINTINGS = RNG.normal(size=(300, 12)) + 4 * np.eye(12)[MOVEMENTS]


@pytest.fixture(scope="module")
def detector() -> OodDetector:
    return fit_ood_detector(PAINTINGS, MOVEMENTS, directions=5)


def test_a_distance_worked_by_hand() -> None:
    # Apart from the mean by (0.6, -0.2, 0): 0.6 at variance 0.09 is 2 deviations, 0.2 at variance 0.01 also 2.
    detector = OodDetector(
        np.array([[0, 1, 0]], np.float32), np.array([[1, 0, 0]], np.float32), np.array([0.09], np.float32), 0.01
    )
    assert detector.ood_score(np.array([[0.6, 0.8, 0]])) == pytest.approx([np.sqrt(8)], rel=1e-5)


def test_all_directions_give_the_whole_covariances_distance() -> None:
    full = fit_ood_detector(PAINTINGS, MOVEMENTS, directions=11)
    units = PAINTINGS / np.linalg.norm(PAINTINGS, axis=1, keepdims=True)
    means = np.stack([units[MOVEMENTS == movement].mean(0) for movement in range(3)])
    apart = units - means[MOVEMENTS]
    inverse = np.linalg.inv(apart.T @ apart / len(apart))
    distances = units[:9, None] - means
    expected = np.sqrt(np.einsum("nmd,de,nme->nm", distances, inverse, distances).min(1))
    assert full.ood_score(PAINTINGS[:9]) == pytest.approx(expected, rel=1e-3)


def test_what_lies_elsewhere_scores_above_every_painting(detector: OodDetector) -> None:
    elsewhere = RNG.normal(size=(20, 12)) - 6 * np.eye(12)[7]
    assert detector.ood_score(elsewhere).min() > detector.ood_score(PAINTINGS).max()


@given(st.floats(0.01, 100))
@settings(deadline=None, max_examples=20)
def test_the_length_of_an_embedding_does_not_matter(factor: float) -> None:
    detector = fit_ood_detector(PAINTINGS, MOVEMENTS, directions=5)
    assert detector.ood_score(factor * PAINTINGS[:5]) == pytest.approx(detector.ood_score(PAINTINGS[:5]))


def test_fewer_paintings_than_directions_can_be_detector_too() -> None:
    detector = fit_ood_detector(RNG.normal(size=(6, 12)), np.array([0, 0, 0, 1, 1, 1]))
    assert np.isfinite(detector.ood_score(PAINTINGS)).all()


def test_the_file_gives_back_what_was_written_and_is_the_same_each_time(detector: OodDetector, tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        write_ood_detector(tmp_path / name, detector)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    read = read_ood_detector(tmp_path / "one.npz")
    assert read.ood_score(PAINTINGS) == pytest.approx(detector.ood_score(PAINTINGS), rel=1e-5)


def test_objects_in_the_file_are_not_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", means=np.array([{"a": 1}], object))
    with pytest.raises(ModelError, match=r"bad\.npz"):
        read_ood_detector(tmp_path / "bad.npz")


@pytest.mark.parametrize(
    "change", [{"variances": np.zeros(5)}, {"means": np.zeros((3, 4))}, {"rest": np.nan}, {"directions": np.zeros(3)}]
)
def test_contradictory_arrays_are_refused(detector: OodDetector, tmp_path: Path, change: dict[str, object]) -> None:
    arrays = {name: getattr(detector, name) for name in ("means", "directions", "variances", "rest")}
    np.savez(tmp_path / "bad.npz", **{**arrays, **change})
    with pytest.raises(ModelError, match="contradict each other"):
        read_ood_detector(tmp_path / "bad.npz")


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"PK no archive")
    with pytest.raises(ModelError, match="is not a file of numbers"):
        read_ood_detector(tmp_path / "bad.npz")


def test_the_linear_term_worked_by_hand() -> None:
    weights = np.array([10, 0, 0], np.float32)
    means, directions, variances = (np.array(each, np.float32) for each in ([[0, 1, 0]], [[1, 0, 0]], [0.09]))
    for bias, expected in ((-2.0, 6 - 2), (-5.0, np.sqrt(8))):  # the larger of the linear term and the distance
        detector = OodDetector(means, directions, variances, 0.01, weights, bias)
        assert detector.ood_score(np.array([[0.6, 0.8, 0]])) == pytest.approx([expected], rel=1e-5)


def test_what_resembles_the_outliers_is_told_from_paintings() -> None:
    full = fit_ood_detector(PAINTINGS, MOVEMENTS, directions=11)
    near = PAINTINGS[:150] + 3 * np.eye(12)[9]  # hardly further than paintings from one another
    exposed = expose_to_outliers(full, PAINTINGS, [near[:100], near[100:120] * 3])
    before, after = (auroc(each.ood_score(PAINTINGS), each.ood_score(near[120:])) for each in (full, exposed))
    assert after > before + 0.02
    assert (exposed.ood_score(PAINTINGS) >= full.ood_score(PAINTINGS)).all()


def test_a_logistic_regression_is_scikit_learns() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model", reason="needs pip install '.[dev]'")
    inputs, weights = RNG.normal(size=(200, 4)), RNG.uniform(0.5, 2, 200)
    labels = (inputs[:, 0] + RNG.normal(size=200) > 0.5).astype(float)
    oracle = linear_model.LogisticRegression(C=1 / OUTLIER_PENALTY, tol=1e-8).fit(inputs, labels, weights)
    assert logistic_regression(inputs, labels, weights) == pytest.approx(oracle.coef_[0], rel=1e-4)


def test_the_linear_term_is_written_and_read(detector: OodDetector, tmp_path: Path) -> None:
    exposed = expose_to_outliers(detector, PAINTINGS, [PAINTINGS[:50] + 1])
    write_ood_detector(tmp_path / "ood.npz", exposed)
    assert read_ood_detector(tmp_path / "ood.npz").ood_score(PAINTINGS) == pytest.approx(exposed.ood_score(PAINTINGS))


@pytest.mark.parametrize("weights", [np.zeros(5), np.full(12, np.nan)])
def test_a_linear_term_of_another_size_is_refused(detector: OodDetector, tmp_path: Path, weights: np.ndarray) -> None:
    arrays = {name: getattr(detector, name) for name in ("means", "directions", "variances", "rest")}
    np.savez(tmp_path / "bad.npz", **arrays, outlier_weights=weights, outlier_bias=0.0)
    with pytest.raises(ModelError, match="contradict each other"):
        read_ood_detector(tmp_path / "bad.npz")
