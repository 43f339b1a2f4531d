"""Asking ports of this machine who is there: plain pages, side by side, with nothing of ours in the question."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import urlsplit

LONGEST_ANSWER = 1024 * 1024


def knock(urls: Sequence[str], within: timedelta) -> Mapping[str, bytes]:
    """Fill `ports.Knock`; whoever is late is left behind in a thread that ends by itself."""
    heard: SimpleQueue[tuple[str, bytes | None]] = SimpleQueue()
    for url in urls:
        Thread(target=_ask, args=(url, within, heard), name="doorkey-knock", daemon=True).start()
    end = time.monotonic() + within.total_seconds()
    answers: dict[str, bytes] = {}
    for _ in urls:
        try:
            url, body = heard.get(timeout=max(end - time.monotonic(), 0))
        except Empty:
            break
        if body is not None:
            answers[url] = body
    return answers


def _ask(url: str, within: timedelta, heard: "SimpleQueue[tuple[str, bytes | None]]") -> None:
    from http.client import HTTPException

    body: bytes | None = None
    with suppress(OSError, HTTPException, ValueError):
        body = _fetched(url, within)
    heard.put((url, body))


def _fetched(url: str, within: timedelta) -> bytes | None:
    from http.client import HTTPConnection

    parts = urlsplit(url)
    with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=within.total_seconds())) as connection:
        connection.request("GET", parts.path, headers={"Accept": "application/json", "User-Agent": "doorkey"})
        answer = connection.getresponse()
        return answer.read(LONGEST_ANSWER) if answer.status == 200 else None
