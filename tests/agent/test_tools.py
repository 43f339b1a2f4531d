import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.agent.confinement import Confinement, scrubbed
from doorkey.agent.fence import Folder
from doorkey.agent.tools import TOOLS, execute, needs_approval, scope
from doorkey.errors import ApprovalRefused, FolderRefused

from .conftest import CANARY

BARE = Confinement(environment=scrubbed(os.environ), program=None, sentence="")

NAMES = ["project", "outside", "secret.txt", "link", "hard.txt", "..", ".", "", "/", "sub", "~"]
PATHS = st.lists(st.sampled_from(NAMES), max_size=6).map("/".join)


async def do(folder: Folder, tool: str, *, approved: bool = False, **arguments: object) -> str:
    return await execute(folder, tool, arguments, confinement=BARE, approved=approved)


def test_the_tools_are_these_five_and_two_always_ask():
    assert {tool.name: tool.approval for tool in TOOLS} == {
        "list_files": False,
        "read_file": False,
        "search_files": False,
        "write_file": True,
        "run_command": True,
    }


async def test_a_model_can_work_through_its_tools(folder: Folder):
    assert (
        await do(folder, "write_file", path="a/b.txt", content="hello", approved=True) == "Created a/b.txt (5 bytes)."
    )
    assert await do(folder, "write_file", path="a/b.txt", content="bye", approved=True) == "Replaced a/b.txt (3 bytes)."
    assert await do(folder, "list_files") == "a/\na/b.txt (3 bytes)"
    assert await do(folder, "read_file", path="a/b.txt") == "bye"
    assert await do(folder, "search_files", pattern="b.e", regex=True) == "a/b.txt:1: bye"
    assert await do(folder, "run_command", command="cat a/b.txt", approved=True) == "[exit code 0]\nbye"


async def test_a_call_that_needs_approval_does_nothing_without_it(folder: Folder, root: Path):
    (root / ".env").write_text("KEY=canary")

    with pytest.raises(ApprovalRefused):
        await do(folder, "write_file", path="a.txt", content="x")
    with pytest.raises(ApprovalRefused):
        await do(folder, "run_command", command="touch made")
    with pytest.raises(ApprovalRefused):
        await do(folder, "read_file", path="./.env")

    assert await do(folder, "list_files") == ".env (10 bytes)"


async def test_an_approved_call_reads_a_guarded_file(folder: Folder, root: Path):
    (root / ".env").write_text("KEY=canary")

    assert await do(folder, "read_file", path=".env", approved=True) == "KEY=canary"


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("list_files", {"path": ".ssh"}, None),
        ("search_files", {"pattern": "x"}, None),
        ("read_file", {"path": "README.md"}, None),
        ("read_file", {"path": "./.git//config"}, "Reads .git/config, which may hold secrets."),
        ("write_file", {"path": "a.txt", "content": ""}, "Writes a.txt."),
        ("write_file", {"path": ".git/hooks/x", "content": ""}, "Writes .git/hooks/x; git acts on it later."),
        ("run_command", {"command": "ls"}, "Runs a command."),
    ],
)
def test_a_call_asks_with_its_reason(tool: str, arguments: dict[str, object], reason: str | None):
    assert needs_approval(tool, arguments) == reason


@pytest.mark.parametrize(
    ("tool", "arguments", "fault"),
    [
        ("format_disk", {}, "no tool named format_disk"),
        ("read_file", {}, "needs `path`"),
        ("read_file", {"path": 1}, "has to be of type string"),
        ("read_file", {"path": "a", "approved": True}, "not `approved`"),
        ("read_file", {"path": "a", "offset": True}, "has to be of type integer"),
        ("read_file", {"path": "a", "offset": -1}, "out of its bounds"),
        ("read_file", {"path": "../a"}, "would leave"),
        ("write_file", {"path": "a", "content": "\ud800"}, "surrogate"),
        ("run_command", {"command": ""}, "out of its bounds"),
        ("run_command", {"command": "ls", "timeout": 601}, "out of its bounds"),
    ],
)
def test_a_call_that_can_never_run_asks_nobody(tool: str, arguments: dict[str, object], fault: str):
    for ask in (needs_approval, scope):
        with pytest.raises(FolderRefused, match=fault):
            ask(tool, arguments)


async def test_a_time_limit_of_the_model_is_kept(folder: Folder):
    text = await do(folder, "run_command", command="sleep 300", timeout=1, approved=True)

    assert text.startswith("[stopped after 1 s")


def test_a_scope_is_the_same_tool_on_the_same_path():
    assert scope("write_file", {"path": "./a//b", "content": "x"}) == scope(
        "write_file", {"path": "a/b", "content": ""}
    )
    assert scope("write_file", {"path": "a", "content": ""}) != scope("read_file", {"path": "a"})
    assert scope("list_files", {}) == scope("list_files", {"path": "."})


def test_a_scope_of_a_command_is_exactly_this_command():
    assert scope("run_command", {"command": "ls"}) != scope("run_command", {"command": "ls "})


@pytest.fixture(scope="module")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder full of ways out."""
    place = tmp_path_factory.mktemp("trap")
    for name in ("project", "outside"):
        (place / name / "sub").mkdir(parents=True)
    (place / "outside" / "secret.txt").write_text(CANARY)
    (place / "outside" / "sub" / "secret.txt").write_text(CANARY)
    for here in (place / "project", place / "project" / "sub"):
        (here / "link").symlink_to(place / "outside")
        (here / "secret.txt").symlink_to(place / "outside" / "secret.txt")
        (here / "hard.txt").hardlink_to(place / "outside" / "secret.txt")
    return Folder.open(place / "project")


@settings(max_examples=200, deadline=None)
@given(PATHS)
async def test_no_path_brings_out_what_lies_outside(trapped: Folder, path: str):
    for tool, arguments in (("read_file", {}), ("search_files", {"pattern": "canary"}), ("list_files", {})):
        try:
            text = await do(trapped, tool, path=path, approved=True, **arguments)
        except FolderRefused as refusal:
            text = str(refusal)
        assert CANARY not in text


@settings(max_examples=100, deadline=None)
@given(PATHS)
async def test_no_path_changes_what_lies_outside(trapped: Folder, path: str):
    with suppress(FolderRefused):
        await do(trapped, "write_file", path=path, content="overwritten", approved=True)

    outside = trapped.path.parent / "outside"
    assert sorted(place.name for place in outside.iterdir()) == ["secret.txt", "sub"]
    assert (outside / "secret.txt").read_text() == CANARY
