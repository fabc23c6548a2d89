"""Near-duplicates: images of the same painting, scaled, stretched, re-encoded, greyed or slightly cropped.

Three steps, from cheap ones for all pairs to expensive ones for few:

1. `fingerprint` reduces an image to a grey square of 32 x 32, which discards scale, stretch and colour.
2. `candidates` compares the low frequencies of its discrete cosine transform, as in the DCT hash of Zauner,
   "Implementation and benchmarking of perceptual image hash functions", 2010,
   https://www.phash.org/docs/pubs/thesis_zauner.pdf, but as numbers instead of signs, because the sign of a coefficient
   near zero is noise and a plain image has hardly any other; and weighted against the decrease of amplitudes with
   frequency in natural images (Field, "Relations between the statistics of natural images and the response properties
   of cortical cells", 1987, https://doi.org/10.1364/JOSAA.4.002379). The whole of each image is compared with the whole
   and three centred crops of the other.
3. Verification: one image is aligned with the other by least squares (Lucas and Kanade, "An iterative image
   registration technique with an application to stereo vision", 1981, IJCAI,
   https://dl.acm.org/doi/10.5555/1623264.1623280), then their edges are correlated, with strong ones compressed. Step 2
   alone finds mostly dark squares on light grounds, which correlate at 0.99 whatever is painted in the square, and
   misses half of what was cropped unevenly.

Step 2 compares all pairs in blocks of matrix products, so no pair is lost as in an index of bits (Norouzi et al.,
"Fast search in Hamming space with multi-index hashing", 2012, https://arxiv.org/abs/1307.2982), which is fast only
for far narrower radii than a crop needs. A library of hashes (ImageHash, with SciPy and PyWavelets behind it) would
replace one cosine matrix and one product of ours; the crops and the verification would remain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.errors import UsageError

SIDE_PX = 32

# Set by eye on the pairs found among 12,336 paintings and by recall of copies; benchmarks/duplicates.py measures anew.
CANDIDATE_SCORE = 0.8  # cosine of two codes: keeps 330 pairs in a million
DUPLICATE_SCORE = 0.5  # correlation of edges, once aligned, for images full of detail; unrelated ones reach 0.49
PLAIN_SCORE = 0.88  # for plain ones: black squares, circles and skies over a sea reach 0.8 with each other
PLAIN_DETAIL, FULL_DETAIL = 0.3, 0.6  # mean squared compressed edge, 0..1; interpolated between the two
MIN_DETAIL = 0.03  # a hundred times what the noise of JPEG alone reaches
MIN_OVERLAP = 0.5  # share of the square that both images cover

_FREQUENCIES = 8
_CROPS = (0.0, 0.05, 0.10)  # taken off each side; the last view is the centred square
_VIEWS = len(_CROPS) + 1
_UNIT = 2048  # codes are whole numbers of this length: sums of their products stay exact in float32, in any order
_FLAT_LEVELS = 1.0  # grey levels (of 255) of standard deviation below which there is nothing but rounding
_EDGE_LEVELS = 2.0  # grey levels a pixel at which an edge counts half its strength
_STEPS = 5
_MAX_STEP = 0.05  # of the side
_RIDGE = 10.0  # squared grey levels; keeps the equations solvable where the image is flat
_BLOCK = 2048
_PAIR_BLOCK = 256  # keeps a block of pairs within the cache: half the time of 4096

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Fingerprint:
    """An image reduced to what the search compares."""

    thumbnail: bytes  # 32 x 32 grey levels, row by row
    aspect: float  # width over height of the painting, before it was stretched to a square


def fingerprint(image: Image.Image, aspect: float | None = None) -> Fingerprint:
    """Return an image's fingerprint; `aspect` is the painting's where the image is a stretched copy of it."""
    small = image.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX, reducing_gap=2.0)
    return Fingerprint(small.convert("L").tobytes(), aspect or image.width / image.height)


def near_duplicates(fingerprints: Sequence[Fingerprint], min_score: float = DUPLICATE_SCORE) -> list[tuple[int, int]]:
    """Return the pairs (i, j), i < j, that show the same painting, sorted.

    Whether a pair is one depends on its two fingerprints alone. Mirrored images are none, nor are images so plain that
    nothing but their tone could be compared.

    Args:
        fingerprints: of all images
        min_score: correlation of edges from which a pair is one, above 0 and at most 1

    Raises:
        UsageError: for another `min_score`
    """
    if not 0 < min_score <= 1:
        raise UsageError(f"the score {min_score} must be above 0 and at most 1; {DUPLICATE_SCORE} is usual")
    if len(fingerprints) < 2:
        return []
    thumbnails = np.frombuffer(b"".join(each.thumbnail for each in fingerprints), np.uint8)
    thumbnails = thumbnails.reshape(-1, SIDE_PX, SIDE_PX)
    aspects = np.array([each.aspect for each in fingerprints], np.float32)
    codes = dct_codes(thumbnails, aspects)
    ranks = _ranks(fingerprints)
    duplicates: list[tuple[int, int]] = []
    for block in candidates(codes):
        for start in range(0, len(block), _PAIR_BLOCK):
            pairs = block[start : start + _PAIR_BLOCK]
            # In one order whatever the order of the images, because aligning a with b is not aligning b with a.
            ordered = np.where((ranks[pairs[:, 0]] > ranks[pairs[:, 1]])[:, None], pairs[:, ::-1], pairs)
            verified = pairs[_verify(thumbnails, aspects, codes, ordered, min_score)]
            duplicates.extend((int(i), int(j)) for i, j in verified)
    return sorted(duplicates)


def clusters(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return a label for each of `count` images: the lowest index that a chain of pairs connects it with.

    >>> clusters(4, [(1, 3)])
    [0, 1, 2, 1]

    Union-find with path halving: Tarjan and van Leeuwen, "Worst-case analysis of set union algorithms", 1984,
    https://doi.org/10.1145/62.2160.
    """
    parents = list(range(count))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = index = parents[parents[index]]
        return index

    for first, second in pairs:
        low, high = sorted((root(first), root(second)))
        parents[high] = low
    return [root(index) for index in range(count)]


