"""What a request that went wrong is answered with: JSON for programs, a note on the page, or a page of its own."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from doorkey import errors
from doorkey.errors import DoorkeyError
from doorkey.service.listing import error_json
from doorkey.web.views import is_htmx, page, part

# By class, the narrowest first found wins. 409 for a needed sign-in: 401 would mean our own door to a browser.
STATUSES: Mapping[type[DoorkeyError], int] = {
    errors.SignInNeeded: 409,
    errors.SignInFailed: 422,
    errors.ReplyRejected: 422,
    errors.ConsentNeeded: 403,
    errors.PolicyRefused: 403,
    errors.BundleRejected: 422,
    errors.ImportRejected: 422,
    errors.ApprovalRefused: 409,
    errors.UsageLimitReached: 429,
    errors.Temporary: 503,
    errors.UnknownName: 404,
    errors.Misconfigured: 422,
    errors.StorageFull: 507,
    errors.VaultError: 500,
    errors.FolderRefused: 422,
    errors.Refused: 403,
}


def status_of(error: DoorkeyError) -> int:
    """Return the HTTP status for an error."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)


def refuse(asked: HTTPConnection, error: DoorkeyError, status: int | None = None) -> Response:
    """Answer with an error, in the form that the caller can read."""
    code = status or status_of(error)
    if asked.scope["path"].startswith("/api/"):
        answer: Response = JSONResponse(error_json(error), code)
    elif is_htmx(asked):
        answer = part("parts/toast.html", code, message=str(error), hint=error.hint, tone="bad")
    else:
        answer = page(asked, "pages/refused.html", code, error=error, status=code)
    if isinstance(error, errors.Temporary) and error.retry_after is not None:
        answer.headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return answer


async def on_doorkey_error(request: Request, error: Exception) -> Response:
    """Answer a request that one of our errors ended."""
    assert isinstance(error, DoorkeyError)  # noqa: S101 - registered for this class only
    return refuse(request, error)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer a request for which there is no route, or whose body cannot be read."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    known = errors.UnknownName if error.status_code == 404 else errors.RequestRefused
    hint = "Go back to the chats." if error.status_code == 404 else "Check the request."
    return refuse(request, known(_sentence(error), hint=hint), error.status_code)


async def on_crash(request: Request, _: Exception) -> Response:
    """Answer a request that met a mistake of ours, without repeating what it says; the server logs it."""
    return refuse(request, DoorkeyError("Something went wrong inside Doorkey."))


def _sentence(error: HTTPException) -> str:
    return "There is nothing at this address." if error.status_code == 404 else str(error.detail)
