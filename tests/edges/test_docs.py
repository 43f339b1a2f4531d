"""The documents name everything that there is, and nothing in them leads nowhere."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

import doorkey
from doorkey import flows
from doorkey.cli.main import COMMANDS
from doorkey.cli.main import doorkey as program
from doorkey.errors import DoorkeyError
from doorkey.providers import ALL, config_fields
from doorkey.providers.config import merge
from doorkey.web.app import ROUTES
from tests.edges.places import ROOT, tracked

DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "doorkey"
PAGES = sorted({*DOCS.rglob("*.md"), *ROOT.glob("*.md")})
FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def prose(text: str) -> str:
    return FENCE.sub("", text)


def headings(name: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", prose(read(name)), re.MULTILINE)


def section(name: str, heading: str) -> str:
    """Return what stands under a heading, up to the next of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", prose(read(name)), re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def blocks(page: Path, language: str) -> list[str]:
    return [code for _, spoken, code in FENCE.findall(page.read_text("utf-8")) if spoken == language]


def links(page: Path) -> list[str]:
    """Return the links to files of ours and to headings."""
    return [link for link in LINK.findall(prose(page.read_text("utf-8"))) if not link.startswith("http")]


def each(pages: list[Path]) -> pytest.MarkDecorator:
    assert pages
    return pytest.mark.parametrize("page", pages, ids=lambda page: str(page.relative_to(ROOT)))


def anchor(heading: str) -> str:
    """Name a heading as its page's address does: words in lower case, joined by dashes."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def command(name: str) -> click.Command:
    found = program.get_command(click.Context(program), name)
    assert found is not None
    return found


def error_codes() -> set[str]:
    """Collect the code of every error, those that flows keep to themselves included."""
    for module in sorted(Path(flows.__path__[0]).glob("*.py")):
        import_module(f"doorkey.flows.{module.stem}")
    kinds, found = [DoorkeyError], set()
    while kinds:
        kind = kinds.pop()
        if kind.__module__.startswith("doorkey.") and not kind.__module__.startswith("doorkey.testing"):
            found.add(kind.code)
            kinds += kind.__subclasses__()
    return found


def variables_read() -> set[str]:
    """Collect the environment variables that the source asks for by name."""
    found = {name for provider in ALL for name in provider.api.env}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found |= {text for text in _asked(node) if re.fullmatch(r"[A-Z0-9_]*[A-Z]", text)}
    return found


def _asked(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("environ.get", "environment.get", "getenv")):
        yield from _texts(node.args[:1])
    elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
        yield from _texts([node.slice])
    elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]).endswith("environ"):
        yield from _texts([node.left])
    elif isinstance(node, ast.keyword) and node.arg == "envvar":
        yield from _texts([node.value])
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("DOORKEY_"):
        yield node.value


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    yield from (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_section_that_names_its_options(name):
    options = [option for asked in command(name).params if isinstance(asked, click.Option) for option in asked.opts]

    told = section("docs/commands.md", f"doorkey {name}")

    assert told
    assert [option for option in options if f"`{option}" not in told] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_no_section_names_an_option_that_a_command_does_not_have(name):
    options = {option for asked in command(name).params for option in asked.opts}

    told = re.findall(r"^\| `(--[\w-]+)", section("docs/commands.md", f"doorkey {name}"), re.MULTILINE)

    assert set(told) <= options


def test_no_command_is_described_that_does_not_exist():
    described = {heading.removeprefix("doorkey ") for heading in headings("docs/commands.md") if " " in heading}

    assert described - {"Exit codes"} == set(COMMANDS)


def test_every_key_of_the_config_has_a_heading_and_no_other():
    methods = (key for kind in config_fields.METHOD.values() for key in kind)
    described = re.findall(r"`(?:providers\..*\.)?(\w+)`", "\n".join(headings("docs/config.md")))

    assert set(described) == {"env_files", "key_command", *config_fields.NETWORK, *config_fields.API, *methods}


def test_every_variable_that_is_read_has_a_heading():
    told = set(headings("docs/environment.md"))

    missing = {name for name in variables_read() if f"`{name}`" not in told}

    assert missing == set()


def test_the_search_for_variables_finds_them():
    assert {"DOORKEY_HOME", "DOORKEY_KEY", "DOORKEY_ACCOUNT", "OPENAI_API_KEY", "BROWSER"} <= variables_read()


def test_every_error_code_has_a_heading_and_no_other():
    described = {heading.strip("`") for heading in headings("docs/errors.md") if heading.startswith("`")}

    assert described == error_codes()


@pytest.mark.parametrize("provider", ALL, ids=lambda provider: provider.id)
def test_every_provider_and_method_is_described_with_the_date_of_its_policy(provider):
    told = headings("docs/providers.md")

    for method in provider.methods:
        heading = next(name for name in (f"{method.id} of {provider.id}", method.id) if name in told)
        text = section("docs/providers.md", heading)
        assert method.policy.source is None or f"({method.policy.source}) read on {method.policy.read_on}" in text
        assert method.policy.source is None or f"**Policy:** {method.policy.verdict}" in text
    assert provider.id in told


def test_every_route_for_programs_has_a_heading_and_no_other():
    described = {heading.strip("`") for heading in headings("docs/http.md") if "/api/" in heading}

    assert described == {f"{method} {path}" for method, path, _ in ROUTES if path.startswith("/api/")}


def test_every_public_name_has_a_heading():
    told = headings("docs/library.md")

    missing = [name for name in doorkey.__all__ if f"`doorkey.{name}`" not in told]

    assert missing == []


@each([page for page in PAGES if links(page)])
def test_every_link_leads_somewhere(page):
    for link in links(page):
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not fragment or fragment in map(anchor, headings(str(target.relative_to(ROOT)))), link


@each([page for page in PAGES if blocks(page, "python")])
def test_the_python_in_the_documents_compiles(page):
    for code in blocks(page, "python"):
        compile(code, str(page), "exec")


@each([page for page in PAGES if blocks(page, "toml")])
def test_the_config_in_the_documents_is_taken_as_it_stands(page):
    for code in blocks(page, "toml"):
        merged = merge(code, ALL)

        assert tomllib.loads(code)
        assert merged.problems == ()


def test_the_readme_begins_with_a_picture_and_the_two_commands():
    first_screen = "\n".join(read("README.md").splitlines()[:25])

    assert "./run " in first_screen
    assert "./run test" in first_screen
    assert re.search(r"!\[.{20,}\]\(docs/images/app\.png\)", first_screen)


def test_the_changelog_tells_what_is_not_yet_released():
    newest = re.search(r"^## \[.+?\] - Unreleased\n(.*?)(?=^## |\Z)", read("CHANGELOG.md"), re.MULTILINE | re.DOTALL)

    assert newest
    assert len(re.findall(r"^- .{20,}", newest[1], re.MULTILINE)) >= 3


@each(sorted((DOCS / "decisions").glob("*.md")))
def test_a_decision_fits_on_a_page(page):
    text = page.read_text("utf-8")

    assert re.match(rf"# {int(page.name[:3])}\. ", text)
    assert len(text.split()) < 400


def test_the_documents_are_kept():
    kept = set(tracked("docs", "README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"))

    assert set(PAGES) - kept == set()
