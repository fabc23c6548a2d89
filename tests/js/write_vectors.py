"""Write tests/js/vectors.json: what the Python code computes, for the JavaScript of the static site to agree with.

    python tests/js/write_vectors.py

A test says when the file is no longer what this script writes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from artnet.attribution.cam import CAMS
from artnet.attribution.perturbation import occlusion
from artnet.attribution.target import Target, target_score
from artnet.attribution.what_if import EDITS, NEUTRAL, sentence
from artnet.imaging.margins import find_margins
from artnet.imaging.views import FITS, REGIONS, placement, region_box, whole_view
from artnet.metrics.classification import sigmoid, softmax
from artnet.model.ood import fit_ood_detector
from artnet.model.prediction import movement_set, vote
from artnet.model.preprocessing import network_input
from artnet.model.self_check import check_views
from artnet.render.colormap import colormap

SERVED_ONLY = ("eight-colours", "smooth", "areas", "detail", "outlines")  # edits that the static site leaves out
SIZES = [(640, 480), (100, 333), (224, 224), (1000, 7)]


def image_of(width: int, height: int, seed: int) -> Image.Image:
    """Return a random image with structure: a gradient and noise."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 200, width)[None, :, None] + np.linspace(0, 50, height)[:, None, None]
    return Image.fromarray((ramp + rng.integers(0, 6, (height, width, 3)) * 9).clip(0, 255).astype(np.uint8))


def pixels(image: Image.Image) -> list[int]:
    return [int(value) for value in np.asarray(image).ravel()]


def rounded(values: Any) -> Any:
    return np.asarray(values, np.float64).round(6).tolist()


def resizes() -> list[dict[str, Any]]:
    cases = []
    for (width, height), fit in [
        ((37, 23), "stretch"),
        ((70, 53), "stretch"),
        ((9, 30), "letterbox"),
        ((64, 48), "letterbox"),
    ]:
        image = image_of(width, height, width)
        view = whole_view(image, 16, fit)  # type: ignore[arg-type]
        cases.append({"width": width, "height": height, "fit": fit, "image": pixels(image), "view": pixels(view.image)})
    return cases


def margins() -> list[dict[str, Any]]:
    rng = np.random.default_rng(4)
    cases = []
    for name, colour, (left, top, right, bottom), noise in [
        ("white at four sides", 255, (12, 7, 3, 15), 0),
        ("black bars above and below", 0, (0, 11, 0, 11), 0),
        ("noisy paper", 225, (9, 9, 9, 9), 3),
        ("none", 255, (0, 0, 0, 0), 0),
        ("over a third", 90, (40, 0, 0, 0), 0),
    ]:
        inside = rng.integers(0, 200, (30, 40, 3))
        image = np.full((30 + top + bottom, 40 + left + right, 3), colour, np.float64)
        image += rng.normal(0, noise, image.shape)
        image[top : top + 30, left : left + 40] = inside
        cases.append((name, image))
    rows, columns = np.mgrid[:40, :40]
    disc = np.where(np.hypot(rows - 20, columns - 20)[..., None] < 12, rng.integers(0, 200, (40, 40, 3)), 250.0)
    nested = np.full((60, 60, 3), 250.0)
    nested[10:50, 10:50] = 60
    nested[22:38, 22:38] = rng.integers(0, 256, (16, 16, 3))
    found = []
    for name, values in [*cases, ("a figure on its ground", disc), ("one band inside another", nested)]:
        image = Image.fromarray(values.round().clip(0, 255).astype(np.uint8))
        data = b64encode(image.tobytes()).decode("ascii")
        box = find_margins(image).as_tuple()
        found.append({"name": name, "width": image.width, "height": image.height, "image": data, "box": box})
    return found


def cams() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    cases = {}
    for name, shape in (("wide", (7, 3, 4)), ("narrow", (3, 5, 6))):
        activation = np.maximum(rng.normal(size=shape), 0).astype(np.float32)
        gradient = rng.normal(size=shape).astype(np.float32)
        maps = {method: rounded(cam.compute(activation, gradient).ravel()) for method, cam in CAMS.items()}
        cases[name] = {
            "shape": shape,
            "activation": rounded(activation.ravel()),
            "gradient": rounded(gradient.ravel()),
            "maps": maps,
        }
    return cases


