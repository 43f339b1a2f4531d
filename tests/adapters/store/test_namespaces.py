"""Two containers on one volume: the process ids of the one say nothing to the other."""

import subprocess
import sys
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest

from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store.sqlite import open_vault

pytestmark = [pytest.mark.slow, pytest.mark.namespaces]

HOUR, SHORT = 3600.0, 1.5

# Takes the lease, tells how that went, and dies as soon as its stdin ends, with the lease in its hand.
HOLDER = """
import os, sys
from datetime import timedelta
from pathlib import Path
from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store.sqlite import open_vault
folder = Path(sys.argv[1])
lease = open_vault(folder, [KeyFile(folder)]).leases.take("acc_1", timedelta(seconds=float(sys.argv[2])))
print("refused" if lease is None else "overtaken" if lease.overtaken else "taken", flush=True)
sys.stdin.read()
os._exit(9)
"""


@pytest.fixture(params=["--mount-proc", None], ids=["own /proc", "shared /proc"])
def container(request, unshared):
    """How a program is started in a process namespace of its own, which ends with it."""
    return unshared("--pid", "--fork", "--kill-child", *filter(None, [request.param]))


@pytest.fixture
def here(tmp_path):
    with closing(open_vault(tmp_path, [KeyFile(tmp_path)])) as vault:
        yield vault.leases


def take(leases):
    return leases.take("acc_1", timedelta(seconds=HOUR))


def command(folder, span=HOUR):
    return [sys.executable, "-c", HOLDER, str(folder), str(span)]


@contextmanager
def holding(container, folder, span=HOUR):
    """Let a program in a container hold the lease."""
    with subprocess.Popen(
        [*container, *command(folder, span)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout.readline() == "taken\n"
            yield holder
        finally:
            holder.kill()


def test_a_living_holder_in_another_container_is_waited_for(container, here, tmp_path):
    with holding(container, tmp_path):
        outside = take(here)
        inside = subprocess.run([*container, *command(tmp_path)], input=b"", stdout=subprocess.PIPE, check=False)

    assert outside is None
    assert inside.stdout == b"refused\n"


def test_one_that_was_killed_in_another_container_is_followed_when_its_lease_ends_and_not_before(
    container, here, tmp_path
):
    with holding(container, tmp_path, SHORT) as holder:
        holder.kill()
        holder.wait()

        at_once = take(here)

    assert at_once is None
    while (lease := take(here)) is None:
        pass
    assert lease.overtaken


def test_one_that_was_killed_in_the_same_container_is_followed_at_once(container, here, tmp_path):
    first_and_second = 'first=$("$@" </dev/null); second=$("$@" </dev/null); echo $first $second'

    ended = subprocess.run(
        [*container, "sh", "-c", first_and_second, "sh", *command(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )

    assert ended.stdout == "taken taken\n"
    assert take(here) is None


def test_a_proc_of_another_namespace_is_not_asked_when_somebody_started(unshared):
    asked = "from doorkey.adapters.store.machine import ThisMachine; print(ThisMachine().this_process().started)"
    containers = [unshared("--pid", "--fork", *own) for own in ([], ["--mount-proc"])]

    told = [subprocess.check_output([*each, sys.executable, "-c", asked], text=True) for each in containers]

    assert told[0] == "0\n"
    assert int(told[1]) > 0
