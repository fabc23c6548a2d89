"""The audit counts right, and its lazy guessers score what one works out by hand."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.data.audit import (
    Entry,
    Excluded,
    artist_oracle_accuracy,
    artists_across_splits,
    audit,
    facet_report,
    majority_accuracy,
    near_duplicate_report,
    stratification,
)
from artnet.data.split import SPLITS, Ratios

NOTHING = Excluded({}, {})
ARTISTS = st.sampled_from(["monet", "gris", "courbet", None])
ENTRIES = st.lists(
    st.builds(
        Entry,
        movement=st.sampled_from(["Cubism", "Impressionism", "Realism"]),
        style=st.just("any"),
        artist=ARTISTS,
        split=st.sampled_from(SPLITS),
    )
)


def entry(movement: str, artist: str | None, split: str) -> Entry:
    return Entry(movement, f"{movement} proper", artist, split)


# Train: Impressionism 3, Cubism 2, Realism 1. Test: one of each, and a second Cubism by nobody known.
BY_HAND = (
    entry("Impressionism", "monet", "train"),
    entry("Impressionism", "monet", "train"),
    entry("Realism", "monet", "train"),
    entry("Impressionism", None, "train"),
    entry("Cubism", "gris", "train"),
    entry("Cubism", "gris", "train"),
    entry("Realism", "courbet", "val"),
    entry("Impressionism", "monet", "test"),
    entry("Cubism", "gris", "test"),
    entry("Realism", "courbet", "test"),
    entry("Cubism", None, "test"),
)


def test_the_majority_is_right_once_in_four() -> None:
    assert majority_accuracy(BY_HAND, "test") == 1 / 4  # always Impressionism


def test_the_artist_oracle_is_right_twice_in_four() -> None:
    # monet: Impressionism, right; gris: Cubism, right; courbet and nobody: the majority, wrong
    assert artist_oracle_accuracy(BY_HAND, "test") == 2 / 4


@pytest.mark.parametrize("baseline", [majority_accuracy, artist_oracle_accuracy])
def test_a_baseline_without_questions_or_without_training_is_none(
    baseline: Callable[[Sequence[Entry], str], float | None],
) -> None:
    assert baseline([entry("Cubism", "gris", "train")], "test") is None
    assert baseline([entry("Cubism", "gris", "test")], "test") is None
    assert baseline([], "test") is None


def test_artists_on_two_sides_are_named_in_order() -> None:
    assert artists_across_splits(BY_HAND) == ["courbet", "gris", "monet"]


def test_an_artist_on_one_side_and_nobody_on_all_are_not_named() -> None:
    alone = [entry("Cubism", "gris", "train"), entry("Realism", "gris", "train")]
    nobody = [entry("Cubism", None, split) for split in SPLITS]
    assert artists_across_splits(alone + nobody) == []


@given(ENTRIES)
def test_baselines_lie_between_zero_and_one(entries: list[Entry]) -> None:
    for baseline in (majority_accuracy(entries, "test"), artist_oracle_accuracy(entries, "test")):
        assert baseline is None or 0 <= baseline <= 1


@given(ENTRIES, st.fixed_dictionaries({name: st.sampled_from(SPLITS) for name in ("monet", "gris", "courbet")}))
def test_with_a_split_by_artist_the_oracle_knows_no_more_than_the_majority(
    entries: list[Entry], sides: dict[str, str]
) -> None:
    honest = [Entry(e.movement, e.style, e.artist, sides[e.artist] if e.artist else e.split) for e in entries]
    assert artists_across_splits(honest) == []
    assert artist_oracle_accuracy(honest, "test") == majority_accuracy(honest, "test")


def test_the_summary_counts_paintings_movements_styles_and_splits() -> None:
    summary = audit(BY_HAND, NOTHING)
    assert summary["paintings"] == 11
    assert summary["movements"] == {"Impressionism": 4, "Cubism": 4, "Realism": 3}
    assert summary["styles"] == {"Impressionism proper": 4, "Cubism proper": 4, "Realism proper": 3}
    assert summary["splits"]["train"] == {"Impressionism": 3, "Cubism": 2, "Realism": 1}
    assert summary["splits"]["val"] == {"Realism": 1}
    assert summary["without_artist"] == 2


def test_the_summary_carries_the_baselines_and_the_artists_on_two_sides() -> None:
    summary = audit(BY_HAND, NOTHING)
    assert summary["baselines"] == {"majority": 0.25, "artist_oracle": 0.5}
    assert summary["artists_across_splits"] == ["courbet", "gris", "monet"]


def test_the_summary_lists_what_was_left_out_most_frequent_first() -> None:
    summary = audit([], Excluded({"Rococo": 1, "Baroque": 7}, {"corrupt": 2, "missing": 3}))
    assert list(summary["styles_of_no_movement"].items()) == [("Baroque", 7), ("Rococo", 1)]
    assert list(summary["rejected"].items()) == [("missing", 3), ("corrupt", 2)]


@given(ENTRIES)
def test_every_count_of_the_summary_adds_up_to_the_paintings(entries: list[Entry]) -> None:
    summary = audit(entries, NOTHING)
    by_split = sum(sum(counts.values()) for counts in summary["splits"].values())
    assert by_split == sum(summary["movements"].values()) == sum(summary["styles"].values()) == len(entries)


# Cubism: gris has 30 of 60 in train, braque 20 in test, ten by nobody known: six in val, four in train.
UNEVEN = [
    *[Entry("Cubism", "c", "gris", "train", group="gris")] * 30,
    *[Entry("Cubism", "c", "braque", "test", group="braque")] * 20,
    *[Entry("Cubism", "c", None, "val")] * 6,
    *[Entry("Cubism", "c", None, "train")] * 4,
]


def test_stratification_gives_the_shares_of_a_movement_and_how_far_they_are_off() -> None:
    found = stratification(UNEVEN, Ratios(0.7, 0.15, 0.15))
    assert found["movements"]["Cubism"]["shares"] == {"train": 34 / 60, "val": 0.1, "test": 20 / 60}
    assert found["largest_deviation"] == pytest.approx(20 / 60 - 0.15)
    assert found["overall"] == found["movements"]["Cubism"]["shares"]


def test_stratification_weighs_the_groups() -> None:
    found = stratification(UNEVEN, Ratios())["movements"]["Cubism"]
    assert found["groups"] == 12
    assert found["effective_groups"] == pytest.approx(60**2 / (30**2 + 20**2 + 10))  # 2.7: two artists are most of it
    assert found["largest_group"] == {"name": "gris", "paintings": 30, "share": 0.5}


def test_a_share_far_off_and_too_few_paintings_are_warned_of() -> None:
    warnings = stratification(UNEVEN, Ratios(0.7, 0.15, 0.15))["warnings"]
    assert warnings[0] == {"movement": "Cubism", "split": "val", "paintings": 6, "share": 0.1, "ratio": 0.15}
    assert [(each["split"], each["paintings"]) for each in warnings] == [("val", 6), ("test", 20)]


def test_an_even_split_is_not_warned_of_nor_one_that_nobody_wants() -> None:
    even = [entry("Cubism", None, "train")] * 80 + [entry("Cubism", None, "val")] * 20
    assert stratification(even, Ratios(0.8, 0.2, 0))["warnings"] == []
    assert stratification([], Ratios())["warnings"] == []


@given(ENTRIES)
def test_shares_add_up_and_effective_groups_are_no_more_than_groups(entries: list[Entry]) -> None:
    for found in stratification(entries, Ratios())["movements"].values():
        assert sum(found["shares"].values()) == pytest.approx(1)
        assert 1 <= found["effective_groups"] <= found["groups"] + 1e-9


def sized(movement: str, split: str, side_px: int) -> Entry:
    return Entry(movement, movement, None, split, shorter_side_px=side_px)


def test_a_size_that_tells_the_movement_is_called_out() -> None:
    entries = [
        sized(movement, split, 224 if movement == "Cubism" else 280 + step)
        for movement in ("Cubism", "Realism")
        for split in ("train", "test")
        for step in range(20)
    ]
    found = facet_report(entries, "shorter_side_px")
    assert found["balanced_accuracy"] == 1
    assert found["is_shortcut"]
    assert found["medians"]["Cubism"] == 224


def test_a_size_that_tells_nothing_is_not() -> None:
    entries = [
        sized(movement, split, 200 + step)
        for movement in ("Cubism", "Realism")
        for split in ("train", "test")
        for step in range(40)
    ]
    found = facet_report(entries, "shorter_side_px")
    assert found["balanced_accuracy"] == 0.5
    assert not found["is_shortcut"]


def test_pairs_that_hang_together_are_one_painting() -> None:
    one, two, three, four, five = (Entry("Cubism", "c", None, "train", name) for name in "abcde")
    found = near_duplicate_report([(one, three), (two, four), (three, five)])
    assert found["groups"] == [["a", "c", "e"], ["b", "d"]]


def test_near_duplicates_are_named_where_they_disagree() -> None:
    monet, gris = (
        Entry("Impressionism", "i", "monet", "train", "a.jpg"),
        Entry("Cubism", "c", "gris", "test", "b.jpg"),
    )
    nobody = Entry("Impressionism", "i", None, "train", "c.jpg")
    found = near_duplicate_report([(monet, gris), (monet, nobody)])
    assert found["pairs"] == 2
    assert found["under_two_movements"] == found["under_two_artists"] == found["across_splits"] == [["a.jpg", "b.jpg"]]
