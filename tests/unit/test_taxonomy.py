"""Spellings meet, the 2020 aggregation holds to the letter, a user's own file is read or refused."""

import csv
import tomllib
from collections import Counter
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.errors import TaxonomyError, UsageError
from artnet.taxonomy import (
    DEFAULT,
    NONE,
    common_styles,
    index_styles,
    load_taxonomy,
    normalise_style,
    without_movements,
)

MOVEMENTS = ("Cubism", "Impressionism", "Expressionism", "Realism", "Abstract")
TABLE = Path(__file__).parent.parent.parent / "../shared/data/painter-by-numbers/all_data_info.csv"
NAMES = st.text("abcdefgmnoprstuxyzABCMNRéïōñ _-()")
OTHER_FOLDERS = (  # the WikiArt folders that belong to none of the five
    *("Art_Nouveau_Modern", "Baroque", "Early_Renaissance", "High_Renaissance", "Mannerism_Late_Renaissance"),
    *(
        "Naive_Art_Primitivism",
        "Northern_Renaissance",
        "Pop_Art",
        "Rococo",
        "Romanticism",
        "Symbolism",
        "Ukiyo_e",
    ),
)
OWN = 'name = "mine"\n[movements.Calm]\nstyles = ["Still Life"]\n[movements.Storm]\nstyles = ["Marine"]\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@given(st.text() | NAMES)
def test_normalising_twice_changes_nothing_more(style: str) -> None:
    once = normalise_style(style)
    assert normalise_style(once) == once


@given(NAMES)
def test_case_underscores_hyphens_and_blanks_do_not_matter(style: str) -> None:
    expected = normalise_style(style)
    variants = (
        style.upper(),
        style.lower(),
        style.replace(" ", "_"),
        style.replace("-", "_"),
        style.replace("_", "-"),
        f"  {style}\t",
        style.replace(" ", "   "),
    )
    assert {normalise_style(variant) for variant in variants} == {expected}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Art Nouveau (Modern)", "Art_Nouveau_Modern"),
        ("Mannerism (Late Renaissance)", "Mannerism_Late_Renaissance"),
        ("Naïve Art (Primitivism)", "Naive_Art_Primitivism"),
        ("Post-Impressionism", "Post_Impressionism"),
        ("Hyper-Realism", "hyperrealism"),
        ("Nouveau Réalisme", "  nouveau   realisme "),
    ],
)
def test_spelling_variants_meet_in_one_place(one: str, other: str) -> None:
    assert normalise_style(one) == normalise_style(other)


@pytest.mark.parametrize("style", ["Early Modern", "Neo-Primitivism", "Modern", "(Modern)"])
def test_a_name_that_only_looks_glossed_keeps_its_words(style: str) -> None:
    assert normalise_style(style) not in {"early", "neo", ""}


def test_the_default_is_the_widened_map_of_five_movements_in_order() -> None:
    taxonomy = load_taxonomy()
    assert taxonomy.name == DEFAULT
    assert taxonomy.movements == MOVEMENTS
    assert tuple(taxonomy.wikidata) == MOVEMENTS
    assert taxonomy.wikidata["Realism"] == "Q10857409"


@pytest.mark.parametrize("name", ["artnet-2020", "artnet-2026"])
def test_a_movement_is_one_of_its_own_styles(name: str) -> None:
    taxonomy = load_taxonomy(name)
    assert tuple(taxonomy.movement_of(movement) for movement in MOVEMENTS) == MOVEMENTS


def test_wikiarts_27_folders_go_where_they_belong() -> None:
    expected = {
        "Cubism": ["Analytical_Cubism", "Cubism", "Synthetic_Cubism"],
        "Impressionism": ["Impressionism", "Pointillism", "Post_Impressionism"],
        "Expressionism": ["Expressionism", "Fauvism"],
        "Realism": ["Contemporary_Realism", "New_Realism", "Realism"],
        "Abstract": ["Abstract_Expressionism", "Action_painting", "Color_Field_Painting", "Minimalism"],
        None: list(OTHER_FOLDERS),
    }
    taxonomy = load_taxonomy()
    assert sum(map(len, expected.values())) == 27
    for movement, styles in expected.items():
        assert {style: taxonomy.movement_of(style) for style in styles} == dict.fromkeys(styles, movement)


def test_the_french_new_realists_are_not_taken_for_realists() -> None:
    taxonomy = load_taxonomy()
    assert taxonomy.movement_of("New Realism") == "Realism"
    assert taxonomy.movement_of("Nouveau Réalisme") is None


def test_the_2020_map_has_no_later_addition() -> None:
    base, wide = load_taxonomy("artnet-2020"), load_taxonomy("artnet-2026")
    assert base.name == "artnet-2020"
    assert base.styles.items() < wide.styles.items()
    assert base.movement_of("Pointillism") is None


