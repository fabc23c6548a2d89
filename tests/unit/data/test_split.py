"""A split depends on nothing but a seed, the ratios and a group's name."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.data.split import SPLITS, Ratios, assign_split, group_of, parse_ratios
from artnet.errors import UsageError

EVEN = Ratios(0.4, 0.3, 0.3)
SEEDS = st.integers(0, 2**32)
GROUPS = st.lists(st.text(), unique=True)
PERCENTAGES = st.tuples(st.integers(0, 100), st.integers(0, 100)).map(sorted)


def divide(groups: list[str], ratios: Ratios = EVEN, seed: int = 0) -> dict[str, str]:
    return {group: assign_split(group, ratios, seed) for group in groups}


def percent(cuts: list[int]) -> Ratios:
    return parse_ratios(f"{cuts[0]}:{cuts[1] - cuts[0]}:{100 - cuts[1]}")


def test_the_hash_as_a_share_of_its_range_decides_the_side() -> None:
    # The digest begins with c66a, so the group stands at 0xc66a / 0x10000 = 50794 / 65536 = 0.775
    assert hashlib.sha256(b"0\0artist:monet").hexdigest().startswith("c66a")
    assert assign_split("artist:monet", Ratios(0.78, 0.11, 0.11), seed=0) == "train"
    assert assign_split("artist:monet", Ratios(0.77, 0.01, 0.22), seed=0) == "val"
    assert assign_split("artist:monet", Ratios(0.67, 0.10, 0.23), seed=0) == "test"


@given(GROUPS, GROUPS, SEEDS)
def test_adding_paintings_never_moves_another(groups: list[str], added: list[str], seed: int) -> None:
    before = divide(groups, seed=seed)
    after = divide(groups + added, seed=seed)
    assert {group: after[group] for group in groups} == before


@given(st.data(), GROUPS)
def test_the_order_of_paintings_does_not_matter(data: st.DataObject, groups: list[str]) -> None:
    assert divide(data.draw(st.permutations(groups))) == divide(groups)


@given(st.lists(st.text(), min_size=2), st.text(min_size=1), SEEDS)
def test_all_paintings_of_an_artist_stand_on_one_side(identifiers: list[str], artist: str, seed: int) -> None:
    groups = [group_of(identifier, artist, "artist") for identifier in identifiers]
    assert len(set(divide(groups, seed=seed).values())) == 1


@given(PERCENTAGES, SEEDS)
def test_the_shares_of_many_groups_come_near_the_ratios(cuts: list[int], seed: int) -> None:
    ratios = percent(cuts)
    counts = Counter(assign_split(f"artist:{number}", ratios, seed) for number in range(1000))
    for split in SPLITS:
        # Six standard deviations of a share of 1000: 6 * sqrt(0.25 / 1000) = 0.095
        assert counts[split] / 1000 == pytest.approx(getattr(ratios, split), abs=0.095)


@given(st.text(), SEEDS)
def test_a_split_without_a_share_stays_empty(group: str, seed: int) -> None:
    assert assign_split(group, Ratios(0.5, 0.0, 0.5), seed) != "val"
    assert assign_split(group, Ratios(1.0, 0.0, 0.0), seed) == "train"


@given(st.text(), SEEDS, st.integers(0, 100), st.integers(0, 100))
def test_a_larger_train_share_takes_nothing_out_of_train(group: str, seed: int, one: int, other: int) -> None:
    less, more = sorted((one, other))
    if assign_split(group, percent([less, 100]), seed) == "train":
        assert assign_split(group, percent([more, 100]), seed) == "train"


def test_another_seed_gives_another_split() -> None:
    groups = [f"artist:{number}" for number in range(50)]
    assert divide(groups, seed=0) != divide(groups, seed=1)


def test_a_painting_of_nobody_is_its_own_group() -> None:
    assert group_of("abc", None, "artist") == "painting:abc"
    assert group_of("abc", "monet", "painting") == "painting:abc"
    assert group_of("abc", "monet", "artist") == "artist:monet"


def test_an_artist_and_a_painting_of_one_name_are_two_groups() -> None:
    assert group_of("monet", None, "artist") != group_of("abc", "monet", "artist")


def test_splitting_by_something_else_is_refused() -> None:
    with pytest.raises(UsageError, match="by 'style'; use artist or painting"):
        group_of("abc", None, "style")


def test_ratios_are_read_as_percentages() -> None:
    assert parse_ratios("70:15:15") == Ratios(0.70, 0.15, 0.15) == Ratios()


@given(PERCENTAGES)
def test_any_three_percentages_that_make_100_are_accepted(cuts: list[int]) -> None:
    ratios = percent(cuts)
    assert (ratios.train, ratios.val) == (cuts[0] / 100, (cuts[1] - cuts[0]) / 100)


def test_the_2020_projects_ratios_are_refused_with_their_sum() -> None:
    with pytest.raises(UsageError, match="'75:15:15' add up to 105; they must add up to 100"):
        parse_ratios("75:15:15")


@pytest.mark.parametrize(
    "text",
    [
        *("", "70", "70:30", "70:15:10:5", "a:b:c", "70,15,15", "0.7:0.15:0.15", "110:-5:-5", "70:15:"),
        *("nan:50:50", "50:nan:50", "inf:0:0", "inf:-inf:100"),
    ],
)
def test_what_are_no_ratios_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="ratios"):
        parse_ratios(text)


@pytest.mark.parametrize("shares", [(0.75, 0.15, 0.15), (1.2, -0.1, -0.1), (0.0, 0.0, 0.0), (float("nan"), 0.5, 0.5)])
def test_shares_that_do_not_make_one_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(UsageError, match="add up to 1"):
        Ratios(*shares)
