import asyncio
import os
import select
import signal
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from doorkey.agent import command as commands
from doorkey.agent.command import Outcome, run_command
from doorkey.agent.confinement import Confinement, scrubbed
from doorkey.agent.fence import Folder
from doorkey.errors import FolderRefused

CANARY = "canary-in-the-environment"
PATIENCE = 30.0
"""How long a test waits, in seconds, for what happens in milliseconds, before it fails."""


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Confinement:
    """No bubblewrap, and an environment full of credentials to begin with."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "DOORKEY_KEY", "DOORKEY_HOME", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, CANARY)
    return Confinement(environment=scrubbed(os.environ), program=None, sentence="")


@pytest.fixture
def run(folder: Folder, bare: Confinement):
    return lambda command, **options: run_command(folder, command, confinement=bare, **options)


@pytest.fixture
def lifeline(root: Path) -> Iterator[int]:
    """A pipe named `lifeline` in the folder: it ends when the last process that has it open for writing is dead."""
    os.mkfifo(root / "lifeline")
    reading = os.open(root / "lifeline", os.O_RDONLY | os.O_NONBLOCK)
    yield reading
    os.close(reading)


def next_from(lifeline: int) -> bytes:
    ready, _, _ = select.select([lifeline], [], [], PATIENCE)
    assert ready, "some process lives on"
    return os.read(lifeline, 100)


async def test_a_command_runs_in_the_folder_and_tells_its_code(run, root: Path):
    (root / "file").touch()

    outcome = await run("ls; pwd; echo oops >&2; exit 3")

    assert outcome.code == 3
    assert outcome.output.splitlines() == ["file", str(root), "oops"]
    assert str(outcome).startswith("[exit code 3]\nfile\n")


async def test_a_command_sees_no_credential(run):
    outcome = await run("env; set; cat /proc/self/environ 2>/dev/null")

    assert CANARY not in outcome.output
    assert "PATH=" in outcome.output


async def test_a_command_has_no_input(run):
    assert (await run("cat; echo end")).output == "end\n"


async def test_a_command_inherits_no_descriptor(run, root: Path):
    (root / "file").write_text("x")

    with (root / "file").open() as file:
        os.set_inheritable(file.fileno(), True)
        outcome = await run(f"test -e /dev/fd/{file.fileno()} || echo closed")

    assert outcome.output == "closed\n"


@pytest.fixture
def replaced(root: Path, outside: Path) -> None:
    root.rename(root.with_name("moved"))
    root.symlink_to(outside)


async def test_a_command_does_not_run_where_the_folder_was_replaced(run, replaced: None):
    with pytest.raises(FolderRefused):
        await run("ls")


async def test_the_time_limit_ends_the_command_and_its_children(run, lifeline: int):
    outcome = await run("exec 3> lifeline; sleep 300 & wait", limit=timedelta(seconds=1))

    assert outcome.code is None
    assert str(outcome).startswith("[stopped after 1 s, its time limit]")
    assert next_from(lifeline) == b""


async def test_a_command_that_ignores_the_request_to_stop_is_made_to(run, lifeline: int):
    outcome = await run(
        "trap '' TERM; exec > lifeline; while :; do sleep 300; done",
        limit=timedelta(seconds=1),
        grace=timedelta(seconds=0.1),
    )

    assert outcome.code is None
    assert next_from(lifeline) == b""


async def test_a_command_may_tidy_up_when_its_time_is_over(run):
    outcome = await run(
        "trap 'echo tidy; exit' TERM; while :; do sleep 0.05; done",
        limit=timedelta(seconds=1),
        grace=timedelta(seconds=PATIENCE),
    )

    assert outcome.output.endswith("tidy\n")


async def test_nothing_in_the_background_outlives_its_command(run, lifeline: int):
    outcome = await run("exec 3> lifeline; sleep 300 & echo started")

    assert outcome == Outcome(code=0, output="started\n", limit=commands.LIMIT)
    assert next_from(lifeline) == b""


async def test_cancelling_ends_the_command_and_its_children(run, lifeline: int):
    task = asyncio.create_task(run("(echo up; exec sleep 300) > lifeline & wait"))
    up = await asyncio.to_thread(next_from, lifeline)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert up == b"up\n"
    assert next_from(lifeline) == b""


async def test_a_process_that_left_the_group_cannot_hold_up_the_answer(run, root: Path):
    escape = "import os, time; os.setsid(); open('pid', 'w').write(str(os.getpid())); time.sleep(300)"
    script = f'python3 -c "{escape}" & until [ -s pid ]; do sleep 0.01; done; echo done'

    outcome = await run(script, grace=timedelta(seconds=0.1))

    os.kill(int((root / "pid").read_text()), signal.SIGKILL)
    assert outcome.output == "done\n"


async def test_of_a_long_output_the_start_and_the_end_are_kept(run):
    outcome = await run("echo first; head -c 1000000 /dev/zero | tr '\\0' x; echo; echo last")

    assert outcome.output.startswith("first\nx")
    assert outcome.output.endswith("x\nlast\n")
    assert "[… 952012 bytes left out …]" in outcome.output


async def test_output_that_is_not_utf8_is_replaced(run):
    assert (await run(r"printf '\377'")).output == "\ufffd"


async def test_a_signal_is_told_as_a_negative_code(run):
    assert (await run("kill -9 $$")).code == -9


@pytest.mark.parametrize("command", ["", "  ", "echo \0", "x" * (commands.MAX_COMMAND + 1)])
async def test_a_command_has_bounds(run: Callable[[str], Awaitable[Outcome]], command: str):
    with pytest.raises(FolderRefused):
        await run(command)
