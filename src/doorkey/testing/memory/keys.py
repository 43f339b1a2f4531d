"""The keys of a vault in memory: the facts of a change, without any key."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable
from doorkey.ports import KeyFacts, KeyRing
from doorkey.testing.values import NOON


@dataclass
class MemoryKeyRing:
    """Fill `ports.KeyRing`; every code but the newest that was shown opens nothing."""

    source: str = "file"
    rows: int = 0
    codes: list[Secret] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def facts(self) -> KeyFacts:
        return KeyFacts(self.source, "Nothing: it is gone with the process.", None, None, NOON if self.codes else None)

    def needs(self, secret: bytes) -> bool:
        return False

    def move(self, source: str, *, code: Secret | None = None, beside: KeyRing | None = None) -> Iterator[None]:
        if code and code not in self.codes:
            raise KeyUnreadable("This recovery code does not open this vault.")
        yield
        self.source = source

    def rotate(self, code: Secret | None = None) -> Iterator[int | Secret]:
        yield from range(self.rows, -1, -1)
        made = code or Secret(f"code-{next(self._numbers)}")
        self.codes.append(made)
        yield made
        self.codes = [made]
