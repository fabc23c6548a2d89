"""The example pictures of the page."""

from __future__ import annotations

import pytest

from artnet.serving.web.samples import SAMPLES, sample_path


def test_every_example_is_there() -> None:
    assert all(sample_path(name) for name in SAMPLES)


@pytest.mark.parametrize("name", ["", "README", "../pyproject", "faceted.jpg", "/etc/passwd"])
def test_no_other_file_is_found(name: str) -> None:
    assert sample_path(name) is None
