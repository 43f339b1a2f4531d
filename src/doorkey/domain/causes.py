"""What lies beneath an error: libraries wrap the one that matters in others, and in groups."""

from collections.abc import Iterator


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Walk from an error to what it was raised from or beside, the outermost first and each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
        waiting += [found for found in (*inner, cause.__cause__, cause.__context__) if found is not None]
