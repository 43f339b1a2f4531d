"""Whatever a client sends to a model, the server has an answer that is no accident."""

from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.visitor import Visitor

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["user", "tool", "function", "hi"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "type", "name",
        "function", "parameters", "properties", "output", "text", "input_schema"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
FIELDS = ("input", "messages", "tools", "instructions", "system", "stream", "stream_options", "max_tokens")
BODIES = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5)


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions", "/v1/messages"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=BODIES)
async def test_no_body_breaks_the_server(visitor: Visitor, path: str, body: dict[str, Any]):
    key = visitor.sandbox.make_key()
    transport = httpx2.ASGITransport(visitor.sandbox.app)
    headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}

    async with httpx2.AsyncClient(transport=transport, base_url=visitor.sandbox.base_url) as http:
        answer = await http.post(path, json={"model": "practice-small", **body}, headers=headers)

    assert answer.status_code in {200, 400}
