"""Copies of an image are found; mirrored, different and plain ones are not."""

from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps

from artnet.data.duplicates import (
    CANDIDATE_SCORE,
    COSINES,
    SIDE_PX,
    Fingerprint,
    align,
    candidates,
    clusters,
    dct_codes,
    fingerprint,
    near_duplicates,
)
from artnet.errors import UsageError

SEEDS = st.integers(0, 2**32)


def drawn(seed: int, width: int = 300, height: int = 220) -> Image.Image:
    """Draw an image of soft blots, no two seeds alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 9, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def same(one: Image.Image, other: Image.Image) -> bool:
    return near_duplicates([fingerprint(one), fingerprint(other)]) == [(0, 1)]


def encoded(image: Image.Image, quality: int) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def cropped(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Crop by shares of the sides."""
    width, height = image.size
    return image.crop(
        (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    )


COPIES = {
    "half": lambda image: image.resize((150, 110)),
    "quarter": lambda image: image.resize((75, 55)),
    "square": lambda image: image.resize((224, 224)),
    "JPEG": lambda image: encoded(image, 30),
    "grey": lambda image: image.convert("L"),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.85),
    "2 % off": lambda image: cropped(image, 0.02, 0.02, 0.02, 0.02),
    "5 % off": lambda image: cropped(image, 0.05, 0.05, 0.05, 0.05),
    "10 % off": lambda image: cropped(image, 0.1, 0.1, 0.1, 0.1),
    "unevenly off": lambda image: cropped(image, 0.0, 0.05, 0.07, 0.02),
    "centred square": lambda image: ImageOps.fit(image, (200, 200)),
    "framed": lambda image: ImageOps.expand(image, 12, "white"),
}


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_found_whatever_was_done_to_it(kind: str) -> None:
    assert [same(drawn(seed), COPIES[kind](drawn(seed))) for seed in range(5)] == [True] * 5


@pytest.mark.parametrize("turn", [ImageOps.mirror, ImageOps.flip, ImageOps.invert])
def test_a_mirrored_or_inverted_image_is_another(turn) -> None:  # type: ignore[no-untyped-def]
    assert not any(same(drawn(seed), turn(drawn(seed))) for seed in range(5))


def test_different_images_are_no_duplicates() -> None:
    assert near_duplicates([fingerprint(drawn(seed)) for seed in range(60)]) == []


def test_monochromes_are_no_duplicates_of_each_other() -> None:
    rng = np.random.default_rng(0)
    plain = [Image.new("RGB", (80, 60), (level, level, level)) for level in (0, 128, 255, 255)]
    noisy = [Image.fromarray(rng.integers(200, 204, (60, 80, 3), np.uint8)) for _ in range(4)]
    stored = [encoded(image, 30) for image in noisy]
    assert near_duplicates([fingerprint(image) for image in plain + noisy + stored]) == []


