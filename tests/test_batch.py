"""Many pictures: one answer each, in order, as they come."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image

from artnet.batch import classify_all
from artnet.classify import Classifier


def test_answers_come_in_the_order_of_the_sources(classifier: Classifier, painting_file: Path, tmp_path: Path) -> None:
    sources = [str(tmp_path / "gone.png"), str(painting_file), str(tmp_path / "empty")]
    (tmp_path / "empty").mkdir()
    answers = list(classify_all(classifier, sources))
    assert [answer.source for answer in answers] == sources
    assert [answer.error is None for answer in answers] == [False, True, False]


def test_an_answer_names_the_files_own_bytes(classifier: Classifier, painting_file: Path) -> None:
    (answer,) = classify_all(classifier, [str(painting_file)])
    assert answer.sha256 == hashlib.sha256(painting_file.read_bytes()).hexdigest()


def test_a_damaged_file_keeps_its_digest_beside_its_error(classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (answer,) = classify_all(classifier, [str(tmp_path / "cut.png")])
    assert answer.sha256 is not None
    assert answer.to_dict()["error"]["kind"] == "corrupt"


def test_nothing_is_read_before_it_is_asked_for(classifier: Classifier, painting_file: Path, tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "later.png")
    answers = classify_all(classifier, [str(painting_file), str(tmp_path / "later.png")])
    next(answers)
    (tmp_path / "later.png").unlink()
    late = next(answers)
    assert late.error is not None
    assert late.error.kind == "missing"


def test_a_batch_answers_as_a_single_picture_is_answered(
    classifier: Classifier, painting: Image.Image, tmp_path: Path
) -> None:
    for index, angle in enumerate((0, 90, 180)):
        painting.rotate(angle, expand=True).save(tmp_path / f"{index}.png")
    together = list(classify_all(classifier, [str(tmp_path)]))
    for answer in together:
        assert answer.prediction == classifier.classify(answer.source)
