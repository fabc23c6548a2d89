"""Say which packages the training half needs that are not installed here.

Knows nothing about what they are for, and imports none of them.
"""

from __future__ import annotations

from importlib.util import find_spec

from artnet.errors import MissingExtraError


def check_installed() -> None:
    """Refuse to go on without the packages of the training half. Errors: `MissingExtraError`."""
    missing = [
        name
        for name in "torch timm lightning_fabric onnx onnxscript safetensors matplotlib tensorboard filelock".split()
        if find_spec(name) is None
    ]
    if missing:
        raise MissingExtraError(
            f"training needs {', '.join(missing)}, not installed here; install with: pip install 'artnet[train]'"
        )
