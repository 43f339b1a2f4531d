"""Fails where a file or a function has grown too long to be read in one go."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60


def too_long(path: Path) -> Iterator[str]:
    """Tell each thing in one file that is over its limit, with its place."""
    source = path.read_text("utf-8")
    if (lines := len(source.splitlines())) > FILE_LINES:
        yield f"{path}: {lines} lines, over {FILE_LINES}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {lines} lines, over {FUNCTION_LINES}"


def main(folders: list[str]) -> int:
    """Print what is too long under the folders; 1 when there is anything."""
    complaints = [line for folder in folders for path in sorted(Path(folder).rglob("*.py")) for line in too_long(path)]
    print(*complaints, sep="\n", end="\n" if complaints else "")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