def test_two_dark_squares_with_different_paintings_in_them_are_two() -> None:
    """The commonest false alarm of a plain correlation: what differs is faint beside the frame."""
    squares = []
    for seed in (1, 2):
        ground = Image.new("RGB", (240, 240), "white")
        ground.paste(drawn(seed, 200, 200).point(lambda level: level // 6), (20, 20))
        squares.append(ground)
    assert not same(*squares)
    assert same(squares[0], encoded(squares[0].resize((100, 100)), 50))


@given(SEEDS, st.integers(24, 400), st.integers(24, 400))
@settings(deadline=None, max_examples=40)
def test_an_image_is_a_duplicate_of_itself_in_any_size(seed: int, width: int, height: int) -> None:
    assert same(drawn(seed), drawn(seed).resize((width, height)))


@given(st.data())
@settings(deadline=None, max_examples=30)
def test_the_order_of_images_does_not_matter(data: st.DataObject) -> None:
    prints = {seed: fingerprint(drawn(seed)) for seed in range(6)}
    prints |= {10 + seed: fingerprint(cropped(drawn(seed), 0.03, 0, 0.05, 0.06)) for seed in range(3)}
    order = data.draw(st.permutations(sorted(prints)))
    found = near_duplicates([prints[name] for name in order])
    assert all(i < j for i, j in found)
    assert {frozenset((order[i], order[j])) for i, j in found} == {frozenset((seed, 10 + seed)) for seed in range(3)}


@given(st.lists(st.sampled_from(["soft", "dark", "flat"]), max_size=5), SEEDS)
@settings(deadline=None, max_examples=30)
def test_adding_images_changes_no_pair(kinds: list[str], seed: int) -> None:
    before = [fingerprint(drawn(1)), fingerprint(drawn(2)), fingerprint(drawn(1).resize((90, 90)))]
    makers = {"soft": drawn, "dark": lambda at: drawn(at).point(lambda v: v // 20), "flat": lambda at: drawn(0, 1, 1)}
    added = [fingerprint(makers[kind](seed + at)) for at, kind in enumerate(kinds)]
    assert [pair for pair in near_duplicates(before + added) if max(pair) < 3] == [(0, 2)]


def test_the_code_of_one_cosine_is_that_cosine() -> None:
    """An image that is the first horizontal wave has one coefficient: code 2048 there and 0 elsewhere.

    A wave of amplitude 100 over 32 x 32 pixels has the orthonormal coefficient 100 * sqrt(32 / 2) * sqrt(32) = 2263,
    and cut by a tenth a side it is no longer one wave.
    """
    wave = 128 + 100 * np.cos(np.pi * (2 * np.arange(SIDE_PX) + 1) / (2 * SIDE_PX))
    grey = np.tile(wave.round().astype(np.uint8), (SIDE_PX, 1))
    code = dct_codes(grey[None], np.ones(1, np.float32))[0]
    rows = np.float32(COSINES @ grey @ COSINES.T)
    assert rows[0, 1] == pytest.approx(2263, abs=2)  # grey levels are whole numbers
    assert code[0].max() == 2048
    assert sorted(np.abs(code[0]))[-2] <= 20
    assert sorted(np.abs(code[2]))[-2] > 40


def test_a_fingerprint_is_the_mean_of_each_cell() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:2, :2] = [[[0] * 3, [40] * 3], [[80] * 3, [120] * 3]]  # the first cell: mean 60
    made = fingerprint(Image.fromarray(pixels))
    assert made == Fingerprint(bytes([60]) + bytes(SIDE_PX**2 - 1), 1.0)


def test_candidates_in_blocks_are_those_of_a_plain_loop() -> None:
    images = [drawn(seed) for seed in range(20)] + [cropped(drawn(seed), 0.01, 0.03, 0.02, 0) for seed in range(15)]
    prints = [fingerprint(image) for image in images]
    grey = np.frombuffer(b"".join(each.thumbnail for each in prints), np.uint8).reshape(-1, SIDE_PX, SIDE_PX)
    codes = dct_codes(grey, np.array([each.aspect for each in prints], np.float32))
    wide = codes.astype(np.int64)
    expected = {
        (i, j)
        for i, j in combinations(range(len(wide)), 2)
        if max((wide[j] @ wide[i, 0]).max(), (wide[i] @ wide[j, 0]).max()) >= CANDIDATE_SCORE * 2048**2
    }
    assert len(expected) >= 15
    for block in (1, 7, 100):
        found = [tuple(pair) for some in candidates(codes, block) for pair in some]
        assert sorted(found) == sorted(expected)


def test_aligning_finds_the_box_that_a_crop_was_cut_from() -> None:
    scene = drawn(3)
    model = cropped(scene, 0.06, 0.02, 0.03, 0.08)
    grey = [
        np.frombuffer(fingerprint(each).thumbnail, np.uint8).reshape(1, SIDE_PX, SIDE_PX) for each in (model, scene)
    ]
    boxes = align(*(each.astype(np.float32) for each in grey), np.array([[0, 1, 0, 1]], np.float32))
    assert boxes[0] == pytest.approx([0.06, 0.97, 0.02, 0.92], abs=0.006)  # a fifth of a cell of the square


def test_chains_of_pairs_become_clusters_named_by_their_first() -> None:
    # 0-3-5 and 2-4 hang together, 1 and 6 stand alone; 3-0 and 0-3 say the same
    assert clusters(7, [(3, 5), (2, 4), (0, 3), (3, 0)]) == [0, 1, 2, 0, 2, 0, 6]
    assert clusters(0, []) == []


@given(st.data(), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20))
def test_clusters_depend_on_no_order_of_pairs(data: st.DataObject, pairs: list[tuple[int, int]]) -> None:
    labels = clusters(12, pairs)
    assert clusters(12, [(j, i) for i, j in data.draw(st.permutations(pairs))]) == labels
    assert all(labels[i] == labels[j] for i, j in pairs)
    assert all(labels[label] == label <= at for at, label in enumerate(labels))


def test_none_and_one_image_have_no_duplicates() -> None:
    assert near_duplicates([]) == []
    assert near_duplicates([fingerprint(drawn(0))]) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (3, 2)])
def test_the_smallest_images_have_a_fingerprint(size: tuple[int, int]) -> None:
    prints = [fingerprint(drawn(seed).resize(size)) for seed in range(3)]
    assert all(len(each.thumbnail) == SIDE_PX**2 for each in prints)
    near_duplicates(prints)


@pytest.mark.parametrize("score", [0.0, -1.0, 1.01, float("nan")])
def test_a_score_that_cannot_be_meant_is_refused(score: float) -> None:
    with pytest.raises(UsageError, match="must be above 0 and at most 1"):
        near_duplicates([], score)
