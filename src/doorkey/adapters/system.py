"""Time and chance from the operating system."""

import os
import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, span: timedelta) -> None:
        time.sleep(max(span.total_seconds(), 0))


class SystemEntropy:
    """The operating system's random source."""

    def bytes(self, size: int) -> bytes:
        return os.urandom(size)
