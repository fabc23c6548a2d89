"""Many images: one result each, in order, as they come."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from artnet.attribution.explain import explain
from artnet.batch.predict import (
    PipelineLimits,
    PredictOptions,
    classify_sources,
    overlay_name,
    predict_items,
)
from artnet.errors import CorruptImageError, OutputError
from artnet.imaging.decode import ImageFile, open_image
from artnet.model.classifier import Classifier
from artnet.model.preprocessing import OpenedImage
from artnet.sources.find import find_items
from artnet.sources.item import InMemory, SourceItem, SourceRules


class SlowClassifier(Classifier):
    """Takes its time and finds each image corrupt."""

    def __init__(self, seconds: float = 0.005) -> None:
        self.seconds, self.done = seconds, 0

    def open(self, file: ImageFile, views: str = "voting", trim: bool = True) -> OpenedImage:
        time.sleep(self.seconds)
        self.done += 1
        raise CorruptImageError(f"{file.name}: no image")


@dataclass(frozen=True)
class Static:
    """A location that is read at once."""

    data: bytes

    def read(self, name: str, rules: SourceRules) -> bytes:
        return self.data


EXAMPLES = Path(__file__).parent.parent.parent.parent / "examples"


def test_results_come_in_the_order_of_the_sources(classifier: Classifier, painting_file: Path, tmp_path: Path) -> None:
    sources = [str(tmp_path / "gone.png"), str(painting_file), str(tmp_path / "empty")]
    (tmp_path / "empty").mkdir()
    results = list(classify_sources(classifier, sources))
    assert [result.source for result in results] == sources
    assert [result.error is None for result in results] == [False, True, False]


def test_a_result_names_the_files_own_bytes(classifier: Classifier, painting_file: Path) -> None:
    (result,) = classify_sources(classifier, [str(painting_file)])
    assert result.sha256 == hashlib.sha256(painting_file.read_bytes()).hexdigest()


def test_a_damaged_file_keeps_its_digest_beside_its_error(classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (result,) = classify_sources(classifier, [str(tmp_path / "cut.png")])
    assert result.sha256 is not None
    assert result.to_dict()["error"]["kind"] == "corrupt"


def test_images_are_read_a_little_ahead_and_never_all(classifier: Classifier) -> None:
    read: list[str] = []

    class Counting:
        def read(self, name: str, rules: SourceRules) -> bytes:
            read.append(name)
            return b""

    results = predict_items(classifier, (SourceItem(f"{index}.png", Counting()) for index in range(1000)))
    assert next(results).source == "0.png"
    results.close()
    assert 0 < len(read) < 100


def test_a_slow_image_keeps_its_place(classifier: Classifier, painting_file: Path) -> None:
    class Late:
        def read(self, name: str, rules: SourceRules) -> bytes:
            time.sleep(0.3)
            return painting_file.read_bytes()

    found = [SourceItem("late.png", Late()), *find_items([str(painting_file)] * 3)]
    assert [result.source for result in predict_items(classifier, found)] == ["late.png", *[str(painting_file)] * 3]


def test_readers_wait_where_many_bytes_are_held(classifier: Classifier) -> None:
    items = [SourceItem(f"{index}.png", Static(b"no image at all")) for index in range(100)]
    results = predict_items(classifier, items, limits=PipelineLimits(held_bytes=1))
    assert [result.source for result in results if result.error] == [item.name for item in items]


def test_no_more_items_are_read_at_a_time_than_there_are_readers() -> None:
    reading, most = set[str](), list[int]()

    class Watched:
        def read(self, name: str, rules: SourceRules) -> bytes:
            reading.add(name)
            time.sleep(0.005)
            most.append(len(reading))
            reading.remove(name)
            return b""

    items = (SourceItem(f"{index}.png", Watched()) for index in range(60))
    assert len(list(predict_items(SlowClassifier(), items, limits=PipelineLimits(workers=2, readers=3)))) == 60
    assert max(most) == 3


def test_items_that_carry_their_bytes_are_found_no_faster_than_they_are_classified() -> None:
    classifier, lead = SlowClassifier(), list[int]()

    def carried() -> Iterator[SourceItem]:
        for index in range(40):
            lead.append(index - classifier.done)
            yield SourceItem(f"{index}.png", InMemory(b"no image at all"))

    assert len(list(predict_items(classifier, carried(), limits=PipelineLimits(held_bytes=20)))) == 40
    assert max(lead) <= 4  # two of fifteen bytes are over twenty, one is being found, one is done and still counted


def test_items_in_memory_and_in_files_share_the_bytes_and_none_waits_for_ever() -> None:
    locations = [InMemory(b"12345"), Static(b"12345"), Static(b"")]
    items = [SourceItem(f"{index}.png", locations[index % 3]) for index in range(90)]
    results = predict_items(SlowClassifier(0), items, limits=PipelineLimits(workers=1, readers=2, held_bytes=5))
    assert [result.source for result in results] == [item.name for item in items]


def test_a_caller_who_stops_waits_for_no_reader_and_has_nothing_more_read() -> None:
    read = list[str]()
    slow = threading.Event()

    class Late:
        def read(self, name: str, rules: SourceRules) -> bytes:
            read.append(name)
            if name != "0.png":
                slow.wait(20)
            return b""

    items = (SourceItem(f"{index}.png", Late()) for index in range(100))
    results = predict_items(SlowClassifier(0), items, limits=PipelineLimits(workers=1, readers=4))
    started = time.monotonic()
    next(results)
    results.close()
    assert time.monotonic() - started < 5
    slow.set()
    time.sleep(0.05)
    assert 1 <= len(read) <= 5


def test_an_image_that_is_drawn_over_is_classified_once(
    classifier: Classifier, painting_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    infer = Classifier.infer
    monkeypatch.setattr(Classifier, "infer", lambda self, *given: seen.append(given) or infer(self, *given))
    (result,) = predict_items(classifier, find_items([str(painting_file)]), PredictOptions(overlay_folder=tmp_path))
    assert result.overlay is not None
    assert len(seen) == 1


def test_a_large_jpeg_is_decoded_small_and_scored_nearly_as_in_full(classifier: Classifier, tmp_path: Path) -> None:
    with Image.open(EXAMPLES / "pointillist.jpg") as image:
        image.resize((2400, 1800), Image.Resampling.LANCZOS).save(tmp_path / "large.jpg", quality=92)
    (result,) = classify_sources(classifier, [str(tmp_path / "large.jpg")])
    expected = classifier.classify(open_image(tmp_path / "large.jpg"))
    assert result.prediction is not None
    assert result.prediction == classifier.classify(tmp_path / "large.jpg")
    assert result.prediction.scores == explain(classifier, tmp_path / "large.jpg", depth=9).prediction.scores
    assert (result.prediction.width, result.prediction.height) == (2400, 1800)
    assert result.prediction.views[0].box == expected.views[0].box
    assert list(result.prediction.scores.values()) == pytest.approx(list(expected.scores.values()), abs=0.03)


def test_a_bug_is_raised_and_is_no_result(classifier: Classifier) -> None:
    class Broken:
        def read(self, name: str, rules: SourceRules) -> bytes:
            raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError, match="a fault of ours"):
        list(predict_items(classifier, [SourceItem("a.png", Broken())]))


def test_an_overlay_is_drawn_for_each_and_named_by_its_content(
    classifier: Classifier, painting_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "why").mkdir()
    found = find_items([str(painting_file), str(tmp_path / "gone.png")])
    succeeded, failed = predict_items(classifier, found, PredictOptions(overlay_folder=tmp_path / "why"))
    assert succeeded.overlay == f"painting-{succeeded.sha256[:12]}.jpg"
    assert failed.overlay is None
    with Image.open(tmp_path / "why" / succeeded.overlay) as overlay:
        assert overlay.size == (420, 300)
    assert [path.name for path in (tmp_path / "why").iterdir()] == [succeeded.overlay]


def test_an_overlay_that_cannot_be_written_stops_the_work(
    classifier: Classifier, painting_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        list(
            predict_items(
                classifier, find_items([str(painting_file)]), PredictOptions(overlay_folder=tmp_path / "nowhere")
            )
        )


@pytest.mark.parametrize("name", ["../../x.jpg", "s3://b/ü\n?.png", "a.zip::" + "n" * 300 + ".jpg", "..", "a\\b.png"])
def test_an_overlays_name_is_a_plain_file_name(name: str) -> None:
    found = overlay_name(name, "ab" * 32)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,60}-abababababab\.jpg", found)


def test_a_batch_gives_each_image_the_prediction_that_it_has_alone(
    classifier: Classifier, painting: Image.Image, tmp_path: Path
) -> None:
    for index, angle in enumerate((0, 90, 180)):
        painting.rotate(angle, expand=True).save(tmp_path / f"{index}.png")
    together = list(classify_sources(classifier, [str(tmp_path)]))
    for result in together:
        assert result.prediction == classifier.classify(result.source)
