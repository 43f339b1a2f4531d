"""How a failure looks: what happened, what to do, and the exit code that scripts rely on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from doorkey import errors
from doorkey.errors import DoorkeyError

if TYPE_CHECKING:
    from doorkey.cli.io import Io

FAILED = 1
USAGE = 2
INTERRUPTED = 130

# The first class that fits decides; everything else has failed.
EXIT_CODES: tuple[tuple[type[DoorkeyError], int], ...] = (
    (errors.StorageFull, FAILED),
    (errors.SignInNeeded, 3),
    (errors.Temporary, 4),
    (errors.ConsentNeeded, 5),
    (errors.PolicyRefused, 5),
    (errors.ApprovalRefused, 5),
    (errors.VaultError, 6),
    (errors.UsageLimitReached, 7),
)


def exit_code(error: DoorkeyError) -> int:
    """Return the exit code of design section 5."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), FAILED)


def tell(io: "Io", message: str, hint: str | None = None) -> None:
    """Tell a person what happened and what to do."""
    from doorkey.cli.io import Style, printable

    io.say(f"{io.paint('error:', Style.BAD)} {printable(message)}")
    if hint:
        io.say(f"{io.paint('hint:', Style.DIM)} {printable(hint)}")


def explain(io: "Io", error: DoorkeyError) -> None:
    """Tell a person about one of our errors, with the time when a limit opens again."""
    hint = error.hint
    if isinstance(error, errors.UsageLimitReached) and error.until:
        from doorkey.service.dates import clock

        hint += f" It opens again on {clock(error.until)}."
    tell(io, str(error), hint)


def of_code(code: str, message: str, hint: str | None) -> DoorkeyError:
    """Make the error again that a run was stored with."""
    kind = next((kind for kind in _family(DoorkeyError) if kind.code == code), DoorkeyError)
    return kind(message, hint=hint)


def _family(kind: type[DoorkeyError]) -> Iterator[type[DoorkeyError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)