def scores() -> dict[str, Any]:
    rng = np.random.default_rng(2)
    logits, weights = rng.normal(size=(3, 5)), [0.5, 0.0, 1.5]
    embeddings = rng.normal(size=(60, 8)).astype(np.float32)
    ood = fit_ood_detector(embeddings, np.arange(60) % 3, directions=4)
    ood = replace(ood, outlier_weights=np.linspace(-9, 2, 8, dtype=np.float32), outlier_bias=0.25)
    arrays = {name: rounded(np.ravel(value)) for name, value in vars(ood).items() if not name.startswith("_")}
    movements = ("A", "B", "C", "D", "E")
    targets = [("B", None), ("B", "D")]
    return {
        "logits": rounded(logits),
        "weights": weights,
        "softmax": rounded(softmax(logits[0], 1.7)),
        "vote": rounded(vote(logits, weights, 1.7)),
        "sigmoid": rounded(sigmoid(logits[0])),
        "ood": {
            **arrays,
            "embedding": rounded(embeddings[0]),
            "score": round(float(ood.ood_score(embeddings[:1])[0]), 6),
        },
        "targets": [
            {
                "movement": movement,
                "rather_than": other,
                "weights": Target(movement, other).logit_weights(movements).ravel().tolist(),
                "score": float(target_score(logits[:1], Target(movement, other).logit_weights(movements))[0]),
            }
            for movement, other in targets
        ],
    }


def sets() -> list[dict[str, Any]]:
    cases = []
    for seed, threshold in enumerate((0.0, 0.5, 0.9, 1.0)):
        scores = dict(zip("ABCDE", np.random.default_rng(seed).dirichlet(np.ones(5)).tolist(), strict=True))
        cases.append({"scores": scores, "threshold": threshold, "set": movement_set(scores, threshold)})
    return cases


def occluded() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    view, kernel = rng.normal(size=(3, 28, 28)).astype(np.float32), rng.normal(size=(3, 28, 28)).astype(np.float32)
    grid = occlusion(lambda views: (views * kernel).sum((1, 2, 3)), view)
    return {"view": rounded(view.ravel()), "kernel": rounded(kernel.ravel()), "map": rounded(grid.ravel())}


def edited() -> dict[str, Any]:
    image = np.asarray(image_of(14, 9, 5)).copy()
    image[2:5, 3:8] = (200, 40, 30)
    image[6:8, 5:12] = (20, 60, 190)
    before = {"A": 0.2, "B": 0.7, "C": 0.1}
    afters = [{"A": 0.61, "B": 0.29, "C": 0.1}, {"A": 0.3, "B": 0.55, "C": 0.15}, {"A": 0.22, "B": 0.69, "C": 0.09}]
    return {
        "size": [14, 9],
        "image": image.ravel().tolist(),
        "edits": {
            name: {"label": edit.label, "condition": edit.condition, "image": edit.apply(image).ravel().tolist()}
            for name, edit in EDITS.items()
            if name not in SERVED_ONLY
        },
        "neutral": [change(image).ravel().tolist() for change in NEUTRAL[1:]],
        "before": before,
        "sentences": [
            {"after": after, "decision": decision, "sentence": sentence(EDITS["darker"], before, after, decision, 0.05)}
            for after, decision in zip(afters, ("confident", "unfamiliar", "unsure"), strict=True)
        ],
    }


def self_check() -> dict[str, Any]:
    return {"size": 20, "views": [pixels(view.image) for view in check_views(20)]}


def vectors() -> dict[str, Any]:
    """Compute everything that the file holds."""
    image = image_of(4, 4, 9)
    view = whole_view(image, 4, "stretch")
    from artnet.model.config import Preprocessing

    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return {
        "regions": [
            {"name": name, "size": size, "box": region_box(name, *size, 224).as_tuple()}
            for name in REGIONS
            for size in SIZES
        ],
        "placements": [
            {"size": size, "fit": fit, "box": placement(*size, 224, fit).content.as_tuple()}
            for size in SIZES
            for fit in FITS
        ],
        "resizes": resizes(),
        "margins": margins(),
        "input": {
            "image": pixels(image),
            "mean": mean,
            "std": std,
            "values": rounded(network_input([view], Preprocessing(4, "stretch", mean, std)).ravel()),
        },
        "cams": cams(),
        "scores": scores(),
        "sets": sets(),
        "occlusion": occluded(),
        "what_if": edited(),
        "self_check": self_check(),
        "colors": {side: colormap(side).ravel().tolist() for side in ("sequential", "positive", "negative")},  # type: ignore[arg-type]
    }


if __name__ == "__main__":
    path = Path(__file__).with_name("vectors.json")
    path.write_text(json.dumps(vectors(), separators=(",", ":")) + "\n", encoding="utf-8")
