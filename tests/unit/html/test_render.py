"""Pages stand alone and show names as they are."""

from __future__ import annotations

from artnet.data.audit import Entry, LeftOut, audit
from artnet.data.audit_report import audit_page
from artnet.html.render import Html, figure, heat_table, page, paragraph, section, table


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


def test_html_is_left_as_it_is_and_text_is_not() -> None:
    assert "<td><b>1</b></td><td>&lt;b&gt;</td>" in table("", ["a", "b", "c"], [["x", Html("<b>1</b>"), "<b>"]])
    assert section("<h>", [paragraph("<p>"), figure(Html("<svg></svg>"), "<c>")]) == (
        "<section><h2>&lt;h&gt;</h2>\n<p>&lt;p&gt;</p>\n"
        "<figure><svg></svg><figcaption>&lt;c&gt;</figcaption></figure>\n</section>"
    )


def test_a_confusion_matrix_shows_counts_and_shares_of_the_truth() -> None:
    text = heat_table("caption", ["a", "b"], [[3, 1], [0, 0]])
    assert '<td class="heat right" style="--share:0.750">3<small>75%</small></td>' in text
    assert '<td class="heat wrong" style="--share:0.250">1<small>25%</small></td>' in text
    assert '<td class="sum">3</td><td class="sum">1</td><td>4</td>' in text  # answered, and all
