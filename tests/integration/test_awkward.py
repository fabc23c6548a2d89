"""Real files of every oddity, from the collections beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from artnet.batch.predict import predict_items
from artnet.model.classifier import Classifier
from artnet.sources.find import find_items

AWKWARD = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "awkward"


@pytest.mark.slow
@pytest.mark.skipif(not AWKWARD.is_dir(), reason="needs ../shared/data/awkward, a folder of odd and broken images")
def test_a_folder_of_odd_and_broken_images_gives_a_result_or_an_error_for_each(classifier: Classifier) -> None:
    found = list(find_items([str(AWKWARD)]))
    results = list(predict_items(classifier, found))
    assert [result.source for result in results] == [one.name for one in found]
    assert all((result.prediction is None) != (result.error is None) for result in results)
    kinds = {result.error.kind for result in results if result.error}
    assert "corrupt" in kinds
    assert kinds <= {"corrupt", "format", "empty", "too-large"}
