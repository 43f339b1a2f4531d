"""The five tools of a chat with a folder: how a model sees them, which calls ask a person, and what they do."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from doorkey.agent import command, read, search, walk, write
from doorkey.agent.caution import holds_secrets, runs_later
from doorkey.agent.confinement import Confinement
from doorkey.agent.fence import Folder, name_of, parts_of
from doorkey.errors import ApprovalRefused, FolderRefused

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool as a model sees it; `parameters` is a JSON schema. With `approval`, every call asks the person."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    approval: bool


def _parameters(required: tuple[str, ...], **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_PATH = {"type": "string", "description": "Relative to the chat's folder, such as src/main.py"}
_FOLDER = {"type": "string", "description": "Relative to the chat's folder; the folder itself by default"}

TOOLS = (
    Tool(
        name="list_files",
        description="List files and folders below a path, with sizes. Links are shown, never followed.",
        parameters=_parameters(
            (),
            path=_FOLDER,
            depth={"type": "integer", "minimum": 1, "maximum": 16, "description": "Levels to show, 3 by default"},
        ),
        approval=False,
    ),
    Tool(
        name="read_file",
        description="Read a text file, by default its first 2000 lines. Files that may hold secrets ask the person.",
        parameters=_parameters(
            ("path",),
            path=_PATH,
            offset={"type": "integer", "minimum": 0, "description": "Lines to pass over first"},
            limit={"type": "integer", "minimum": 1, "maximum": read.MAX_LINES, "description": "Lines to read"},
        ),
        approval=False,
    ),
    Tool(
        name="search_files",
        description="Find lines that contain a text, as path:line: text. Files that may hold secrets are left out.",
        parameters=_parameters(
            ("pattern",),
            pattern={"type": "string", "minLength": 1, "maxLength": search.MAX_PATTERN},
            path=_FOLDER,
            regex={"type": "boolean", "description": "Take the pattern as a Python regular expression"},
        ),
        approval=False,
    ),
    Tool(
        name="write_file",
        description="Create a text file or replace one as a whole. The person is asked first.",
        parameters=_parameters(
            ("path", "content"),
            path=_PATH,
            content={"type": "string", "description": "The whole new content"},
        ),
        approval=True,
    ),
    Tool(
        name="run_command",
        description="Run a shell command in the chat's folder, without input, ending all it started. "
        "The person is asked first.",
        parameters=_parameters(
            ("command",),
            command={"type": "string", "minLength": 1, "maxLength": command.MAX_COMMAND},
            timeout={"type": "integer", "minimum": 1, "maximum": 600, "description": "Seconds, 120 by default"},
        ),
        approval=True,
    ),
)
"""All tools, in the order in which a model is told of them."""


def needs_approval(tool: str, arguments: Arguments) -> str | None:
    """Say why a person has to agree to this call first; None when nobody has to.

    Raises FolderRefused, for the model to read, when the call can never run: then nobody need be asked.
    """
    checked = _checked(tool, arguments)
    if tool == "run_command":
        return "Runs a command."
    parts = parts_of(checked.get("path", "."))
    if tool == "write_file":
        who = runs_later(parts)
        return f"Writes {name_of(parts)}" + (f"; {who} later." if who else ".")
    if tool == "read_file" and holds_secrets(parts):
        return f"Reads {name_of(parts)}, which may hold secrets."
    return None


async def execute(
    folder: Folder, tool: str, arguments: Arguments, *, confinement: Confinement, approved: bool = False
) -> str:
    """Do what a model asked for and return the text that it reads.

    Raises FolderRefused, whose message the model may read, and ApprovalRefused when a person had to agree and
    did not: `approved` stands for this very call and these very arguments.
    """
    reason = needs_approval(tool, arguments)
    if reason is not None and not approved:
        raise ApprovalRefused(f"Nobody approved this call. {reason}")
    checked = _checked(tool, arguments)
    if tool == "run_command":
        limit = timedelta(seconds=checked.get("timeout", command.LIMIT.total_seconds()))
        return str(await command.run_command(folder, checked["command"], confinement=confinement, limit=limit))
    return await asyncio.to_thread(_FILE_TOOLS[tool], folder, **checked)


def scope(tool: str, arguments: Arguments) -> str:
    """Name the calls that "Allow in this chat" covers: the same tool on the same path, or exactly the same command.

    Raises FolderRefused when the call can never run.
    """
    checked = _checked(tool, arguments)
    what = checked["command"] if tool == "run_command" else "/".join(parts_of(checked.get("path", ".")))
    return f"{tool} {what}"


def _write(folder: Folder, path: str, content: str) -> str:
    written = write.write_file(folder, path, content)
    return f"{'Created' if written.created else 'Replaced'} {written.path} ({written.size} bytes)."


_FILE_TOOLS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "list_files": walk.list_files,
        "read_file": read.read_file,
        "search_files": search.search_files,
        "write_file": _write,
    }
)
_TYPES: Mapping[str, type] = MappingProxyType({"string": str, "integer": int, "boolean": bool})


def _checked(name: str, arguments: Arguments) -> Arguments:
    """Hold arguments against the tool's schema: a model may send anything."""
    tool = next((tool for tool in TOOLS if tool.name == name), None)
    if tool is None:
        raise FolderRefused(f"There is no tool named {name}")
    properties = tool.parameters["properties"]
    for key in tool.parameters["required"]:
        if key not in arguments:
            raise FolderRefused(f"{name} needs `{key}`")
    for key, value in arguments.items():
        if key not in properties:
            raise FolderRefused(f"{name} takes {', '.join(properties)}, not `{key}`")
        _check(f"{name}: `{key}`", value, properties[key])
    return arguments


def _check(what: str, value: object, schema: Mapping[str, Any]) -> None:
    # Not `isinstance`: in Python, True is an integer.
    if type(value) is not _TYPES[schema["type"]]:
        raise FolderRefused(f"{what} has to be of type {schema['type']}")
    if isinstance(value, str):
        _bounded(what, len(value), schema.get("minLength", 0), schema.get("maxLength"))
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise FolderRefused(f"{what} has half of a surrogate pair, which UTF-8 cannot hold")
    elif isinstance(value, int):
        _bounded(what, value, schema.get("minimum", 0), schema.get("maximum"))


def _bounded(what: str, size: int, low: int, high: int | None) -> None:
    if size < low or (high is not None and size > high):
        raise FolderRefused(f"{what} is out of its bounds, {low} to {high}")
