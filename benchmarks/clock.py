"""A model server that stamps its first word with the time at which it wrote it."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

WORDS = 40
PACE = 0.02


async def models(_: Request) -> JSONResponse:
    """List the one model."""
    return JSONResponse({"object": "list", "data": [{"id": "clock", "object": "model"}]})


async def completions(request: Request) -> StreamingResponse:
    """Stream forty words, the first of which says when it was written."""
    await request.json()
    return StreamingResponse(_words(), media_type="text/event-stream")


async def _words() -> AsyncIterator[str]:
    await asyncio.sleep(0.2)
    yield _chunk({"role": "assistant", "content": f"stamp-{time.time():.6f} "})
    for number in range(WORDS):
        await asyncio.sleep(PACE)
        yield _chunk({"content": f"word {number} "})
    yield _chunk({"content": "the end."})
    yield _chunk({}, finish="stop")
    yield "data: [DONE]\n\n"


def _chunk(delta: dict[str, str], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "clock", "choices": [choice]}
    return f"data: {json.dumps(body)}\n\n"


def main() -> None:
    """Serve on a free port and print the address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    app = Starlette(routes=[Route("/v1/models", models), Route("/v1/chat/completions", completions, methods=["POST"])])
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run([listening])


if __name__ == "__main__":
    main()
