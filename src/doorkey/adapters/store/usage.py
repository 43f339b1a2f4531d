"""What the answers have used, summed from the runs."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from doorkey.adapters.store.columns import stamp
from doorkey.adapters.store.database import Database
from doorkey.adapters.store.runs import read_served
from doorkey.domain.usage import Usage, summed

EVER = datetime.min.replace(tzinfo=UTC)

# A run that failed before the model was heard has used nothing.
_SELECT = """
SELECT served, tokens_in, tokens_out FROM runs
WHERE started_at >= ? AND served IS NOT NULL AND (state = 'done' OR tokens_in IS NOT NULL)
ORDER BY started_at, id
"""


class SqlLedger:
    """Fill `ports.Ledger`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def usage(self, since: datetime | None = None) -> Sequence[Usage]:
        rows = self._database.rows(_SELECT, (stamp(since or EVER),))
        return summed(
            Usage.of(read_served(json.loads(row["served"])), row["tokens_in"] or 0, row["tokens_out"] or 0)
            for row in rows
        )
