"""The last reading of each account's windows: in the app's database, because the vault's is watched for changes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from doorkey.adapters.store.columns import moment_or_none, stamp, stamp_or_none
from doorkey.adapters.store.database import Database, Row
from doorkey.domain.window import Told, Window

_KEEP = """
INSERT INTO windows (account, name, used_percent, resets_at, source, as_of, is_rate)
VALUES (:account, :name, :used_percent, :resets_at, :source, :as_of, :is_rate)
ON CONFLICT (account, name) DO UPDATE SET used_percent = excluded.used_percent, resets_at = excluded.resets_at,
    source = excluded.source, as_of = excluded.as_of, is_rate = excluded.is_rate
WHERE excluded.as_of >= windows.as_of
"""


class SqlReadings:
    """Fill `ports.Readings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, account: str, windows: Sequence[Window]) -> None:
        with self._database.transaction("windows"):
            for window in windows:
                row = {
                    "account": account,
                    "name": window.name,
                    "used_percent": window.used_percent,
                    "resets_at": stamp_or_none(window.resets_at),
                    "source": window.source.value,
                    "as_of": stamp(window.as_of),
                    "is_rate": window.is_rate,
                }
                self._database.rows(_KEEP, row)

    def all(self) -> Mapping[str, Sequence[Window]]:
        found: dict[str, list[Window]] = defaultdict(list)
        for row in self._database.rows("SELECT * FROM windows ORDER BY account, name"):
            found[row["account"]].append(_window(row))
        return found

    def forget(self, account: str) -> None:
        self._database.rows("DELETE FROM windows WHERE account = ?", (account,))


def _window(row: Row) -> Window:
    return Window(
        name=row["name"],
        used_percent=row["used_percent"],
        resets_at=moment_or_none(row["resets_at"]),
        source=Told(row["source"]),
        as_of=datetime.fromisoformat(row["as_of"]),
        is_rate=bool(row["is_rate"]),
    )
