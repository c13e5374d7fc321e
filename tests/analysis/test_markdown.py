"""Text that others chose stays text: measured with a CommonMark parser with tables."""

from __future__ import annotations

import html
import re

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from msgtrace_analysis.renderers.markdown import MAX_CHARACTERS, code, fenced, finalize, text, visible
from tests.analysis.hostile import NAMES

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TABLE = "| a | b |\n|---|---|\n| {} | z |\n"
anything = st.text() | st.sampled_from(NAMES) | st.text(alphabet="`|\\*_[]<>#~&$@+-=1. \n()!")


def shown_in_cell(written: str) -> tuple[str, int]:
    rendered = PARSER.render(TABLE.format(written))
    cells = re.findall(r"<td>(.*?)</td>", rendered, re.DOTALL)
    assert rendered.count("<tr>") == 2
    assert cells[1:] == ["z"]
    return re.sub(r"</?code>", "", cells[0]), len(re.findall(r"<(?!/?code>)", cells[0]))


@given(anything)
@example("a`b|c``")
def test_code_in_a_table_shows_what_it_was_given(value: str) -> None:
    cell, tags = shown_in_cell(code(value))
    expected = visible(value)
    if not expected.strip():
        return
    assert tags == 0
    assert html.unescape(cell) == expected or html.unescape(cell).strip() == expected.strip()


@given(anything)
def test_text_in_a_table_shows_what_it_was_given(value: str) -> None:
    cell, tags = shown_in_cell(text(value))
    assert tags == 0
    assert html.unescape(cell).strip() == visible(value).strip()


@given(anything)
@example("1. one")
@example("- item")
@example("2) two")
@example("---")
@example(" -")
@example(" 3. x")
def test_text_at_the_beginning_of_a_line_begins_nothing(value: str) -> None:
    rendered = PARSER.render(text(value).strip() + "\n")
    if visible(value).strip():
        assert re.fullmatch(r"<p>[^<]*</p>\n", rendered), rendered
        assert html.unescape(rendered[3:-5]) == visible(value).strip()


@given(anything)
def test_a_code_block_holds_anything_of_one_line(value: str) -> None:
    content = f"begin\n{value.translate({13: 32, 10: 32, 0: 65})}\n~~~\n```\nend"
    (block,) = [token for token in PARSER.parse(fenced("x", content)) if token.type != "paragraph"]
    assert (block.type, block.content) == ("fence", content + "\n")


def test_addresses_and_mentions_are_broken() -> None:
    assert text("see https://evil.example") == "see https:&#47;&#47;evil.example"
    assert text("www.evil.example") == "www&#46;evil.example"
    assert text("@everyone") == "\\@everyone"


def test_what_cannot_be_seen_is_shown_and_what_is_long_is_cut() -> None:
    assert visible("a\u202eb\x00\n") == "a\\u202eb\\u0000\\n"
    assert len(visible("x" * 5_000)) == MAX_CHARACTERS
    assert code("") == "*empty*"


def test_templates_escape_what_is_not_marked() -> None:
    assert finalize("a|b") == "a\\|b"
    assert finalize(code("a")) == "`a`"
    assert finalize(3) == 3
