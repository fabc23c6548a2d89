"""Styles, and the movement that each belongs to."""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artnet.errors import TaxonomyError, UsageError, reason

DEFAULT = "artnet-2026"
PACKAGED = "taxonomy.toml"
MIN_STYLE_PAINTINGS = 50  # of fewer in train, a split of 70:15:15 leaves less than ten or so to measure on
NONE = -1  # the index of a painting whose style is not among those learnt

# A no-break space is left alone on purpose: Painter by Numbers writes "Analytical Realism" with
# one, in 89 rows that the 2020 map thus never selected. Its counts hold only so; the wider default
# lists that spelling too.
_SEPARATORS = re.compile(r"[ \t\r\n_\u2010-\u2015-]+")
_GLOSS = re.compile(r"(?<=\S)(?: ?\([^()]*\))+$")
_PREFIX = re.compile(r"\b(cubo|hyper|neo|photo|post) (?=\w)")
# WikiArt's folders keep the words of a gloss, not its parentheses. The three are named outright: a
# rule ("drop a last `modern` or `primitivism`") would damage Early Modern or Neo-Primitivism.
_FOLDER_NAMES = {
    "art nouveau modern": "art nouveau",
    "mannerism late renaissance": "mannerism",
    "naive art primitivism": "naive art",
}


@dataclass(frozen=True)
class Taxonomy:
    """The movements in order, their Wikidata identifiers where known, and the movement of each normalised style."""

    name: str
    movements: tuple[str, ...]
    wikidata: Mapping[str, str]
    styles: Mapping[str, str]

    def movement_of(self, style: str) -> str | None:
        """Return the movement of a style in any spelling; None where it belongs to none.

        >>> load_taxonomy().movement_of("Post_Impressionism")
        'Impressionism'
        """
        return self.styles.get(normalise_style(style))


def normalise_style(style: str) -> str:
    """Return the one spelling that all variants of a style's name share.

    >>> normalise_style("Naïve Art (Primitivism)"), normalise_style("Art_Nouveau_Modern")
    ('naive art', 'art nouveau')
    """
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", style).casefold())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    spaced = _SEPARATORS.sub(" ", plain).strip(" ")
    bare = _GLOSS.sub("", spaced).strip(" ")
    joined = _PREFIX.sub(r"\1", bare)  # "Hyper-Realism" and "Hyperrealism" are one style
    return _FOLDER_NAMES.get(joined, joined)


def load_taxonomy(name_or_path: str | Path = DEFAULT) -> Taxonomy:
    """Load `artnet-2026`, `artnet-2020` (the first project's lists only) or the TOML file at a path.

    Raises:
        TaxonomyError: for a file that is missing, is not TOML, has another shape or contradicts itself
    """
    packaged = resources.files("artnet").joinpath(PACKAGED)
    document = _parse(packaged.read_bytes(), PACKAGED)
    names = (document["base"], document["name"])
    if name_or_path in names:
        return _build(document, PACKAGED, base_only=name_or_path == document["base"])
    file = str(name_or_path)
    return _build(_parse(_read(file, names), file), file, base_only=False)


def without_movements(taxonomy: Taxonomy, movements: Sequence[str]) -> Taxonomy:
    """Return the taxonomy without some movements and their styles, which its name tells.

    Raises:
        UsageError: for a movement that it does not have, or where fewer than two would be left
    """
    for movement in movements:
        if movement not in taxonomy.movements:
            known = ", ".join(taxonomy.movements)
            raise UsageError(f"{taxonomy.name} has no movement {movement!r}; leave out some of {known}")
    kept = tuple(each for each in taxonomy.movements if each not in movements)
    if len(kept) < 2:
        raise UsageError(f"{taxonomy.name}: {len(kept)} movement(s) would be left; leave out fewer")
    if kept == taxonomy.movements:
        return taxonomy
    left_out = [each for each in taxonomy.movements if each in movements]
    return Taxonomy(
        name=f"{taxonomy.name} without {' and '.join(left_out)}",
        movements=kept,
        wikidata={movement: each for movement, each in taxonomy.wikidata.items() if movement in kept},
        styles={style: movement for style, movement in taxonomy.styles.items() if movement in kept},
    )


