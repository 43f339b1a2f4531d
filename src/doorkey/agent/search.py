"""Searching the folder's text, with a pattern that can never hold up the program."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

from doorkey.agent.caution import holds_secrets
from doorkey.agent.fence import Folder, Parts, name_of, parts_of
from doorkey.agent.read import decoded, is_binary, lines_of, short
from doorkey.agent.walk import Entry, walk
from doorkey.errors import FolderRefused

MAX_PATTERN = 500
MAX_FILE_BYTES = 1024 * 1024
MAX_TOTAL_BYTES = 16 * 1024 * 1024
MAX_MATCHES = 200
REGEX_SECONDS = 5

# `re` can take longer than the universe has existed, and nothing interrupts it inside a process.
_MATCHER = """
import re, sys
try:
    search = re.compile(sys.argv[1]).search
except (re.error, RecursionError, OverflowError) as error:
    sys.exit(str(error))
for number, line in enumerate(sys.stdin.buffer):
    if search(line.decode().rstrip("\\n")):
        print(number)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    parts: Parts
    number: int
    text: str


def search_files(folder: Folder, pattern: str, path: str = ".", *, regex: bool = False) -> str:
    """Give each matching line as `path:line: text`, then notes in brackets about what was not searched.

    The pattern is plain text unless `regex`; a regular expression has five seconds. Files that may hold
    secrets are never searched: reading one asks the person, by its name.
    """
    if not 0 < len(pattern) <= MAX_PATTERN or "\0" in pattern:
        raise FolderRefused(f"A pattern has 1 to {MAX_PATTERN} characters")
    lines, notes = _gather(folder, parts_of(path))
    hits = _regex(pattern, lines) if regex else [line for line in lines if pattern in line.text]
    if len(hits) > MAX_MATCHES:
        notes.append(f"{len(hits) - MAX_MATCHES} more matches not shown")
    found = [f"{name_of(hit.parts)}:{hit.number}: {short(hit.text)}" for hit in hits[:MAX_MATCHES]]
    return "\n".join([*(found or ["[no match]"]), *([f"[{'; '.join(notes)}]"] if notes else [])])


def _gather(folder: Folder, start: Parts) -> tuple[list[_Line], list[str]]:
    lines: list[_Line] = []
    passed: Counter[str] = Counter()
    room = MAX_TOTAL_BYTES
    for entry in walk(folder, start):
        if reason := _not_searched(entry):
            passed[reason] += 1
        elif entry.kind == "file":
            raw = _read(folder, entry.parts)
            if len(raw) > room:
                passed["stopped early, too much text: search a folder below"] += 1
                break
            room -= len(raw)
            text, _ = decoded(raw)
            lines += [_Line(parts=entry.parts, number=n, text=line) for n, line in enumerate(lines_of(text), 1)]
    return lines, [f"not searched: {count} {reason}" for reason, count in sorted(passed.items())]


def _not_searched(entry: Entry) -> str | None:
    if entry.kind == "file":
        if holds_secrets(entry.parts):
            return "that may hold secrets"
        return "too big" if entry.size > MAX_FILE_BYTES else None
    if entry.kind == "folder":
        return f"named {entry.parts[-1]}" if entry.skipped else None
    return {"link": "link", "special": "special", "cut": "folder with too many entries"}[entry.kind]


def _read(folder: Folder, parts: Parts) -> bytes:
    """Read a text file; nothing from one that is binary or refused, as a hard link is."""
    try:
        with folder.file(parts) as stream:
            raw = stream.read(MAX_FILE_BYTES)
    except FolderRefused:
        return b""
    return b"" if is_binary(raw) else raw


def _regex(pattern: str, lines: list[_Line]) -> list[_Line]:
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _MATCHER, pattern],
            input="".join(f"{line.text}\n" for line in lines).encode(),
            capture_output=True,
            timeout=REGEX_SECONDS,
            check=False,
            env={},
        )
    except subprocess.TimeoutExpired as error:
        raise FolderRefused(f"The regular expression took longer than {REGEX_SECONDS} s; use a simpler one") from error
    if done.returncode:
        raise FolderRefused(f"The regular expression cannot be used: {done.stderr.decode(errors='replace')[-200:]}")
    return [lines[int(number)] for number in done.stdout.split()]
