"""A disk that is full or may only be read: said in words, and no sign-in is spent that could not be kept."""

import shlex
import subprocess
import sys
from datetime import timedelta

import pytest

from tests.journeys.person import sign_in
from tests.journeys.program import PATIENCE, Ran

pytestmark = [pytest.mark.slow, pytest.mark.namespaces]

DOORKEY = shlex.join([sys.executable, "-m", "doorkey"])


class Disk:
    """Runs a script of the shell that has a disk of its own in the place of an installation's home."""

    def __init__(self, program, unshared):
        self.program = program
        self.unshared = unshared

    def run(self, mount, script):
        home = self.program.home
        aside = home.with_name("aside")
        home.rename(aside)
        home.mkdir(mode=0o700)
        body = f"set -e; {mount}; set +e\n{script}"
        with subprocess.Popen(
            [*self.unshared("--mount"), "sh", "-c", body, "sh", str(home), str(aside)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=home.parent,
            env=self.program._environment({}),
        ) as shell:
            out, err = shell.communicate(timeout=PATIENCE)
        home.rmdir()
        aside.rename(home)
        return Ran(shell.returncode, out, err)


@pytest.fixture
def disk(program, unshared):
    return Disk(program, unshared)


SMALL = 'mount -t tmpfs -o size=1m,mode=700 tmpfs "$1"; cp -a "$2/." "$1"'
UNWRITABLE = f'{SMALL}; mount -o remount,ro "$1"'
FILL = 'cat /dev/zero >"$1/filler" 2>/dev/null'


def test_on_a_full_disk_nothing_is_sent_whose_answer_could_not_be_kept(program, practice, disk):
    practice.sandbox._world.token_lifetime = 0  # Every command has to renew.
    sign_in(program, "acme")
    script = f"""
        for room in 0 52 200; do
            {FILL}
            truncate -s -${{room}}k "$1/filler"
            {DOORKEY} token acme >/dev/null
            full=$?
            rm "$1/filler"
            {DOORKEY} token acme >/dev/null
            echo $room $full $?
        done
    """

    ran = disk.run(SMALL, script)

    ended = {room: codes for room, *codes in map(str.split, ran.out.splitlines())}
    assert {after for _, after in ended.values()} == {"0"}, ran
    assert (ended["0"][0], ended["200"][0]) == ("1", "0")
    assert "error: The disk is full" in ran.err
    assert "hint: Free some space" in ran.err
    assert practice.sandbox.log.count(action="refresh_token", outcome="error") == 0


def test_a_disk_that_others_fill_while_the_provider_answers_still_takes_the_pair(program, practice, disk):
    sign_in(program, "acme")
    program.grow_old(before_its_end=timedelta(0))
    practice.sandbox.faults.add("slow", endpoint="token", seconds=2)
    script = f"""
        {DOORKEY} token acme >/dev/null &
        until [ -s "$1/vault.db-room" ]; do sleep 0.02; done
        sleep 0.3
        {FILL}
        wait $!
        echo $?
        rm "$1/filler"
        {DOORKEY} token acme >/dev/null
        echo $?
    """

    ran = disk.run(SMALL, script)

    assert ran.out.split() == ["0", "0"], ran
    assert practice.sandbox.log.count(action="refresh_token") == 1


def test_on_a_disk_that_may_only_be_read_everything_says_so_and_nothing_is_spent(program, practice, disk):
    sign_in(program, "acme")
    program.grow_old(before_its_end=timedelta(0))
    commands = ("token acme", "accounts", "key rotate", "logout acme")
    script = "\n".join(f"{DOORKEY} {command} >/dev/null; echo $?" for command in commands)

    ran = disk.run(UNWRITABLE, script)

    assert "Traceback" not in ran.err
    assert "Doorkey made a mistake" not in ran.err
    assert ran.out.split() == ["1"] * len(commands), ran
    assert ran.err.count("hint: ") == len(commands)
    assert practice.sandbox.log.count(action="refresh_token") == 0
