"""Searching the folder's text, with a pattern that can never hold up the program."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from doorkey.agent.caution import holds_secrets
from doorkey.agent.fence import Folder, Parts, name_of, parts_of
from doorkey.agent.read import decoded, is_binary, lines_of, short
from doorkey.agent.walk import Entry, walk
from doorkey.errors import FolderRefused

MAX_PATTERN = 500
MAX_FILE_BYTES = 1024 * 1024
MAX_TOTAL_BYTES = 32 * 1024 * 1024
MAX_ENTRIES = 50_000
MAX_MATCHES = 200
REGEX_SECONDS = 5

# `re` can take longer than the universe has existed, and nothing interrupts it inside a process.
_MATCHER = f"""
import re, sys
try:
    search = re.compile(sys.argv[1]).search
except (re.error, RecursionError, OverflowError) as error:
    sys.exit(str(error))
left = {MAX_MATCHES + 1}
for number, line in enumerate(sys.stdin.buffer):
    if left and search(line.decode().rstrip("\\n")):
        print(number)
        left -= 1
"""


@dataclass(frozen=True, slots=True)
class _Text:
    parts: Parts
    lines: str


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
    texts, notes = _gather(folder, parts_of(path))
    hits = list(islice((_regex if regex else _literal)(pattern, texts), MAX_MATCHES + 1))
    if len(hits) > MAX_MATCHES:
        notes.append(f"cut after {MAX_MATCHES} matches")
    found = [f"{name_of(hit.parts)}:{hit.number}: {short(hit.text)}" for hit in hits[:MAX_MATCHES]]
    return "\n".join([*(found or ["[no match]"]), *([f"[{'; '.join(notes)}]"] if notes else [])])


def _gather(folder: Folder, start: Parts) -> tuple[list[_Text], list[str]]:
    texts: list[_Text] = []
    passed: Counter[str] = Counter()
    early: list[str] = []
    room = MAX_TOTAL_BYTES
    for count, entry in enumerate(walk(folder, start), 1):
        if reason := _not_searched(entry):
            passed[reason] += 1
        elif entry.kind == "file":
            texts.append(_Text(entry.parts, _read(folder, entry.parts)))
            room -= len(texts[-1].lines)
        if room <= 0 or count == MAX_ENTRIES:
            early.append("stopped early, there is too much: search a folder below")
            break
    return texts, early + [f"not searched: {count} {reason}" for reason, count in sorted(passed.items())]


def _not_searched(entry: Entry) -> str | None:
    if entry.kind == "file":
        if holds_secrets(entry.parts):
            return "that may hold secrets"
        return "too big" if entry.size > MAX_FILE_BYTES else None
    if entry.kind == "folder":
        return f"named {entry.parts[-1]}" if entry.skipped else None
    return {"link": "link", "special": "special", "cut": "folder with too many entries"}[entry.kind]


def _read(folder: Folder, parts: Parts) -> str:
    """Read a text file; nothing from one that is binary or refused, as a hard link is."""
    try:
        with folder.file(parts) as stream:
            raw = stream.read(MAX_FILE_BYTES)
    except FolderRefused:
        return ""
    return "" if is_binary(raw) else decoded(raw)[0]


def _lines(texts: Iterable[_Text]) -> Iterator[_Line]:
    for text in texts:
        for number, line in enumerate(lines_of(text.lines), 1):
            yield _Line(parts=text.parts, number=number, text=line)


def _literal(pattern: str, texts: list[_Text]) -> Iterator[_Line]:
    likely = (text for text in texts if pattern in text.lines)
    return (line for line in _lines(likely) if pattern in line.text)


def _regex(pattern: str, texts: list[_Text]) -> Iterator[_Line]:
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _MATCHER, pattern],
            input="".join(f"{line}\n" for text in texts for line in lines_of(text.lines)).encode(),
            capture_output=True,
            timeout=REGEX_SECONDS,
            check=False,
            env={},
        )
    except subprocess.TimeoutExpired as error:
        raise FolderRefused(f"The regular expression took longer than {REGEX_SECONDS} s; use a simpler one") from error
    if done.returncode:
        raise FolderRefused(f"The regular expression cannot be used: {done.stderr.decode(errors='replace')[-200:]}")
    hits = set(map(int, done.stdout.split()))
    return (line for index, line in enumerate(_lines(texts)) if index in hits)
