"""What the processor offers."""

from __future__ import annotations

from pathlib import Path

import pytest

from artnet.hardware import has_fast_bf16, inference_concurrency, processor_count, serving_concurrency


def test_every_processor_is_kept_busy() -> None:
    assert 1 <= processor_count() < inference_concurrency()
    assert 1 <= serving_concurrency() <= 8


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("GenuineIntel flags: avx512_bf16 amx_bf16", True),
        ("GenuineIntel flags: avx512_bf16", False),
        ("AuthenticAMD flags: avx512_bf16", True),
        ("AuthenticAMD flags: avx2", False),
    ],
)
def test_bf16_is_chosen_where_it_is_faster(monkeypatch: pytest.MonkeyPatch, flags: str, expected: bool) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *args, **kinds: f"vendor_id : {flags} fpu\nbugs: none\n")
    assert has_fast_bf16.__wrapped__() is expected
