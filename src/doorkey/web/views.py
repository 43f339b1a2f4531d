"""Templates: a whole page, or the one block of it that the page asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from doorkey.web import words

HERE = Path(__file__).parent


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= words.FILTERS
    macros: Any = environment.get_template("macros.html").module
    environment.globals |= {"icon": macros.icon, "ticks": macros.ticks}
    return environment


TEMPLATES = _environment()


class Page(HTMLResponse):
    """HTML in which bytes that are no text, as paths may hold them, are shown as a question mark."""

    def render(self, content: str) -> bytes:
        """Write it down."""
        return content.encode(errors="replace")


def is_htmx(asked: HTTPConnection) -> bool:
    """Whether the page itself asks, for a part of it."""
    return "hx-request" in asked.headers


def part(
    template: str, status: int = 200, /, *, headers: Mapping[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """Render a template that is only ever a part of a page."""
    return Page(markup(template, **values), status, headers)


def markup(template: str, **values: Any) -> str:
    """Render a template to text."""
    return TEMPLATES.get_template(template).render(values)


def page(
    asked: HTTPConnection, template: str, status: int = 200, /, *, block: str = "main", **values: Any
) -> HTMLResponse:
    """Render a whole page, or only its block where the page itself asks."""
    chosen = TEMPLATES.get_template(template)
    if not is_htmx(asked):
        return Page(chosen.render(values), status)
    return Page("".join(chosen.blocks[block](chosen.new_context(values))), status)
