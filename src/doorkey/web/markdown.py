"""Markdown of answers as safe HTML: whole, or block by block while it is still being written."""

from collections.abc import MutableMapping, Sequence
from functools import cache, lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

SCHEMES = {"http", "https", "mailto"}
TEXT_TAGS = {"a", "br", "code", "del", "em", "p", "s", "span", "strong"}
BLOCK_TAGS = {"blockquote", "button", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "pre", "ul"}
TABLE_TAGS = {"table", "tbody", "td", "th", "thead", "tr"}
ATTRIBUTES = {
    "a": {"href", "title"},
    "button": {"class", "type"},
    "ol": {"start"},
    **{tag: {"class"} for tag in ("code", "div", "pre", "span", "td", "th")},
}
# Colouring longer code would hold up every page that is being written.
LONGEST_COLOURED = 20_000

Env = MutableMapping[str, Any]


def render(text: str) -> str:
    """Render a whole text."""
    return _clean(_parser().render(_encodable(text)))


class LiveMarkdown:
    """Render a text that is still growing: each finished block once, the open one as often as is asked.

    What `finished` and `finish` return, joined, is what `render` makes of the whole text. A block is finished when
    the next one has begun in a complete line: until then a list may go on, a row turn out to be a table's, or a
    paragraph be underlined into a heading.
    """

    def __init__(self) -> None:
        self._lines = ""
        self._rest = ""

    def feed(self, text: str) -> None:
        """Append what was written."""
        complete, newline, self._rest = (self._rest + _encodable(text)).rpartition("\n")
        self._lines += (complete + newline).replace("\r\n", "\n").replace("\r", "\n")

    def finished(self) -> str:
        """Return the blocks that were finished since the last call."""
        tokens = _block_parser().parse(self._lines)
        starts = [token.map[0] for token in tokens if token.level == 0 and token.map]
        if len(starts) < 2:
            return ""
        # Not `splitlines`: it also splits where Markdown does not.
        lines = self._lines.split("\n")
        done, self._lines = "\n".join([*lines[: starts[-1]], ""]), "\n".join(lines[starts[-1] :])
        return _render_once(done)

    def open(self) -> str:
        """Return the block that may still change, as it stands."""
        return render(self._lines + self._rest)

    def finish(self) -> str:
        """Return what is left; nothing comes after it."""
        html, self._lines, self._rest = _render_once(self._lines + self._rest), "", ""
        return html


@lru_cache(maxsize=256)
def _render_once(text: str) -> str:
    """Render what will not change any more; a page that is loaded again need not wait for its colours."""
    return render(text)


def _encodable(text: str) -> str:
    """Replace lone surrogates, which JSON can name and UTF-8 cannot."""
    return text.encode(errors="replace").decode()


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "typographer": False}, renderer_cls=Renderer)
    # A reference may be defined after its use: it would change blocks that were already sent.
    return parser.enable(["table", "strikethrough"]).disable("reference")


@cache
def _block_parser() -> MarkdownIt:
    """Make one that only finds the blocks."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    return parser.disable(["reference", "inline", "text_join"])


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TEXT_TAGS | BLOCK_TAGS | TABLE_TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}, "button": {"type": "button"}},
    )


def _clean(html: str) -> str:
    return _cleaner().clean(html)


class Renderer(RendererHTML):
    """Render for our page: code is coloured by classes, an image is a link to it, a wide table scrolls in its box."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        """Render a code block under its language, if it tells one, and a button that copies it."""
        language = (tokens[idx].info.split() or [""])[0]
        return _code(tokens[idx].content, language)

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        """Render an indented code block, which has no language."""
        return _code(tokens[idx].content, "")

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        """Render a link in an image's place, so that an answer loads nothing from the network."""
        text = escapeHtml(self.renderInlineAsText(tokens[idx].children or [], options, env) or "image")
        inside_link = sum(token.nesting for token in tokens[:idx] if token.type.startswith("link_")) > 0
        return text if inside_link else f'<a href="{escapeHtml(str(tokens[idx].attrs["src"]))}">{text}</a>'

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        """Open a table in the box that it scrolls in."""
        return '<div class="table"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        """Close a table and its box."""
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        """Open a cell, aligned by a class: the page's policy allows no style attributes."""
        aligned = str(tokens[idx].attrs.get("style", "")).removeprefix("text-align:")
        return f'<{tokens[idx].tag} class="{aligned}">' if aligned else f"<{tokens[idx].tag}>"

    td_open = th_open


def _code(content: str, language: str) -> str:
    head = '<button class="copy">Copy</button>'
    if language:
        head = f'<div class="code-head"><span>{escapeHtml(language)}</span>{head}</div>'
    return f'<div class="code">{head}<pre><code>{_coloured(content, language)}</code></pre></div>\n'


def _coloured(content: str, language: str) -> str:
    from pygments import highlight
    from pygments.util import ClassNotFound

    if not language or len(content) > LONGEST_COLOURED:
        return escapeHtml(content)
    try:
        lexer = _lexer(language.lower())
    except ClassNotFound:
        return escapeHtml(content)
    return str(highlight(content, lexer, _formatter()))


@cache
def _formatter() -> Any:
    from pygments.formatters import HtmlFormatter

    return HtmlFormatter(nowrap=True, classprefix="hl-")


def _lexer(language: str) -> Any:
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name(language, stripnl=False, ensurenl=False)