def _ranks(fingerprints: Sequence[Fingerprint]) -> Integers:
    """Return each fingerprint's rank by content."""
    order = sorted(range(len(fingerprints)), key=lambda at: (fingerprints[at].thumbnail, fingerprints[at].aspect))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def dct_codes(thumbnails: NDArray[np.uint8], aspects: Floats) -> NDArray[np.int16]:
    """Return the weighted low frequencies of the four views of each image, (N, 4, 55).

    Each row has the length 2048 up to rounding, or is zero where the image is flat.

    Args:
        thumbnails: (N, 32, 32) grey levels
        aspects: (N,)
    """
    frequency = np.hypot(*np.mgrid[:_FREQUENCIES, :_FREQUENCIES])
    kept = (frequency > 0) & (frequency < _FREQUENCIES)
    weights = np.sqrt(frequency[kept])  # half of what would make all amplitudes equal: crops change the high ones
    codes = np.zeros((len(thumbnails), _VIEWS, int(kept.sum())), np.int16)
    for start in range(0, len(thumbnails), _BLOCK):
        block = slice(start, start + _BLOCK)
        grey = thumbnails[block].astype(np.float32)
        for view in range(_VIEWS):
            boxes = _view_boxes(aspects[block], np.full(len(grey), view))
            cosines = COSINES @ _warp(grey, boxes)[0] @ COSINES.T
            values = cosines[:, kept] * weights
            lengths = np.linalg.norm(values, axis=1, keepdims=True)
            flat = np.linalg.norm(cosines[:, kept], axis=1, keepdims=True) < _FLAT_LEVELS * SIDE_PX
            codes[block, view] = np.where(flat, 0, (values / np.maximum(lengths, 1e-6) * _UNIT).round())
    return codes


def _cosines() -> Floats:
    """Return the first rows of the orthonormal DCT-II matrix, (8, 32)."""
    rows, columns = np.mgrid[:_FREQUENCIES, :SIDE_PX]
    matrix = np.sqrt(2 / SIDE_PX) * np.cos(np.pi * rows * (2 * columns + 1) / (2 * SIDE_PX))
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)


COSINES = _cosines()


def _view_boxes(aspects: Floats, views: Integers) -> Floats:
    """Return the boxes of views, (N, 4): left, right, top and bottom in shares of the side."""
    crops = np.array([*_CROPS, 0], np.float32)[views]
    square = views == len(_CROPS)
    across = np.where(square, np.maximum(0, (1 - 1 / aspects) / 2), crops)
    down = np.where(square, np.maximum(0, (1 - aspects) / 2), crops)
    return np.stack([across, 1 - across, down, 1 - down], axis=1).astype(np.float32)


def candidates(codes: NDArray[np.int16], block: int = _BLOCK) -> Iterator[Integers]:
    """Yield pairs (M, 2), i < j, where the whole of one image resembles a view of the other.

    Args:
        codes: of `dct_codes`
        block: number of images that are compared with as many others at once
    """
    threshold = CANDIDATE_SCORE * _UNIT**2
    for start in range(0, len(codes), block):
        left = codes[start : start + block].astype(np.float32)
        for other in range(start, len(codes), block):
            right = codes[other : other + block].astype(np.float32)
            similar = left[:, 0] @ right[:, 0].T >= threshold
            for view in range(1, _VIEWS):
                similar |= left[:, 0] @ right[:, view].T >= threshold
                similar |= left[:, view] @ right[:, 0].T >= threshold
            if start == other:
                similar = np.triu(similar, 1)
            yield np.add(np.argwhere(similar), (start, other))


