"""Reading a file of the folder as text, a page of lines at a time."""

from doorkey.agent.fence import Folder, name_of, parts_of

MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_LINES = 2_000
MAX_LINE = 2_000
MAX_PAGE = 60_000
_SNIFFED = 8_192


def read_file(folder: Folder, path: str, *, offset: int = 0, limit: int = MAX_LINES) -> str:
    """Give up to `limit` lines after the first `offset`, then notes in brackets about anything left out.

    A binary file is named as one, not printed; bytes that are not UTF-8 are replaced and that is said.
    """
    parts = parts_of(path)
    with folder.file(parts) as stream:
        raw = stream.read(MAX_FILE_BYTES + 1)
    if is_binary(raw):
        return f"[{name_of(parts)} is a binary file]"
    text, notes = decoded(raw[:MAX_FILE_BYTES])
    if len(raw) > MAX_FILE_BYTES:
        notes.append(f"only the first {MAX_FILE_BYTES} bytes can be read")
    return _page(text, offset, min(limit, MAX_LINES), notes)


def is_binary(raw: bytes) -> bool:
    """Tell by a NUL near the start, as git does."""
    return b"\0" in raw[:_SNIFFED]


def decoded(raw: bytes) -> tuple[str, list[str]]:
    """Decode as UTF-8, with a note when something had to be replaced."""
    try:
        return raw.decode(), []
    except UnicodeDecodeError:
        return raw.decode(errors="replace"), ["bytes that are not UTF-8 were replaced"]


def lines_of(text: str) -> list[str]:
    """Split at line feeds only, as editors and compilers count lines; the feeds themselves are dropped."""
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def short(line: str) -> str:
    """Cut a line that is too long to be read."""
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}[… {len(line) - MAX_LINE} more characters]"


def _page(text: str, offset: int, limit: int, notes: list[str]) -> str:
    lines = lines_of(text)
    page: list[str] = []
    room = MAX_PAGE
    for line in lines[offset : offset + limit]:
        page.append(short(line))
        room -= len(page[-1])
        if room <= 0:
            break
    end = offset + len(page)
    if len(page) < len(lines):
        notes.append(f"lines {offset + 1} to {end} of {len(lines)}" if page else f"the file has {len(lines)} lines")
    if page and end < len(lines):
        notes.append(f"read on with offset {end}")
    return "\n".join([*page, *([f"[{'; '.join(notes)}]"] if notes else [])]) or "[the file is empty]"
