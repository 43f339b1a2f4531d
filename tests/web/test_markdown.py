"""An answer's Markdown: safe, and the same whether it came whole or in pieces."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.web.markdown import LONGEST_COLOURED, LiveMarkdown, render

LINES = st.sampled_from(
    [
        "words and `code` and **bold**",
        "",
        "- an item",
        "  - a nested item",
        "    continued",
        "1. first",
        "2. second",
        "* another list",
        "# Heading",
        "===",
        "---",
        "> quoted",
        "lazily",
        "```python",
        "```",
        "~~~",
        "x = 1",
        "| a | b |",
        "|---|--:|",
        "| 1 | 2 |",
        "[a](https://example.com) ![b](https://example.com/b.png)",
        "[ref]: https://example.com",
        "see [ref]",
        "<b>raw</b>",
        "\tindented",
        "form\x0cfeed \u2028 and \x00",
        "half \ud800 a pair",
    ]
)
TEXTS = st.one_of(
    st.lists(LINES, max_size=25).map("\n".join),
    st.lists(LINES, max_size=25).map("\r\n".join),
    st.text(alphabet="ab -*1.>`|#\n\r\t[](){}!_~", max_size=80),
)


@given(TEXTS, st.lists(st.integers(1, 12), max_size=200), st.randoms(use_true_random=False))
def test_a_streamed_text_ends_as_the_whole_one(text, sizes, chance):
    live = LiveMarkdown()
    html, start = "", 0
    for size in sizes:
        live.feed(text[start : start + size])
        start += size
        html += live.finished() if chance.random() < 0.7 else ""
    live.feed(text[start:])

    html += live.finished() + live.finish()

    assert html == render(text)


@given(TEXTS)
def test_no_text_makes_unsafe_html(text):
    html = render(f"{text}\n\n{text}")

    tags = set(re.findall(r"<([a-z0-9]+)", html))
    assert not tags & {"script", "style", "img", "iframe", "form", "input", "svg", "object", "b"}
    assert " style=" not in html
    assert not re.search(r"<[^>]*\son\w+=", html)


def test_a_block_is_given_once_and_when_the_next_one_has_begun():
    live = LiveMarkdown()
    given = []
    for text in ("One ", "block\n\n", "Two", "\n\nThree"):
        live.feed(text)
        given.append(live.finished())

    assert given == ["", "", "", "<p>One block</p>\n"]
    assert live.open() == "<p>Two</p>\n<p>Three</p>\n"


def test_an_open_code_block_is_never_broken():
    live = LiveMarkdown()
    live.feed("```python\nx = 1\n\n# not a heading\n\n- not a list\n")

    assert live.finished() == ""
    assert live.open().count("<pre>") == 1
    assert "<h1>" not in live.open()


def test_a_list_item_that_is_half_written_does_not_close_its_list():
    live = LiveMarkdown()
    live.feed("1. one\n\n2")
    assert live.finished() == ""

    live.feed(". two\n")

    assert live.finish().count("<ol>") == 1


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "[a](vbscript:x)",
        "<javascript:alert(1)>",
        "![a](javascript:alert(1))",
        '[a](https://x.example "\\" onmouseover=alert(1)")',
        "```<script>\nx\n```",
        "`<script>`",
        "&lt;script&gt;",
    ],
)
def test_nothing_in_an_answer_can_run(text):
    html = render(text)

    assert not re.search(r'<(script|img)|href="(?!https://x\.example)|<[^>"]*("[^"]*"[^>"]*)*\sonmouseover=', html)


def test_a_link_leaves_without_a_trace():
    html = render("[site](https://example.com/a?b=c)")

    assert 'href="https://example.com/a?b=c"' in html
    assert 'target="_blank"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_a_link_into_our_own_page_is_no_link():
    assert "href" not in render("[here](/launch) [there](//evil.example)")


def test_an_image_is_a_link_and_loads_nothing():
    html = render("![a *cat*](https://example.com/cat.png)")

    assert "<img" not in html
    assert '<a href="https://example.com/cat.png"' in html
    assert ">a cat</a>" in html


def test_an_image_inside_a_link_is_its_text():
    html = render("[![badge](https://example.com/b.svg)](https://example.com)")

    assert html.count("<a ") == 1
    assert ">badge</a>" in html


def test_code_is_coloured_by_classes_and_can_be_copied():
    html = render("```python\nreturn 1\n```")

    assert '<span class="hl-k">return</span>' in html
    assert '<button class="copy" type="button">Copy</button>' in html


@pytest.mark.parametrize("language", ["", "nosuchlanguage", '"><script>'])
def test_code_in_an_unknown_language_is_shown_plain(language):
    html = render(f"```{language}\na < b\n```")

    assert "<pre><code>a &lt; b\n</code></pre>" in html


def test_code_without_a_language_has_a_button_and_no_head():
    html = render("```\nx = 1\n```")

    assert 'class="copy"' in html
    assert "code-head" not in html


def test_very_long_code_is_not_coloured():
    html = render("```python\n" + "x = 1\n" * LONGEST_COLOURED + "```")

    assert "hl-" not in html


def test_a_table_scrolls_in_its_box_and_aligns_by_class():
    html = render("| a | b |\n|---|--:|\n| 1 | 2 |")

    assert '<div class="table"><table>' in html
    assert '<td class="right">2</td>' in html
