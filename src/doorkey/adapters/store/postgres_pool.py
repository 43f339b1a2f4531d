"""A few connections, each lent to one thread at a time; one that was lost is replaced by the next call."""

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import BoundedSemaphore, Lock
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from doorkey.errors import StoreBusy

SIZE = 4
"""The most connections of one process to one schema; every use of one is short."""

Connection = psycopg.Connection[dict[str, Any]]


class Pool:
    """Connections that are made when they are needed. `patience` is how long a free one is waited for."""

    def __init__(self, connect: Callable[[], Connection], patience: timedelta) -> None:
        self._connect = connect
        self._patience = patience
        self._places = BoundedSemaphore(SIZE)
        self._lock = Lock()
        self._idle: list[Connection] = []
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """Lend a connection that stood a moment ago; what fails on it is the borrower's to raise.

        Nothing is sent again here: whether a lost statement was done, only its reader can find out.
        """
        if not self._places.acquire(timeout=self._patience.total_seconds()):
            raise StoreBusy("Every connection to the database is in use.", hint="Try again in a moment.")
        try:
            connection = self._take() or self._connect()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._places.release()

    def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> Connection | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not _has_ended(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            sound = not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE
            if sound and not self._closed:
                self._idle.append(connection)
                return
        connection.close()


def _has_ended(connection: Connection) -> bool:
    """Whether the server has gone: on an idle connection it says nothing, except that this is the end."""
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))
