"""The packages that training needs: checked without importing them, and the largest imported."""

# `artnet --help` imports this module, so it imports nothing that takes time before it must.

from __future__ import annotations

from importlib.util import find_spec

from artnet.errors import MissingExtraError


def check_installed() -> None:
    """Raise `MissingExtraError` where a package of the extra `train` is missing."""
    packages = "torch timm lightning_fabric onnx onnxscript safetensors matplotlib tensorboard filelock"
    missing = [name for name in packages.split() if find_spec(name) is None]
    if missing:
        from artnet.extras import install_command

        raise MissingExtraError(
            f"training needs {', '.join(missing)}, not installed here; install with: {install_command('train')}"
        )


def import_torch() -> None:
    """Import torch with signals held back: an exception raised while its native modules load would abort the process.

    Raises:
        MissingExtraError: where a package of the extra `train` is missing
    """
    from artnet.workers import signals_held_back

    check_installed()
    with signals_held_back():
        import torch  # noqa: F401
