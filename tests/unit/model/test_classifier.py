"""The classifier: what a prediction holds, how it is decided, the same bits however an image comes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet import Classifier as PublicClassifier
from artnet.errors import ImageError, ModelError, SourceError, UsageError
from artnet.imaging.views import VIEWS, Box
from artnet.model.classifier import Classifier, open_engine
from artnet.model.config import GRAPH_FILE, Calibration, default_model
from artnet.model.prediction import decide

GRAPH = default_model() / GRAPH_FILE


def test_the_public_name_is_the_class() -> None:
    assert PublicClassifier is Classifier


def test_a_prediction_prints_as_the_contract_says(classifier: Classifier, painting_file: Path) -> None:
    found = json.loads(json.dumps(classifier.classify(painting_file).to_dict()))
    assert (
        " ".join(found)
        == "source movement confidence decision set scores styles likely_styles views model width height"
    )
    assert found["source"] == str(painting_file)
    assert (found["width"], found["height"]) == (420, 300)
    assert set(found["views"][0]) == {"name", "box", "scores"}
    assert found["views"][0]["box"] == [0, 0, 420, 300]


def test_scores_add_up_to_one_and_name_the_movement(classifier: Classifier, painting: Image.Image) -> None:
    found = classifier.classify(painting)
    assert list(found.scores) == list(classifier.config.movements)
    assert sum(found.scores.values()) == pytest.approx(1)
    assert found.confidence == max(found.scores.values()) == found.scores[found.movement]


def test_a_path_and_its_image_give_the_same_bits(
    classifier: Classifier, painting: Image.Image, painting_file: Path
) -> None:
    assert classifier.classify(painting_file).scores == classifier.classify(painting).scores


def test_all_views_are_computed_on_request_without_changing_the_answer(
    classifier: Classifier, painting: Image.Image
) -> None:
    every = classifier.classify(painting, views="all")
    assert tuple(view.name for view in every.views) == VIEWS
    assert every.scores == pytest.approx(classifier.classify(painting).scores)


def test_an_image_of_any_mode_is_taken(classifier: Classifier, painting: Image.Image) -> None:
    palette = painting.convert("P")
    assert classifier.classify(palette).scores == classifier.classify(palette.convert("RGB")).scores


def test_a_photograph_on_its_side_is_turned_upright_however_it_comes(
    classifier: Classifier, painting: Image.Image, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: a quarter turn
    painting.save(tmp_path / "side.png", exif=exif)
    with Image.open(tmp_path / "side.png") as opened:
        found = classifier.classify(opened)
        assert opened.size == (420, 300)
    assert (found.width, found.height) == (300, 420)
    assert found.scores == classifier.classify(tmp_path / "side.png").scores


def test_the_smallest_image_gets_an_answer(classifier: Classifier) -> None:
    found = classifier.classify(Image.new("RGB", (1, 1), "red"), views="all")
    assert (found.width, found.height) == (1, 1)
    assert all(view.box == Box(0, 0, 1, 1) for view in found.views)


def test_the_decision_changes_at_the_threshold(classifier: Classifier, painting: Image.Image) -> None:
    bare = Classifier(dataclasses.replace(classifier.config, ood=None), classifier.engine)
    confidence = bare.classify(painting).confidence
    for threshold, decision in ((confidence, "confident"), (np.nextafter(confidence, 2), "unsure")):
        calibration = Calibration(classifier.config.calibration.temperature, float(threshold))
        strict = Classifier(dataclasses.replace(bare.config, calibration=calibration), classifier.engine)
        assert strict.classify(painting).decision == decision


def test_the_set_holds_the_movements_until_they_exceed_the_threshold(
    classifier: Classifier, painting: Image.Image
) -> None:
    scores = classifier.classify(painting).scores
    order = sorted(scores, key=lambda name: -scores[name])
    for members in (1, 2, 5):
        threshold = sum(scores[name] for name in order[: members - 1]) + 1e-9
        calibration = dataclasses.replace(classifier.config.calibration, set_threshold=min(threshold, 1.0))
        known = Classifier(dataclasses.replace(classifier.config, calibration=calibration), classifier.engine)
        assert known.classify(painting).set == tuple(order[:members])


def test_a_model_without_a_threshold_of_sets_names_none(classifier: Classifier, painting: Image.Image) -> None:
    calibration = dataclasses.replace(classifier.config.calibration, set_threshold=None)
    older = Classifier(dataclasses.replace(classifier.config, calibration=calibration), classifier.engine)
    assert older.classify(painting).to_dict()["set"] is None


@pytest.mark.parametrize("colour", ["white", "black", "red", "tan", "#7f7f7f"])
@pytest.mark.parametrize("size", [(1, 1), (420, 300)])
def test_a_blank_page_is_unfamiliar(classifier: Classifier, colour: str, size: tuple[int, int]) -> None:
    found = classifier.classify(Image.new("RGB", size, colour))
    assert (found.decision, found.ood_score) == ("unfamiliar", np.inf)


def test_an_image_beyond_the_ood_threshold_is_unfamiliar_however_sure(
    classifier: Classifier, painting: Image.Image
) -> None:
    known = classifier.config.ood
    ood_score = classifier.classify(painting).ood_score
    assert known is not None
    assert ood_score is not None
    for threshold, unfamiliar in ((ood_score, False), (ood_score * 0.999, True)):
        config = dataclasses.replace(classifier.config, ood=dataclasses.replace(known, threshold=threshold))
        strict = Classifier(config, classifier.engine, classifier.ood)
        assert (strict.classify(painting).decision == "unfamiliar") is unfamiliar
        assert (decide(config, 0.1, ood_score) == "unfamiliar") is unfamiliar


def test_all_views_do_not_change_the_ood_score(classifier: Classifier, painting: Image.Image) -> None:
    assert classifier.classify(painting, views="all").ood_score == classifier.classify(painting).ood_score


def test_what_cannot_be_read_is_refused(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.jpg"):
        classifier.classify(tmp_path / "gone.jpg")
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(ImageError, match=r"text\.jpg"):
        classifier.classify(tmp_path / "text.jpg")


def test_an_unknown_choice_of_views_is_refused(classifier: Classifier, painting: Image.Image) -> None:
    with pytest.raises(UsageError, match="voting or all"):
        classifier.classify(painting, views="some")  # type: ignore[arg-type]


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_file_that_is_no_graph_is_refused(runtime: str, tmp_path: Path) -> None:
    path = tmp_path / GRAPH_FILE
    path.write_bytes(b"not a graph")
    if runtime == "onnxruntime":
        pytest.importorskip("onnxruntime", reason="needs pip install '.[onnxruntime]'")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        _ = open_engine(path, runtime).classes


def test_unknown_runtimes_and_precisions_are_refused() -> None:
    with pytest.raises(UsageError, match="openvino, onnxruntime"):
        open_engine(GRAPH, "tensorflow")
    with pytest.raises(UsageError, match="auto, f32"):
        open_engine(GRAPH, precision="int4")


def test_a_concurrency_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="concurrency is 0"):
        open_engine(GRAPH, concurrency=0)
