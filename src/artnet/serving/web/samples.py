"""The example paintings that the project painted itself."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

SAMPLES = ("faceted", "pointillist", "expressive", "suprematist", "atelier")


def sample_path(name: str) -> Path | None:
    """Return the file of an example, None for an unknown name or an installation without examples.

    An installed package holds them; a checkout has them in `examples/`, so that no image is kept twice.
    """
    if name not in SAMPLES:
        return None
    package = Path(str(resources.files("artnet")))
    folders = (package / "examples", package.parent.parent / "examples")
    return next((path for folder in folders if (path := folder / f"{name}.jpg").is_file()), None)
