"""Where the shared database is: read from `DOORKEY_DATABASE_URL`, never shown again, encrypted beyond this machine."""

import os
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from doorkey.adapters.store.postgres_pool import Connection
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured


class Address:
    """A PostgreSQL database as its URL names it. Raises Misconfigured for what is no such URL."""

    def __init__(self, url: Secret) -> None:
        try:
            self._given: Mapping[str, Any] = conninfo_to_dict(url.reveal())
        except psycopg.Error:
            # The driver's text may hold a part of the password.
            self._given = {}
        if not self._given:
            raise Misconfigured(
                "DOORKEY_DATABASE_URL does not name a PostgreSQL database.",
                hint="Write it as postgresql://USER@HOST/DATABASE; keep the password in ~/.pgpass or PGPASSWORD.",
            )

    def __repr__(self) -> str:
        return "Address(***)"

    def connect(self, patience: timedelta) -> Connection:
        """Open a connection on which every statement is a transaction; raises what psycopg raises."""
        return psycopg.connect(**self.parameters(patience), autocommit=True, row_factory=dict_row)

    def parameters(self, patience: timedelta) -> dict[str, Any]:
        """Return what the URL says, and what we wish for where it says nothing."""
        seconds = max(2, int(patience.total_seconds()))
        wished: dict[str, Any] = {
            "application_name": "doorkey",
            "connect_timeout": seconds,
            # A network that has gone silent is noticed, instead of waited for.
            "keepalives_idle": 30,
            "tcp_user_timeout": seconds * 2000,
        }
        if self._leaves_this_machine() and "PGSSLMODE" not in os.environ:
            wished["sslmode"] = "require"
        return wished | dict(self._given)

    def is_local(self, reached: psycopg.ConnectionInfo) -> bool:
        """Whether the server that was reached is on this machine: by a socket or over loopback."""
        return _is_socket(reached.host) or _is_loopback(reached.hostaddr)

    def _leaves_this_machine(self) -> bool:
        hosts = str(self._given.get("hostaddr") or self._given.get("host") or "").split(",")
        return any(host and not (_is_socket(host) or host == "localhost" or _is_loopback(host)) for host in hosts)


def _is_socket(host: str) -> bool:
    return host.startswith(("/", "@"))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
