"""The counts at the end of a collection."""

from __future__ import annotations

from artnet.batch.summary import Summary


def row(movement: str | None, decision: str | None, error_kind: str | None = None) -> dict[str, str | None]:
    return {"source": "a", "movement": movement, "decision": decision, "error_kind": error_kind}


def test_movements_decisions_and_failures_are_counted_and_said() -> None:
    summary = Summary()
    for each in [row("Realism", "unsure"), row("Realism", "confident"), row("Cubism", "confident")]:
        summary.count(each)
    summary.count(row(None, None, "corrupt"))
    assert (summary.total, summary.failed) == (4, 1)
    assert summary.lines == [
        "movements: Realism 2, Cubism 1",
        "decisions: 66.7% confident, 33.3% unsure",
        "failures: 1 corrupt",
    ]


def test_of_nothing_nothing_is_said() -> None:
    assert Summary().lines == []
    assert Summary().total == 0
