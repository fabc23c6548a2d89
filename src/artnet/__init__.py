"""Say which modern movement a painting belongs to, how sure one can be, and what in the picture says so.

>>> from artnet import Classifier, explain
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from artnet.classify import Classifier
    from artnet.explain import explain

__version__ = "0.1.0"
__all__ = ["Classifier", "__version__", "explain"]


class _Package(ModuleType):
    """Load the public names when they are first used, so that `artnet --help` need not wait for numpy.

    They are properties because importing the module `artnet.explain` would otherwise put the module in the place
    of the function of that name.
    """

    @property
    def Classifier(self) -> Any:  # noqa: N802
        """Give `artnet.classify.Classifier`."""
        from artnet.classify import Classifier

        return Classifier

    @property
    def explain(self) -> Any:
        """Give `artnet.explain.explain`."""
        from artnet.explain import explain

        return explain

    @explain.setter
    def explain(self, module: ModuleType) -> None:
        """Ignore the module that the import system wants to put here."""


sys.modules[__name__].__class__ = _Package
