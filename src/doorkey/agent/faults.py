"""What ended a run: every error of the SDKs between us and a provider, told as one of ours."""

import json
import logging
from datetime import datetime

from doorkey.domain.causes import causes_of
from doorkey.errors import DoorkeyError, ProviderUnavailable, Temporary
from doorkey.providers.refusals import in_stream, refusal

logger = logging.getLogger(__name__)


def fault(error: Exception, now: datetime) -> DoorkeyError:
    """Find our own error in an exception, or say what it comes to.

    What nobody foresaw is logged by its class name alone: its text may hold anything.
    """
    causes = list(causes_of(error))
    ours = next((cause for cause in causes if isinstance(cause, DoorkeyError)), None)
    told = ours or next(filter(None, (_theirs(cause, now) for cause in causes)), None)
    if told is None:
        logger.error("A run ended with %s", " from ".join(type(cause).__name__ for cause in causes))
        return DoorkeyError("Something unexpected happened; the program's log names it.")
    return told


def _theirs(error: BaseException, now: datetime) -> DoorkeyError | None:
    import httpx2
    from pydantic_ai import exceptions

    match error:
        case exceptions.ModelHTTPError():
            body = error.body if isinstance(error.body, bytes | str) else json.dumps(error.body, default=str)
            raw = body if isinstance(body, bytes) else body.encode()
            return refusal(error.status_code, error.headers or {}, raw, now=now)
        case exceptions.ModelAPIError(in_stream=True):
            told = {"code": error.provider_error_code or error.provider_error_type, "message": error.message}
            return in_stream(told, now=now)
        case exceptions.ModelAPIError() | httpx2.TransportError():
            return ProviderUnavailable("The provider did not answer to the end.")
        case exceptions.UsageLimitExceeded():
            return Temporary("The answer took too many steps and was ended.", hint="Send a message to let it go on.")
        case exceptions.UnexpectedModelBehavior():
            return ProviderUnavailable("The model's answer could not be used.", hint="Try again, or another model.")
        case _:
            return None
