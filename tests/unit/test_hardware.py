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
def test_bf16_is_chosen_where_it_is_faster(tmp_path: Path, flags: str, expected: bool) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"vendor_id : {flags} fpu\nbugs: none\n")
    assert has_fast_bf16(cpuinfo) is expected


def test_bf16_is_not_chosen_where_nothing_is_known(tmp_path: Path) -> None:
    assert not has_fast_bf16(tmp_path / "missing")
