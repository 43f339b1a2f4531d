"""The right to refresh, as a row: taken over at once from the dead, otherwise when it ends (rule 1)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import token_urlsafe

from doorkey.adapters.store.columns import stamp
from doorkey.adapters.store.database import Database, Row, Value
from doorkey.adapters.store.machine import Machine, Process
from doorkey.flows.steps import Lease

_INSERT = """
INSERT INTO leases (account, owner, ends, taken_at, ends_at, boot, namespace, pid, started)
VALUES (:account, :owner, :ends, :taken_at, :ends_at, :boot, :namespace, :pid, :started)
"""
_EXTEND = "UPDATE leases SET ends = ?, ends_at = ? WHERE account = ? AND owner = ? RETURNING account"

_CORRECTION = timedelta(seconds=10)


class SqlLeases:
    """Fill `ports.Leases`."""

    def __init__(self, database: Database, machine: Machine) -> None:
        self._database = database
        self._machine = machine

    def take(self, account: str, span: timedelta) -> Lease | None:
        if self._held(account):  # Those who wait ask often: they must not queue for the write lock.
            return None
        with self._database.transaction(f"lease {account}"):
            left = self._rows(account)
            if any(map(self._in_force, left)):
                return None
            # What a holder gave back is gone: who left this is dead, or has only run out of time.
            lease = Lease(account, token_urlsafe(16), overtaken=not all(map(self._died, left)))
            self._database.rows("DELETE FROM leases WHERE account = ?", (account,))
            self._insert(lease, span)
        return lease

    def owns(self, lease: Lease, span: timedelta) -> bool:
        sql = "SELECT ends, boot FROM leases WHERE account = ? AND owner = ?"
        rows = self._database.rows(sql, (lease.account, lease.owner))
        # The time is read last: waiting for the database must not count as time that is left.
        here, time = self._machine.this_process().boot, self._machine.uptime()
        return any(row["boot"] == here and row["ends"] - time >= span.total_seconds() for row in rows)

    def extend(self, lease: Lease, span: timedelta) -> bool:
        ends, ends_at = self._machine.uptime() + span.total_seconds(), stamp(self._machine.now() + span)
        return bool(self._database.rows(_EXTEND, (ends, ends_at, lease.account, lease.owner)))

    def release(self, lease: Lease) -> None:
        self._database.rows("DELETE FROM leases WHERE account = ? AND owner = ?", (lease.account, lease.owner))

    def _held(self, account: str) -> bool:
        return any(map(self._in_force, self._rows(account)))

    def _rows(self, account: str) -> Sequence[Row]:
        return self._database.rows("SELECT * FROM leases WHERE account = ?", (account,))

    def _in_force(self, row: Row) -> bool:
        if row["boot"] != self._machine.this_process().boot:
            # The boot clock of another machine means nothing here. A lease from the future is one of a clock set back,
            # unless it was only corrected.
            taken_at, ends_at = (datetime.fromisoformat(row[name]) for name in ("taken_at", "ends_at"))
            now = self._machine.now()
            return taken_at - _CORRECTION <= now < ends_at
        return bool(row["ends"] > self._machine.uptime()) and not self._died(row)

    def _died(self, row: Row) -> bool:
        """Whether the holder has surely ended, which only its own machine and namespace can tell."""
        here = self._machine.this_process()
        holder = Process(boot=row["boot"], namespace=row["namespace"], pid=row["pid"], started=row["started"])
        return (holder.boot, holder.namespace) == (here.boot, here.namespace) and self._machine.is_dead(holder)

    def _insert(self, lease: Lease, span: timedelta) -> None:
        here, now = self._machine.this_process(), self._machine.now()
        row: dict[str, Value] = {
            "account": lease.account,
            "owner": lease.owner,
            "ends": self._machine.uptime() + span.total_seconds(),
            "taken_at": stamp(now),
            "ends_at": stamp(now + span),
            "boot": here.boot,
            "namespace": here.namespace,
            "pid": here.pid,
            "started": here.started,
        }
        self._database.rows(_INSERT, row)
