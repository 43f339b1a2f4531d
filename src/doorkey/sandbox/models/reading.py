"""Reading what a client sends: a JSON object, texts in their many wrappings, and the tools."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from doorkey.sandbox.persona import MODELS, Tool
from doorkey.sandbox.refusals import Refusal


async def read_object(request: Request) -> dict[str, Any]:
    """Read a JSON object; raises a Refusal for anything else."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal("invalid_json", "the body must be a JSON object")
    return body


def known_model(body: Mapping[str, Any]) -> str:
    """Give the model that is asked for; 404 `model_not_found` for one that is not there."""
    model = body.get("model")
    if not isinstance(model, str) or model not in MODELS:
        raise Refusal("model_not_found", f"The model {model!r} does not exist.", status=404, param="model")
    return model


def objects(value: Any, name: str) -> list[dict[str, Any]]:
    """Check that a field is a list of objects."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Refusal("invalid_type", f"{name} must be a list of objects", param=name)
    return value


def text_of(content: Any) -> str:
    """Give the text of a string, or of a list of parts that have a `text`."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))


def tool(name: Any, schema: Any) -> Tool:
    """Describe a tool by its name and the parameters of its JSON schema."""
    if not isinstance(name, str) or not name:
        raise Refusal("missing_required_parameter", "a tool has no name", param="tools")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return Tool(name, frozenset(properties if isinstance(properties, dict) else ()))
