"""Channel sheets, with and without an image; those with exemplars are in tests/integration."""

from __future__ import annotations

from pathlib import Path

import pytest

from artnet.errors import UsageError
from artnet.render.channel_sheet import channel_sheet
from artnet.render.contact_sheet import PlacedImage
from fixtures.engine import tiny_classifier


@pytest.mark.parametrize("with_image", [True, False])
def test_a_channel_is_shown_with_and_without_an_image(painting_file: Path, with_image: bool) -> None:
    classifier = tiny_classifier()
    opened = classifier.open(painting_file) if with_image else None
    shown = channel_sheet(classifier, opened, "2:1", steps=2)
    images = [mark for mark in shown.sheet.marks if isinstance(mark, PlacedImage)]
    assert len(images) == 1 + with_image
    assert ("image" in shown.details["activation"]) is with_image
    assert shown.details["patches"] == []


def test_an_unknown_channel_is_refused() -> None:
    with pytest.raises(UsageError, match="channel"):
        channel_sheet(tiny_classifier(), None, "2:400", steps=2)
