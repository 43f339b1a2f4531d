"""A request that is not served, and the words for it in each dialect."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse


class Refusal(Exception):
    """Stop serving a request: an error code, a sentence, and what the dialects add to it."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        detail: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.detail = detail
        self.param = param
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


def oauth(refusal: Refusal) -> JSONResponse:
    """Answer as RFC 6749, 5.2; `error_code` tells why a grant is invalid."""
    body = {"error": refusal.code, "error_description": refusal.message}
    if refusal.detail:
        body["error_code"] = refusal.detail
    return JSONResponse(body, refusal.status, refusal.headers)


def oauth_plan(refusal: Refusal) -> JSONResponse:
    """Answer as Sign in with ChatGPT: the reason itself is the error code (protocols 1.6)."""
    body = {"error": refusal.detail or refusal.code, "error_description": refusal.message}
    return JSONResponse(body, refusal.status, refusal.headers)


def oauth_codex(refusal: Refusal) -> JSONResponse:
    """Answer as Codex's server: a nested error, and 401 for a dead refresh token (protocols 2.2)."""
    status = 401 if refusal.detail else refusal.status
    error = {"code": refusal.detail or refusal.code, "message": refusal.message}
    return JSONResponse({"error": error}, status, refusal.headers)


def openai(refusal: Refusal) -> JSONResponse:
    """Answer as OpenAI's API does."""
    kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    error = {"message": refusal.message, "type": kind, "param": refusal.param, "code": refusal.code, **refusal.extra}
    return JSONResponse({"error": error}, refusal.status, refusal.headers)


def codex(refusal: Refusal) -> JSONResponse:
    """Answer as Codex's backend: a 400 is one `detail` line (protocols 2.7)."""
    if refusal.status == 400:
        return JSONResponse({"detail": refusal.message}, 400, refusal.headers)
    return openai(refusal)


_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def anthropic(refusal: Refusal) -> JSONResponse:
    """Answer as Anthropic's API does."""
    kind = _ANTHROPIC_TYPES.get(refusal.status, "api_error")
    error = {"type": kind, "message": refusal.message, **refusal.extra}
    return JSONResponse({"type": "error", "error": error}, refusal.status, refusal.headers)
