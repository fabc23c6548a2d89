"""The prepare command takes addresses for sources, and a local folder for what it makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from artnet.cli.commands.prepare import prepare
from artnet.data.catalog import Catalog
from artnet.errors import UsageError
from artnet.imaging.decode import Limits
from artnet.sources.item import SourceRules


@pytest.mark.parametrize("out", ["s3://bucket/out", "https://example.org/out"])
def test_a_dataset_is_not_written_to_an_address(out: str) -> None:
    with pytest.raises(UsageError, match="a local folder"):
        prepare(["memory://bucket/mine", out])


def test_a_source_and_a_place_are_needed() -> None:
    with pytest.raises(UsageError, match="at least one SOURCE, then OUT"):
        prepare(["mine"])


@pytest.mark.parametrize(("iiif_px", "side"), [(None, 4 * 64), (500, 500)])
def test_its_options_become_the_rules_of_its_sources(
    iiif_px: int | None, side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def read(source: str, kind: str | None, rules: SourceRules) -> Catalog:
        seen.append((source, rules))
        raise KeyboardInterrupt

    monkeypatch.setattr("artnet.data.readers.detect.read_catalog", read)
    sources = ["https://example.org/manifest", str(tmp_path / "out")]
    with pytest.raises(KeyboardInterrupt):
        prepare(sources, size_px=64, allow_private=True, timeout_s=5.0, max_mb=2, iiif_px=iiif_px)
    assert seen == [(sources[0], SourceRules(Limits(2 * 2**20), True, 5.0, side))]