def _verify(
    thumbnails: NDArray[np.uint8], aspects: Floats, codes: NDArray[np.int16], pairs: Integers, min_score: float
) -> NDArray[np.bool_]:
    """Return which candidates (M, 2) agree, once the narrower image is aligned with the best view of the wider."""
    first, second = codes[pairs[:, 0]].astype(np.float32), codes[pairs[:, 1]].astype(np.float32)
    in_second = np.einsum("md,mvd->mv", first[:, 0], second)  # (M, 4)
    in_first = np.einsum("md,mvd->mv", second[:, 0], first)
    swapped = in_first.max(axis=1) > in_second.max(axis=1)
    narrow, wide = np.where(swapped[:, None], pairs[:, ::-1], pairs).T
    views = np.where(swapped, in_first.argmax(axis=1), in_second.argmax(axis=1))
    model, scene = thumbnails[narrow].astype(np.float32), thumbnails[wide].astype(np.float32)
    boxes = _view_boxes(aspects[wide], views)
    # Alignment diverges where there is little detail; what needed none is then found without.
    results = np.stack([_correlate(model, scene, each) for each in (boxes, align(model, scene, boxes))])
    better = results[:, 0].argmax(axis=0)
    score, detail, overlap = results[better, :, np.arange(len(pairs))].T
    required = np.interp(detail, (PLAIN_DETAIL, FULL_DETAIL), (max(PLAIN_SCORE, min_score), min_score))
    return np.asarray((score >= required) & (detail >= MIN_DETAIL) & (overlap >= MIN_OVERLAP))


def _warp(scene: Floats, boxes: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return boxes (N, 4) of images (N, 32, 32), resized bilinearly to 32 x 32, and which pixels count.

    Those outside the image do not, nor the first and last of each row and column: they lack a neighbour for an edge.
    """
    grid = ((np.arange(SIDE_PX) + 0.5) / SIDE_PX).astype(np.float32)
    starts, ends = boxes[:, [0, 2], None], boxes[:, [1, 3], None]
    positions = (starts + (ends - starts) * grid) * SIDE_PX - np.float32(0.5)  # (N, 2, 32) pixels
    inside = (positions >= -0.5) & (positions <= SIDE_PX - 0.5)
    inside[..., [0, -1]] = False
    nearest = positions.clip(0, SIDE_PX - 1)[..., None]
    weights = np.maximum(0, 1 - np.abs(nearest - np.arange(SIDE_PX, dtype=np.float32)))
    return weights[:, 1] @ scene @ weights[:, 0].swapaxes(1, 2), inside[:, 1, :, None] & inside[:, 0, None, :]


def align(model: Floats, scene: Floats, boxes: Floats) -> Floats:
    """Return the boxes (N, 4) in which the scene matches the model, up to gain and offset.

    Args:
        model: (N, 32, 32) grey levels
        scene: (N, 32, 32) grey levels
        boxes: (N, 4) to start from: left, right, top and bottom in shares of the scene's side
    """
    share = ((np.arange(1, SIDE_PX, 2) + 0.5) / SIDE_PX).astype(np.float32)
    sampled = model[:, 1::2, 1::2]  # a quarter of the pixels: as good as all in recall, and a fraction of the work
    boxes = boxes.copy()
    for _ in range(_STEPS):
        warped, inside = _warp(scene, boxes)
        down, across = (edges[:, 1::2, 1::2] for edges in _edges(warped))
        columns = [across * (1 - share), across * share, down * (1 - share)[:, None], down * share[:, None]]
        slopes = np.stack([*columns, -sampled, -np.ones_like(sampled)], axis=-1).reshape(len(sampled), -1, 6)
        masked = (slopes * inside[:, 1::2, 1::2].reshape(len(sampled), -1, 1)).swapaxes(1, 2)
        matrix = masked @ slopes + _RIDGE * np.eye(6, dtype=np.float32)
        target = -masked @ warped[:, 1::2, 1::2].reshape(len(sampled), -1, 1)
        moves = np.linalg.solve(matrix, target)[:, :4, 0] / SIDE_PX
        sides = np.repeat(boxes[:, [1, 3]] - boxes[:, [0, 2]], 2, axis=1)
        boxes += moves.clip(-_MAX_STEP, _MAX_STEP) * sides
    return boxes


def _correlate(model: Floats, scene: Floats, boxes: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the correlation -1..1 of model and scene within the boxes, their detail 0..1 and their overlap 0..1."""
    warped, inside = _warp(scene, boxes)
    one, other = (np.stack([_compress(edges) * inside for edges in _edges(each)], axis=1) for each in (model, warped))
    common = np.einsum("naij,naij->n", one, other)
    lengths = np.sqrt(np.einsum("naij,naij->n", one, one) * np.einsum("naij,naij->n", other, other))
    pixels = inside.sum(axis=(1, 2))
    return common / np.maximum(lengths, 1e-6), lengths / np.maximum(2 * pixels, 1), inside.mean(axis=(1, 2))


def _edges(grey: Floats) -> tuple[Floats, Floats]:
    """Return the central differences of images (N, 32, 32) down and across, in levels a pixel; 0 at the border."""
    down, across = np.zeros_like(grey), np.zeros_like(grey)
    down[:, 1:-1] = (grey[:, 2:] - grey[:, :-2]) / 2
    across[:, :, 1:-1] = (grey[:, :, 2:] - grey[:, :, :-2]) / 2
    return down, across


def _compress(edges: Floats) -> Floats:
    """Return edges compressed to -1..1, so that a frame does not outweigh what is painted in it."""
    return np.asarray(edges / np.sqrt(edges**2 + _EDGE_LEVELS**2), np.float32)
