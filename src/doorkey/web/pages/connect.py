"""The one sign-in dialog: the browser link, the waiting listener and the paste field at once (rule 10)."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from starlette.responses import Response

from doorkey.domain.account import Account
from doorkey.domain.attempt import Status
from doorkey.domain.provider import Method, Provider
from doorkey.domain.secret import Secret
from doorkey.errors import ConsentNeeded, DoorkeyError, ReplyRejected, SignInFailed, UnknownName
from doorkey.service.consents import for_method
from doorkey.service.device import has_both_ways
from doorkey.service.keys import is_plausible_key
from doorkey.service.listing import error_json, sign_in_json
from doorkey.service.sign_in import SignIn
from doorkey.service.ways import WITHOUT_BROWSER, offered
from doorkey.web.calls import Call
from doorkey.web.replies import status_of
from doorkey.web.views import part

DONE = {"HX-Trigger": "accounts-changed,dialog-done"}


def connect(call: Call) -> Response:
    """Start signing in the way that was chosen, by default the provider's first; the dialog shows what comes next."""
    _give_up(call, call.text("previous"))
    provider = call.desk.services.catalog.provider(call.path("provider"))
    account = call.desk.services.book.find(name) if (name := call.text("account")) else None
    method = _method(provider, call.text("method") or (account.method if account else None))
    if call.text("agree"):
        call.desk.services.consents.record(for_method(provider.id, method.id))
    if method.kind in WITHOUT_BROWSER and not _must_agree(call, provider, method):
        return _dialog(call, provider, method, account)
    try:
        sign_in = call.desk.services.sign_ins.start(provider.id, method.id, account=account, device=call.flag("device"))
    except DoorkeyError as error:
        return _dialog(call, provider, method, account, error=error)
    return _dialog(call, provider, method, account, sign_in=sign_in)


def watch(call: Call) -> Response:
    """Say nothing while the sign-in waits; close the dialog, or show why it failed."""
    sign_in = call.desk.services.sign_ins.find(call.path("id"))
    if sign_in.account:
        return _signed_in(sign_in.account)
    if not sign_in.over.is_set():
        return Response(status_code=204)
    return _ended(call, sign_in)


def reply(call: Call) -> Response:
    """Take a pasted reply; one that does not belong here is said so in place, and the sign-in goes on."""
    sign_in = call.desk.services.sign_ins.find(call.path("id"))
    try:
        account = call.desk.services.sign_ins.reply(sign_in.id, call.text("text") or "")
    except ReplyRejected as error:
        return part("parts/problem.html", status_of(error), error=error_json(error))
    except DoorkeyError:
        return _ended(call, sign_in)
    return _signed_in(account)


def try_again(call: Call) -> Response:
    """Repeat only an exchange that got no answer."""
    return _go_on(call, call.desk.services.sign_ins.try_again)


def keep_other(call: Call) -> Response:
    """Keep who signed in instead of the account that was to be reconnected, as another account."""
    return _go_on(call, call.desk.services.sign_ins.keep_other)


def cancel(call: Call) -> Response:
    """End a sign-in and free its port."""
    _give_up(call, call.path("id"))
    return Response(status_code=204)


def keep_key(call: Call) -> Response:
    """Keep a key; it is never shown again. One that the provider refuses may be kept all the same."""
    key = call.text("key")
    try:
        account = call.desk.services.keys.keep(
            call.path("provider"),
            call.text("method"),
            Secret(key) if key else None,
            name=call.text("name"),
            check=not call.flag("no_check"),
        )
    except DoorkeyError as error:
        refused = isinstance(error, SignInFailed) and is_plausible_key(key or "")
        return part("parts/key_problem.html", status_of(error), error=error_json(error), refused=refused)
    return _signed_in(account)


def consent(call: Call) -> Response:
    """Record a yes."""
    call.desk.services.consents.record(call.need("name"))
    return Response(status_code=204, headers={"HX-Trigger": "accounts-changed"})


def _method(provider: Provider, wanted: str | None) -> Method:
    method = provider.method(wanted) if wanted else next(iter(offered(provider)), None)
    if method is None:
        raise UnknownName(f"{provider.name} has no way to sign in that is switched on.")
    return method


def _must_agree(call: Call, provider: Provider, method: Method) -> bool:
    return method.policy.needs_consent and not call.desk.services.consents.given(for_method(provider.id, method.id))


def _give_up(call: Call, sign_in_id: str | None) -> None:
    with suppress(UnknownName):
        if sign_in_id:
            call.desk.services.sign_ins.cancel(sign_in_id)


def _dialog(
    call: Call,
    provider: Provider,
    method: Method,
    account: Account | None,
    *,
    sign_in: SignIn | None = None,
    error: DoorkeyError | None = None,
) -> Response:
    listing = call.desk.services.listing
    must_agree = isinstance(error, ConsentNeeded) and error.consent is not None
    values: Mapping[str, Any] = {
        "provider": provider,
        "method": listing.method(provider, method),
        "ways": [listing.method(provider, way) for way in offered(provider)],
        "account": account,
        "adding": bool(call.desk.services.book.of(provider.id)),
        "both_ways": bool(sign_in and has_both_ways(sign_in.plan.method)),
        "sign_in": sign_in_json(sign_in, listing) if sign_in else None,
        "must_agree": must_agree,
        "error": None if error is None or must_agree else error_json(error),
    }
    return part("parts/connect.html", **values)


def _go_on(call: Call, rest: Callable[[str], Account]) -> Response:
    sign_in = call.desk.services.sign_ins.find(call.path("id"))
    try:
        return _signed_in(rest(sign_in.id))
    except DoorkeyError:
        return _ended(call, sign_in)


def _ended(call: Call, sign_in: SignIn) -> Response:
    provider = call.desk.services.catalog.provider(sign_in.plan.provider)
    cancelled = sign_in.state is Status.CANCELLED
    answer = _dialog(call, provider, sign_in.plan.method, sign_in.plan.account, sign_in=sign_in, error=sign_in.failure)
    answer.headers["HX-Retarget"] = "#dialog-body"
    answer.headers["HX-Reswap"] = "none" if cancelled else "innerHTML"
    return answer


def _signed_in(account: Account) -> Response:
    return part("parts/toast.html", headers=DONE, message=f"Signed in as {account.label}", hint="", tone="good")
