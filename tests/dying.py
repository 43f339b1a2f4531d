"""Run one command over and over in children that die at the first, second, third … point; a program of its own.

A point lies before each statement that changes a database, and before a file is made, renamed or removed: what is on
the disk between two points is always the same. Arguments: a home to begin with, a folder for the copies, the command's
arguments as JSON (`HOME` in them is the copy's path). Prints a line for each child: its home and its exit code.
"""

import json
import os
import shutil
import sqlite3
import sys
from itertools import count
from pathlib import Path

# Loaded before the children part, so that each of them need not.
from doorkey.adapters import bundle, whole_file
from doorkey.bootstrap import House
from doorkey.cli import main, restore
from doorkey.service import moving

WARM = (bundle, whole_file, House, restore, moving)
CONNECT = sqlite3.connect
KILLED = 9
CHANGES = frozenset({"os.rename", "os.remove", "os.link", "os.mkdir", "os.truncate"})
LOOKS = ("SELECT", "--", "PRAGMA")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Points:
    """Counts the points of one process in one folder, and ends it at the last."""

    def __init__(self, folder, last):
        self.folder = str(folder)
        self.left = last
        self.before = None

    def hear(self, event, arguments):
        if (event in CHANGES or (event == "open" and arguments[2] & WRITES)) and self.is_here(arguments[0]):
            self.reach(event)

    def connect(self, *arguments, **settings):
        connection = CONNECT(*arguments, **settings)
        connection.set_trace_callback(self.statement)
        return connection

    def statement(self, sql):
        if not sql.lstrip().startswith(LOOKS) or "=" in sql.partition("PRAGMA")[2]:
            self.reach(" ".join(sql.split()[:3]))

    def reach(self, what):
        """Count this point, unless it repeats the one before: rows of one table, one after the other."""
        if what != self.before:
            if self.left == 0:
                os._exit(KILLED)
            self.left -= 1
        self.before = what

    def is_here(self, path):
        return isinstance(path, str | Path) and str(path).startswith(self.folder)


def become(home, last, arguments):
    """Go on as the command, with the streams that a person would have, until the point of this number."""
    os.environ["DOORKEY_HOME"] = str(home)
    said = os.open(f"{home}.out", os.O_WRONLY | os.O_CREAT)
    os.dup2(said, 1)
    sys.argv = ["doorkey", *(argument.replace("HOME", str(home)) for argument in arguments)]
    points = Points(home, last)
    sqlite3.connect = points.connect
    sys.addaudithook(points.hear)
    main.main()


def run(template, folder, arguments, stdin):
    for last in count():
        home = Path(folder) / str(last)
        shutil.copytree(template, home)
        child = os.fork()
        if child == 0:
            os.lseek(stdin, 0, os.SEEK_SET)
            os.dup2(stdin, 0)
            become(home, last, arguments)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(json.dumps([str(home), code]) + "\n")
        sys.stdout.flush()
        if code != KILLED:
            return


if __name__ == "__main__":
    given = os.open(f"{sys.argv[2]}/stdin", os.O_RDWR | os.O_CREAT)
    os.write(given, sys.stdin.buffer.read())
    run(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), given)
