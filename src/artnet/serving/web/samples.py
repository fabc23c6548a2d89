"""Find the example pictures that the project painted itself.

Knows nothing about what is done with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """One example: its name, a title for people, and in words what can be seen on it."""

    name: str
    title: str
    seen: str


SAMPLES = (
    Sample("faceted", "Still life in facets", "a bottle, a guitar, a glass and a newspaper broken into facets"),
    Sample("pointillist", "River at dusk", "a river at dusk with poplars, a sail and a parasol, all in small dots"),
    Sample("expressive", "Head in a wide hat", "a head in a wide hat, in violent colours and thick strokes"),
    Sample("suprematist", "Planes and a disc", "tilted planes, bars and a disc on a warm off-white ground"),
    Sample("atelier", "Jug, fruit and linen", "a jug, fruit and linen on a table, lit from one side"),
)


def sample_path(name: str) -> Path | None:
    """Give the picture of that name; None where there is none, or the installation came without them.

    In an installed package they lie inside it; in a checkout they lie in `examples/`, so that no picture is kept twice.
    """
    if name not in {sample.name for sample in SAMPLES}:
        return None
    package = Path(str(resources.files("artnet")))
    folders = (package / "examples", package.parent.parent / "examples")
    return next((path for folder in folders if (path := folder / f"{name}.jpg").is_file()), None)
