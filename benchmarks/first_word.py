"""Measure what the page adds to a stream: from the model's first byte to the first painted word, 20 chats at once.

The model server stamps its first word with the time at which it wrote it. Twenty raw readers take that word off the
wire; then twenty chats ask through the app, each again and again at its own times. Nineteen of them are read as a
page reads them, and one is a page in Chromium, which notes when it had painted the word: twenty browsers on one
machine would measure the browsers.
"""

import asyncio
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from playwright.async_api import Page, async_playwright

CHATS = 20
ROUNDS = 12
ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = os.environ.get("DOORKEY_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
]
WATCH = """
window.painted = new Promise(done => {
  const look = () => {
    const stamps = document.body ? document.body.innerText.match(/stamp-(\\d+\\.\\d+)/g) : null;
    if (!stamps || stamps.length <= (window.seen || 0)) return;
    observer.disconnect();
    const written = Number(stamps[stamps.length - 1].slice(6));
    requestAnimationFrame(() => setTimeout(() => done((performance.timeOrigin + performance.now()) / 1000 - written)));
  };
  const observer = new MutationObserver(look);
  observer.observe(document, {subtree: true, childList: true, characterData: true});
});
"""
CONFIG = """
[providers.clock]
name = "Clock"
[providers.clock.api]
base_url = "{base}/v1"
dialect = "openai-chat"
[providers.clock.methods.none]
kind = "none"
"""
ASK = {"model": "clock", "stream": True, "messages": [{"role": "user", "content": "go"}]}


async def main() -> None:
    """Print the 95th percentiles of both, and what lies between them."""
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.clock"], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert server.stdout is not None
    base = server.stdout.readline().strip()
    try:
        raw = list(chain(*await asyncio.gather(*(at_own_times(partial(raw_word, base)) for _ in range(CHATS)))))
        read, painted = await through_the_page(base)
    finally:
        server.terminate()
    wire = p95(raw)
    for name, delays in (("read by a page", read), ("painted by Chromium", painted)):
        print(f"{name:20} p95 {p95(delays):4.0f} ms of {len(delays)}, {p95(delays) - wire:+.0f} ms on the raw stream")
    print(f"{'raw stream':20} p95 {wire:4.0f} ms ({CHATS} chats at once; wanted: at most 50 ms more)")


async def at_own_times(ask: Callable[[], Awaitable[float]]) -> list[float]:
    """Ask again and again, with pauses of its own, and return every delay (ms)."""
    delays = []
    for _ in range(ROUNDS):
        await asyncio.sleep(random.uniform(0, 1))
        delays.append(await ask())
    return delays


async def raw_word(base: str) -> float:
    """Read the first word off the wire and return how old it was (ms)."""
    async with httpx2.AsyncClient(timeout=60) as client:
        return await first_stamp(client, "POST", f"{base}/v1/chat/completions", json=ASK)


async def through_the_page(base: str) -> tuple[list[float], list[float]]:
    """Let 20 chats ask at once, round after round; return the ages of the first word, as read and as painted (ms)."""
    with TemporaryDirectory() as home:
        (Path(home) / "config.toml").write_text(CONFIG.format(base=base))
        environ = os.environ | {"DOORKEY_HOME": home}
        doorkey = [sys.executable, "-m", "doorkey"]
        subprocess.run([*doorkey, "login", "clock"], check=True, env=environ, stderr=subprocess.DEVNULL)
        app = subprocess.Popen(
            [*doorkey, "open", "--no-browser"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environ,
        )
        assert app.stdout is not None
        address = app.stdout.readline().strip()
        # A second start finds the app that runs, and opens another session on it.
        again = subprocess.check_output([*doorkey, "open", "--no-browser"], env=environ, text=True).strip()
        try:
            async with async_playwright() as playwright, reader(again) as client:
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                page = await (await browser.new_context()).new_page()
                await page.goto(address)
                await page.get_by_label("Message").wait_for()
                chats = [await new_chat(client) for _ in range(CHATS - 1)]
                await painted_word(page)
                painted, *read = await asyncio.gather(
                    at_own_times(lambda: painted_word(page)),
                    *(at_own_times(partial(read_word, client, chat)) for chat in chats),
                )
                await browser.close()
            return list(chain(*read)), painted
        finally:
            app.terminate()
            app.wait()


@asynccontextmanager
async def reader(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a session as a page does: the cookie from the launch address, the key from its fragment."""
    launch, _, key = address.partition("#key=")
    origin = launch.partition("/launch")[0]
    headers = {"origin": origin, "sec-fetch-site": "same-origin", "x-doorkey-key": key, "hx-request": "true"}
    async with httpx2.AsyncClient(base_url=origin, headers=headers, timeout=60) as client:
        (await client.get(launch)).raise_for_status()
        yield client


async def new_chat(client: httpx2.AsyncClient) -> str:
    """Start a chat, wait until its first answer has ended, and return its path."""
    answer = await client.post("/chats", json={"prompt": "go", "model": "clock:clock"})
    chat = answer.raise_for_status().headers["hx-redirect"]
    page = (await client.get(chat)).text
    for run in set(re.findall(r"/runs/(run_\w+)/stream", page)):
        await client.get(f"/runs/{run}/stream")
    return str(chat)


async def read_word(client: httpx2.AsyncClient, chat: str) -> float:
    """Ask in a chat, follow the stream as the page does, and return how old the first word was (ms)."""
    turn = (await client.post(f"{chat}/messages", json={"prompt": "go"})).raise_for_status().text
    run = re.search(r"/runs/(run_\w+)/stream", turn)
    assert run is not None
    return await first_stamp(client, "GET", f"/runs/{run[1]}/stream")


async def first_stamp(client: httpx2.AsyncClient, method: str, url: str, **options: Any) -> float:
    """Read a stream to its end and return how old its stamp was when it came (ms)."""
    age = None
    async with client.stream(method, url, **options) as answer:
        async for line in answer.aiter_lines():
            found = re.search(r"stamp-(\d+\.\d+)", line)
            if found and age is None:
                age = (time.time() - float(found[1])) * 1000
    assert age is not None
    return age


async def painted_word(page: Page) -> float:
    """Ask through the page and return how old the first word was when it was painted (ms)."""
    seen = await ended(page)
    await page.evaluate(f"window.seen = {seen}")
    # A new chat gets a page of its own, so only the rounds after it can be watched from before the question.
    watching = asyncio.ensure_future(page.evaluate(f"{WATCH}; window.painted")) if "/chats/" in page.url else None
    await page.get_by_label("Message").fill("go")
    await page.get_by_label("Message").press("Enter")
    while await ended(page) == seen:
        await asyncio.sleep(0.1)
    return await watching * 1000 if watching else 0.0


async def ended(page: Page) -> int:
    """Count the answers that have come to their end."""
    return await page.get_by_text("the end.").count()


def p95(delays: list[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(delays, n=20)[-1]


if __name__ == "__main__":
    asyncio.run(main())