def _read(file: str, names: tuple[str, ...]) -> bytes:
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        hint = f"pass the path of a TOML file, or one of {', '.join(names)}"
        raise _refusal(file, f"cannot be read ({reason(error)})", hint) from error


def _parse(content: bytes, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))  # Windows editors put a byte order mark first
    except ValueError as error:
        raise _refusal(file, f"is not valid TOML ({error})", "correct it and save it as UTF-8") from error


def _build(document: Mapping[str, Any], file: str, base_only: bool) -> Taxonomy:
    _check_document(document, file)
    tables: dict[str, dict[str, Any]] = document["movements"]
    styles: dict[str, str] = {}
    for movement, table in tables.items():
        for style in _styles_of(movement, table, base_only):
            owner = styles.setdefault(normalise_style(style), movement)
            if owner != movement:
                fault = f"lists {style!r} under both {owner} and {movement}"
                raise _refusal(file, fault, "keep it under one of them")
    wikidata = {movement: table["wikidata"] for movement, table in tables.items() if "wikidata" in table}
    return Taxonomy(document["base" if base_only else "name"], tuple(tables), wikidata, styles)


def _check_document(document: Mapping[str, Any], file: str) -> None:
    name, tables = document.get("name"), document.get("movements")
    if not isinstance(name, str) or not isinstance(tables, dict):
        hint = 'write name = "..." and a [movements.NAME] for each movement'
        raise _refusal(file, "lacks its name or its movements", hint)
    if len(tables) < 2:
        raise _refusal(file, f"has {len(tables)} movement(s)", "describe two or more, each in a [movements.NAME]")
    for movement, table in tables.items():
        _check_movement(movement, table, file)


def _check_movement(movement: str, table: object, file: str) -> None:
    if not isinstance(table, dict) or not isinstance(table.get("styles"), list):
        raise _refusal(file, f"has no list of styles for {movement}", 'write styles = ["...", "..."] under it')
    unknown = sorted(set(table) - {"styles", "added", "wikidata"})
    if unknown:
        raise _refusal(file, f"has {unknown[0]!r} under {movement}", "keep to styles, added and wikidata")
    added, wikidata = table.get("added", {}), table.get("wikidata", "")
    if not isinstance(added, dict) or not isinstance(wikidata, str):
        hint = 'write wikidata = "Q..." and each addition as "style" = "reason"'
        raise _refusal(file, f"has a value of the wrong kind under {movement}", hint)
    texts = [movement, *table["styles"], *added, *added.values()]
    if not all(isinstance(text, str) and normalise_style(text) for text in texts):
        fault = f"has a style or reason under {movement} that is blank or not text"
        raise _refusal(file, fault, "write every style and reason as text in quotes")


def _styles_of(movement: str, table: Mapping[str, Any], base_only: bool) -> Iterator[str]:
    yield movement  # a folder called `Abstract` is the movement itself, whatever its list says
    yield from table["styles"]
    if not base_only:
        yield from table.get("added", {})


def _refusal(file: str, fault: str, hint: str) -> TaxonomyError:
    return TaxonomyError(f"{file}: {fault}; {hint}")


def common_styles(styles: Iterable[str], minimum: int = MIN_STYLE_PAINTINGS) -> tuple[str, ...]:
    """Return the styles of at least `minimum` paintings in alphabetical order, each in its commonest spelling.

    Args:
        styles: one a painting, in any spelling; empty where it has none
        minimum: number of paintings

    >>> common_styles(["Op Art", "op_art", "Op Art", "Fauvism", ""], minimum=2)
    ('Op Art',)
    """
    spellings: dict[str, Counter[str]] = {}
    for style in styles:
        spellings.setdefault(normalise_style(style), Counter())[style.replace("_", " ").strip()] += 1
    spellings.pop("", None)
    kept = [counts for counts in spellings.values() if counts.total() >= minimum]
    return tuple(sorted(min(counts, key=lambda name: (-counts[name], name)) for counts in kept))


def index_styles(styles: Iterable[str], names: Sequence[str]) -> NDArray[np.int64]:
    """Return the index in `names` of each painting's style, in any spelling; `NONE` where it is not among them."""
    indices = {normalise_style(name): index for index, name in enumerate(names)}
    return np.array([indices.get(normalise_style(style), NONE) for style in styles], np.int64)
