"""The tools of a chat's folder as pydantic-ai calls them: a call that needs a person pauses the run instead."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.exceptions import ApprovalRequired, ToolFailed
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset
from pydantic_ai.toolsets.abstract import ToolsetTool
from pydantic_core import SchemaValidator, core_schema

from doorkey.agent.confinement import Confinement
from doorkey.agent.docket import Call
from doorkey.agent.fence import Folder
from doorkey.agent.tools import TOOLS, execute, needs_approval
from doorkey.errors import FolderRefused

RETRIES = 3
"""How often a model may correct a call that is no JSON object, or a tool that is not there."""

# The tools hold arguments against their schema themselves.
_OBJECT = SchemaValidator(core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema()))

Once = Callable[[Call, Callable[[], Awaitable[str]]], Awaitable[str]]
"""Runs an approved call once, or gives the result of the time that it ran."""


class FolderTools(AbstractToolset[None]):
    """The five tools over one folder; `once` runs those calls that a person has agreed to."""

    def __init__(self, folder: Folder, confinement: Confinement, once: Once) -> None:
        self._folder = folder
        self._confinement = confinement
        self._once = once

    @property
    def id(self) -> str:
        """What pydantic-ai tells toolsets apart by."""
        return "folder"

    async def get_tools(self, ctx: RunContext[None]) -> dict[str, ToolsetTool[None]]:
        """Describe the tools; what changes something runs alone and in the model's order."""
        return {
            tool.name: ToolsetTool(
                toolset=self,
                tool_def=ToolDefinition(
                    name=tool.name,
                    description=tool.description,
                    parameters_json_schema=dict(tool.parameters),
                    sequential=tool.approval,
                    strict=False,  # Strict schemas have no optional parameters.
                ),
                max_retries=RETRIES,
                args_validator=_OBJECT,
            )
            for tool in TOOLS
        }

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[None], tool: ToolsetTool[None]
    ) -> str:
        """Do a call, or raise ApprovalRequired; the model reads why one is refused."""
        try:
            question = needs_approval(name, tool_args)
            if question is None:
                return await execute(self._folder, name, tool_args, confinement=self._confinement)
            if not ctx.tool_call_approved:
                raise ApprovalRequired({"note": self._note(name, question)})
            call = Call(id=ctx.tool_call_id or "", tool=name, arguments=tool_args)
            return await self._once(call, lambda: self._approved(name, tool_args))
        except FolderRefused as refusal:
            raise ToolFailed(f"{refusal}. {refusal.hint}") from refusal

    async def _approved(self, name: str, arguments: dict[str, Any]) -> str:
        return await execute(self._folder, name, arguments, confinement=self._confinement, approved=True)

    def _note(self, name: str, question: str) -> str:
        return f"{question} {self._confinement.sentence}".strip() if name == "run_command" else question
