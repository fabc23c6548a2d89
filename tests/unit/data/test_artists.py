"""All spellings of an artist meet, and two artists stay two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.data.artists import normalise_artist


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gogh, Vincent Van", "Vincent van Gogh"),
        ("vincent-van-gogh", "Vincent van Gogh"),
        ("  VINCENT   van_Gogh ", "Vincent van Gogh"),
        ("Fernand Léger", "fernand-leger"),
        ("Le\u0301ger, Fernand", "Fernand L\u00e9ger"),
        ("Joan Miró", "MIRO, JOAN"),
    ],
)
def test_the_spellings_of_one_artist_meet(one: str, other: str) -> None:
    assert normalise_artist(one) == normalise_artist(other) is not None


def test_a_normalised_artist_is_lower_case_words_in_order() -> None:
    assert normalise_artist("Gogh, Vincent Van") == "gogh van vincent"


@pytest.mark.parametrize(("one", "other"), [("Claude Monet", "Édouard Manet"), ("Jan Both", "Andries Both")])
def test_two_artists_stay_two(one: str, other: str) -> None:
    assert normalise_artist(one) != normalise_artist(other)


@pytest.mark.parametrize("name", [None, "", "  ", "unknown-artist", "Unknown Artist", "Anonymous", "nan", "-"])
def test_an_unknown_artist_is_none(name: str | None) -> None:
    assert normalise_artist(name) is None


@pytest.mark.parametrize("name", ["Казимир Малевич", "葛飾北斎", "Θεόφιλος"])
def test_an_artist_written_in_other_letters_is_not_unknown(name: str) -> None:
    assert normalise_artist(name) is not None
    assert normalise_artist(name) == normalise_artist(" ".join(reversed(name.split())))


@given(st.text())
def test_normalising_an_artist_twice_changes_nothing_more(name: str) -> None:
    once = normalise_artist(name)
    assert normalise_artist(once) == once


@given(st.permutations(["Henri", "Marie", "de", "Toulouse", "Lautrec"]), st.sampled_from([" ", ", ", "-", "_"]))
def test_order_and_separators_of_an_artists_words_do_not_matter(words: list[str], glue: str) -> None:
    assert normalise_artist(glue.join(words)) == "de henri lautrec marie toulouse"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Vasiliy Kandinskiy", "Wassily Kandinsky"),
        ("Jean Baptiste Camille Corot", "camille-corot"),
        ("Эдуард Мане", "Manet, Edouard"),
        ("Ivan Kramskoi", "ivan-kramskoy"),
    ],
)
def test_known_artists_under_two_names_are_one(one: str, other: str) -> None:
    assert normalise_artist(one) == normalise_artist(other)


def test_accents_garbled_into_box_drawing_are_left_out() -> None:
    garbled = "André Lhote".encode().decode("cp437")  # UTF-8 read as the letters of an old console
    assert normalise_artist(garbled) == normalise_artist("Andr Lhote")
    assert normalise_artist("andrΓö£╨│Γö¼╨╣-lhote") == normalise_artist("Andr Lhote")
