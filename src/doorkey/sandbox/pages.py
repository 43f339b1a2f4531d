"""Pages: Jinja templates, escaped, under a policy that lets no script in but our own file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse

HERE = Path(__file__).parent

_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def page(template: str, values: Mapping[str, Any], *, status: int = 200, returns_to: str | None = None) -> HTMLResponse:
    """Render a page; `returns_to` is the redirect address that its form may end at."""
    return HTMLResponse(
        _TEMPLATES.get_template(template).render(values),
        status,
        {"Content-Security-Policy": _policy(returns_to), "Cache-Control": "no-store"},
    )


def _policy(returns_to: str | None) -> str:
    # Browsers hold `form-action` against the redirect that follows a form as well.
    targets = "'self'" if returns_to is None else f"'self' {_origin(returns_to)}"
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        f"form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )


def _origin(address: str) -> str:
    parts = urlsplit(address)
    # A policy cannot name an IPv6 address; the scheme is the narrowest that it can say.
    return "http:" if parts.netloc.startswith("[") else f"{parts.scheme}://{parts.netloc}"
