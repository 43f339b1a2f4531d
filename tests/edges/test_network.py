"""There is one way out: everything that leaves this computer goes by the proxy and the authorities that were chosen."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.edges.places import ROOT, tracked

SOURCE = ROOT / "src" / "doorkey"
FACTORY = SOURCE / "adapters" / "http"
# The practice provider and the person at its pages stay on this computer; the knock at its ports does as well.
AT_HOME = {SOURCE / "sandbox", SOURCE / "testing"}
CONNECTS = {"Client", "AsyncClient", "HTTPTransport", "AsyncHTTPTransport", "urlopen", "HTTPSConnection"}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node


def sources() -> list[Path]:
    return [path for path in tracked("src/doorkey") if path.suffix == ".py" and not AT_HOME & set(path.parents)]


def test_only_one_folder_makes_clients():
    elsewhere = {
        str(path.relative_to(SOURCE))
        for path in sources()
        for name, _ in calls(path)
        if name in CONNECTS and FACTORY not in path.parents
    }

    assert len(sources()) > 100
    assert elsewhere == set()


def test_every_client_of_ours_follows_no_redirect_and_reads_no_environment():
    for path in FACTORY.glob("*.py"):
        for name, call in calls(path):
            if name in {"Client", "AsyncClient"}:
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
                assert None in given or given["trust_env"] == "False", path
                assert None in given or given.get("follow_redirects", "False") == "False", path


def test_every_request_of_a_flow_or_a_service_carries_its_providers_network():
    made = [
        (path.name, {keyword.arg for keyword in call.keywords})
        for path in sources()
        if path.parent.name in {"flows", "service"}
        for name, call in calls(path)
        if name == "Request"
    ]

    assert len(made) >= 5
    assert [name for name, given in made if "network" not in given] == []
