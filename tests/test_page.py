"""Pages stand alone and show names as they are."""

from __future__ import annotations

from artnet.audit import Entry, LeftOut, audit
from artnet.audit_page import audit_page
from artnet.page import page, table


def test_a_page_names_no_other_host_and_has_one_heading() -> None:
    text = page("Title", "One sentence.", [table("Caption", ["a", "b"], [["x", "1"]])])
    assert text.startswith("<!doctype html>")
    assert text.count("<h1>") == 1
    assert "//" not in text
    assert '<th scope="row">x</th><td>1</td>' in text


def test_names_cannot_become_markup() -> None:
    text = page("<b>", "<i>", [table("<u>", ["<s>"], [["<script>", "&"]])])
    for tag in ("<b>", "<i>", "<u>", "<s>", "<script>"):
        assert tag not in text
    assert "&amp;" in text


def test_an_audit_becomes_a_page_with_its_warnings() -> None:
    entries = [
        Entry(movement, movement, None, split, f"{movement}{step}.jpg", shorter_side_px=side)
        for movement, side in (("Cubism", 224), ("Realism", 280))
        for split in ("train", "test")
        for step in range(12)
    ]
    summary = audit(entries, LeftOut({"Baroque": 3}, {"corrupt": 1}), [(entries[0], entries[-1])])
    text = audit_page("mine", summary)
    assert "48 paintings, 48 of them by nobody known; 1 files were left out" in text
    assert "gives the movement away" in text
    assert "Cubism0.jpg" in text
    assert "50.0% !" in text  # of Cubism in test, where 15 % was wanted
    assert "Baroque" in text