@pytest.mark.skipif(
    not TABLE.is_file(),
    reason="runs where ../shared/data/painter-by-numbers/all_data_info.csv lies beside the repository",
)
def test_the_2020_map_selects_the_2020_counts_from_painter_by_numbers() -> None:
    taxonomy = load_taxonomy("artnet-2020")
    with TABLE.open(encoding="utf-8", newline="") as lines:
        counts = Counter(taxonomy.movement_of(row["style"]) for row in csv.DictReader(lines))
    assert counts.total() == 102_264
    del counts[None]
    assert counts.total() == 41_847
    expected = dict(zip(MOVEMENTS, (2_270, 16_980, 8_183, 11_068, 3_346), strict=True))
    assert counts == expected


def test_a_no_break_space_counts_only_in_the_wider_map() -> None:
    style = "Analytical\u00a0Realism"
    assert load_taxonomy("artnet-2020").movement_of(style) is None
    assert load_taxonomy("artnet-2026").movement_of(style) == "Realism"


def test_every_addition_says_why_in_a_sentence() -> None:
    document = tomllib.loads(resources.files("artnet").joinpath("taxonomy.toml").read_text("utf-8"))
    added = [table.get("added", {}) for table in document["movements"].values()]
    reasons = [reason for styles in added for reason in styles.values()]
    assert len(reasons) == len(set(reasons)) > 0
    assert all(reason.endswith(".") and len(reason) >= 25 for reason in reasons)


def test_a_users_own_file_needs_neither_additions_nor_identifiers(tmp_path: Path) -> None:
    taxonomy = load_taxonomy(write(tmp_path, OWN))
    assert (taxonomy.name, taxonomy.movements, taxonomy.wikidata) == ("mine", ("Calm", "Storm"), {})
    assert taxonomy.movement_of("still-life") == "Calm"
    assert taxonomy.movement_of("Cubism") is None


def test_a_users_additions_count(tmp_path: Path) -> None:
    text = OWN + '[movements.Storm.added]\n"Shipwreck" = "Because the sea is always rough there."\n'
    assert load_taxonomy(str(write(tmp_path, text))).movement_of("shipwreck") == "Storm"


def test_a_missing_file_is_refused_with_the_names_that_exist(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match=r"artnet-2021.*cannot be read.*artnet-2020, artnet-2026"):
        load_taxonomy(tmp_path / "artnet-2021")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name = ", "not valid TOML"),
        ('title = "x"', "lacks its name"),
        ('name = "x"\n[movements.A]\nstyles = []', "describe two or more"),
        (OWN.replace("Marine", "still_life"), "'still_life' under both Calm and Storm"),
        (OWN.replace("Marine", "calm"), "under both Calm and Storm"),
        (OWN.replace('["Marine"]', '"Marine"'), "no list of styles for Storm"),
        (OWN.replace('"Marine"', "7"), "under Storm that is blank or not text"),
        (OWN.replace("Marine", " _ "), "blank"),
        (OWN + "wikidata = 7", "of the wrong kind under Storm"),
        (OWN + 'add = "Shipwreck"', "'add' under Storm"),
    ],
)
def test_a_file_with_the_wrong_kind_of_value_is_refused_by_name(tmp_path: Path, text: str, problem: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(TaxonomyError, match=problem) as refused:
        load_taxonomy(path)
    assert str(path) in str(refused.value)


def test_a_movement_left_out_takes_its_styles_along() -> None:
    four = without_movements(load_taxonomy(), ["Realism"])
    assert four.movements == ("Cubism", "Impressionism", "Expressionism", "Abstract")
    assert four.movement_of("Naturalism") is None
    assert four.movement_of("Fauvism") == "Expressionism"
    assert "Realism" not in four.wikidata
    assert four.name == "artnet-2026 without Realism"


def test_nothing_left_out_is_the_taxonomy_itself() -> None:
    assert without_movements(load_taxonomy(), []) == load_taxonomy()


@pytest.mark.parametrize("movements", [["Realismo"], ["Cubism", "Impressionism", "Expressionism", "Realism"]])
def test_leaving_out_what_is_not_there_or_too_much_is_refused(movements: list[str]) -> None:
    with pytest.raises(UsageError, match=r"leave out (some of|fewer)"):
        without_movements(load_taxonomy(), movements)


def test_spellings_of_a_style_count_together_and_the_commonest_names_it() -> None:
    styles = ["Abstract_Art"] * 24 + ["abstract art"] * 26 + ["Fauvism"] * 49
    assert common_styles([*styles, *[""] * 99]) == ("abstract art",)


def test_a_style_is_found_in_any_spelling() -> None:
    names = ("Abstract Art", "Naïve Art (Primitivism)")
    assert index_styles(["Naive_Art_Primitivism", "abstract-art", "Cubism", ""], names).tolist() == [1, 0, NONE, NONE]


@given(st.lists(st.sampled_from(["Op Art", "op_art", "Fauvism", "Pop-Art", ""]), max_size=60), st.integers(1, 30))
def test_every_common_style_has_at_least_the_minimum_of_paintings(styles: list[str], minimum: int) -> None:
    names = common_styles(styles, minimum)
    counts = np.bincount(index_styles(styles, names) + 1, minlength=len(names) + 1)[1:]
    assert (counts >= minimum).all()
