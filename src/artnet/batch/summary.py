"""Count what became of many pictures: movements, the unsure, failures by kind.

Knows nothing about where rows come from or how the counts are printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Summary:
    """Counts over the rows of a table."""

    movements: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def count(self, row: Mapping[str, Any]) -> None:
        """Count a row by its movement and decision, or by its error_kind."""
        if row["error_kind"] is not None:
            self.failures[row["error_kind"]] += 1
            return
        self.movements[row["movement"]] += 1
        self.decisions[row["decision"]] += 1

    @property
    def failed(self) -> int:
        """Count the pictures without an answer."""
        return self.failures.total()

    @property
    def total(self) -> int:
        """Count all pictures."""
        return self.movements.total() + self.failed

    @property
    def lines(self) -> list[str]:
        """Put the counts in words, one line each for movements, decisions and failures, without those of nothing."""
        answered = self.movements.total()
        lines = []
        if answered:
            found = ", ".join(f"{name} {count}" for name, count in self.movements.most_common())
            shares = ", ".join(f"{count / answered:.1%} {name}" for name, count in self.decisions.most_common())
            lines = [f"movements: {found}", f"decisions: {shares}"]
        if self.failures:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self.failures.most_common())
            lines.append(f"failures: {kinds}")
        return lines
