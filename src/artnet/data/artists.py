"""One spelling for each artist's name."""

from __future__ import annotations

import re
import unicodedata

# UTF-8 read as code page 437 or 866: WikiArt's releases hold André Lhote with box-drawing characters for his accent.
_MOJIBAKE = re.compile(r"[^\x00-\x7f]*[\u2500-\u257f][^\x00-\x7f]*")
# Names in our collections that no rule of spelling brings together, in alphabetical order of their words.
_SAME_ARTIST = {
    "auguste renoir": "auguste pierre renoir",
    "baptiste camille corot jean": "camille corot",
    "ivan kramskoi": "ivan kramskoy",
    "kandinskiy vasiliy": "kandinsky wassily",
    "алексеи венецианов": "alexey venetsianov",
    "константин маковскии": "konstantin makovsky",
    "мане эдуард": "edouard manet",
}
_UNKNOWN_ARTISTS = frozenset({"", "unknown artist", "unknown", "anonymous", "nan"})


def normalise_artist(artist: str | None) -> str | None:
    """Return an artist's name without accents, in lower case, its words in alphabetical order; None where unknown.

    >>> normalise_artist("Gogh, Vincent Van"), normalise_artist("vincent-van-gogh")
    ('gogh van vincent', 'gogh van vincent')
    >>> normalise_artist("Unknown Artist")
    """
    if artist is None:
        return None
    artist = _MOJIBAKE.sub(" ", artist)
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", artist).casefold())
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    words = re.findall(r"[^\W_]+", bare)
    if " ".join(words) in _UNKNOWN_ARTISTS:
        return None
    name = " ".join(sorted(words))
    return _SAME_ARTIST.get(name, name)
