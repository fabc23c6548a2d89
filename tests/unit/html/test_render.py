"""Pages stand alone and show names as they are."""

from __future__ import annotations

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
