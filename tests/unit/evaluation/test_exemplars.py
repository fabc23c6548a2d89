"""Patches are cut around the cells of a layer's grid."""

from __future__ import annotations

from artnet.evaluation.exemplars import patch_box


def test_a_patch_is_a_square_around_its_cell() -> None:
    # Cell (3, 1) of 7 x 7 over 224 px: its middle is at 48, 112; three cells are 96 px.
    assert patch_box((7, 7), 22, 224) == (0, 64, 96, 160)
    assert patch_box((112, 112), 112 * 56 + 56, 224) == (99, 99, 127, 127)  # never under an eighth of the side
    assert patch_box((7, 7), 48, 224) == (128, 128, 224, 224)
