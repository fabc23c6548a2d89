"""Confident learning: which labels are probably wrong, from the labels and scores that were computed without them.

Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", 2021,
https://doi.org/10.1613/jair.1.12125. The library cleanlab computes the same, and the tests compare with it; it is under
the AGPL and needs pandas and scikit-learn, for what are forty lines here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artnet.metrics.classification import confusion_matrix

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
UNDECIDED = -1


def class_thresholds(labels: Ints, scores: Floats) -> Floats:
    """Return each class's mean score over the paintings that are labelled so (equation 2); (C,).

    Infinite for a class that no label names.
    """
    classes = scores.shape[1]
    counts = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, scores[np.arange(len(labels)), labels], classes)
    result: Floats = np.divide(sums, counts, out=np.full(classes, np.inf), where=counts > 0)
    return result


def confident_labels(labels: Ints, scores: Floats) -> Ints:
    """Return the class that each painting confidently belongs to, `UNDECIDED` where none; (N,).

    It is the one with the highest score among those whose score reaches the class's threshold, so that a class which is
    scored low throughout is not always outvoted.
    """
    reached = scores >= class_thresholds(labels, scores)
    best = np.where(reached, scores, -np.inf).argmax(1)
    return np.where(reached.any(1), best, UNDECIDED)


def confident_joint(labels: Ints, scores: Floats) -> Ints:
    """Return how many paintings of each label (row) confidently belong to each class (column) (equation 1); (C, C)."""
    confident = confident_labels(labels, scores)
    decided = confident != UNDECIDED
    return confusion_matrix(labels[decided], confident[decided], scores.shape[1])


def estimated_joint(labels: Ints, scores: Floats) -> Floats:
    """Return the estimated counts of labels (row) and true classes (column) (equation 3); (C, C).

    Each row of the confident joint is scaled to the number of its labels; where it is empty, they are taken for right.
    """
    joint = confident_joint(labels, scores).astype(np.float64)
    joint[np.diag_indices_from(joint)] += joint.sum(1) == 0
    counts = np.bincount(labels, minlength=len(joint))
    result: Floats = joint / joint.sum(1, keepdims=True) * counts[:, None]
    return result


def normalised_margins(labels: Ints, scores: Floats) -> Floats:
    """Return the score of each label less the highest other; (N,), from -1 where the label looks wrong to 1."""
    rows = np.arange(len(labels))
    others = scores.copy()
    others[rows, labels] = -np.inf
    result: Floats = scores[rows, labels] - others.max(1)
    return result


def label_issues(labels: Ints, scores: Floats) -> Ints:
    """Return the paintings off the diagonal of the confident joint, the lowest normalised margin first; (M,).

    Those whose label has the highest score of all are left out, as in cleanlab: they merely fall short of a threshold.
    """
    confident = confident_labels(labels, scores)
    margins = normalised_margins(labels, scores)
    suspects = np.flatnonzero((confident != UNDECIDED) & (confident != labels) & (margins < 0))
    return suspects[np.argsort(margins[suspects], kind="stable")]
