"""What PostgreSQL's failures mean in our words; nowhere else are they read, and none of its texts is passed on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg

from doorkey.errors import DoorkeyError, StorageFull, StoreBusy, UnknownName, VaultDamaged

UNREACHABLE_HINT = "Check that PostgreSQL runs and that DOORKEY_DATABASE_URL is right, then try again."

_BUSY = ["40001", "40P01", "55006", "55P03", "57014"]
_UNWRITABLE = ["25006", "42501"]
_FULL = ["53100", "58030"]
_NOT_OURS = ["3F000", "42P01", "42703"]
# By the first two characters, PostgreSQL's "class" (its manual, appendix A).
_CLASSES: Mapping[str, str] = {
    "08": "unreachable",
    "25": "busy",
    "28": "unreachable",
    "3D": "unreachable",
    "53": "busy",
    "57": "unreachable",
    "58": "full",
    "XX": "damaged",
}


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreBusy, StorageFull, VaultDamaged or UnknownName for what PostgreSQL says; others are our own bugs."""
    try:
        yield
    except psycopg.Error as error:
        meant = _meaning(error)
        if meant is None:
            raise
        raise meant from error


def unreachable() -> StoreBusy:
    """Make the error for a database that gives no answer."""
    return StoreBusy("The database cannot be reached.", hint=UNREACHABLE_HINT)


def _meaning(error: psycopg.Error) -> DoorkeyError | None:
    code = error.sqlstate
    if code is None:
        # The driver's own: no connection, or one that was lost.
        return unreachable() if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) else None
    if code == "23503":
        return UnknownName("What this belongs to does not exist any more.")
    if code in _UNWRITABLE:
        return StorageFull("The database may not be written by this user.", hint="Grant it, or name another user.")
    return _of_kind(_kind(code))


def _kind(code: str) -> str | None:
    named = (("busy", _BUSY), ("full", _FULL), ("damaged", _NOT_OURS))
    return next((kind for kind, codes in named if code in codes), _CLASSES.get(code[:2]))


def _of_kind(kind: str | None) -> DoorkeyError | None:
    match kind:
        case "unreachable":
            return unreachable()
        case "busy":
            return StoreBusy("The database is held by others for too long.", hint="Try again in a moment.")
        case "full":
            return StorageFull("The database's disk is full, or failed while writing.")
        case "damaged":
            return VaultDamaged("The database is damaged, or does not hold what Doorkey keeps there.")
        case _:
            return None
