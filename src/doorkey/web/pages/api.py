"""The JSON interface: provider status, sign-ins, keys and accounts; no route returns a token (rule 6)."""

from starlette.responses import JSONResponse, Response

from doorkey.domain.secret import Secret
from doorkey.service.listing import error_json, sign_in_json
from doorkey.web.calls import Call


def providers(call: Call) -> Response:
    """List providers with their methods, policies and accounts."""
    services = call.desk.services
    return JSONResponse({"providers": services.listing.providers(services.neighbours.running())})


def accounts(call: Call) -> Response:
    """List every account, and the keys from the environment."""
    return JSONResponse({"accounts": call.desk.services.listing.accounts()})


def usage(call: Call) -> Response:
    """List how much of each account is used, after asking providers where that is due: somebody looks."""
    services = call.desk.services
    services.meters.look_at_all()
    return JSONResponse({"accounts": services.listing.windows(services.meters.known())})


def start_sign_in(call: Call) -> Response:
    """Start a sign-in; `account` names the one that is signed in again."""
    services = call.desk.services
    account = services.book.find(name) if (name := call.text("account")) else None
    method = call.text("method") or (account.method if account else None)
    sign_in = services.sign_ins.start(
        call.need("provider"), method, account=account, name=call.text("name"), device=call.flag("device")
    )
    return JSONResponse(sign_in_json(sign_in, services.listing), 201)


def show_sign_in(call: Call) -> Response:
    """Say how a sign-in stands."""
    sign_in = call.desk.services.sign_ins.find(call.path("id"))
    return JSONResponse(sign_in_json(sign_in, call.desk.services.listing))


def reply(call: Call) -> Response:
    """Take a pasted reply; a wrong one is 422, and the sign-in goes on."""
    call.desk.services.sign_ins.reply(call.path("id"), call.need("text"))
    return show_sign_in(call)


def try_again(call: Call) -> Response:
    """Repeat only an exchange that got no answer."""
    call.desk.services.sign_ins.try_again(call.path("id"))
    return show_sign_in(call)


def keep_other(call: Call) -> Response:
    """Keep who signed in instead of the account that was to be reconnected, as another account."""
    call.desk.services.sign_ins.keep_other(call.path("id"))
    return show_sign_in(call)


def cancel_sign_in(call: Call) -> Response:
    """End a sign-in and free its port."""
    call.desk.services.sign_ins.cancel(call.path("id"))
    return Response(status_code=204)


def keep_key(call: Call) -> Response:
    """Keep an API key, or an account without one for a server that wants none."""
    services = call.desk.services
    key = call.text("key")
    account = services.keys.keep(
        call.need("provider"),
        call.text("method"),
        Secret(key) if key else None,
        name=call.text("name"),
        check=not call.flag("no_check"),
    )
    return JSONResponse(services.listing.account(account), 201)


def make_default(call: Call) -> Response:
    """Let an account serve its provider when none is asked for."""
    services = call.desk.services
    account = services.book.find(call.path("id"))
    services.book.use(account)
    return JSONResponse(services.listing.account(account))


def rename(call: Call) -> Response:
    """Give an account another name."""
    services = call.desk.services
    account = services.book.find(call.path("id"))
    services.book.rename(account, call.need("name"))
    return JSONResponse(services.listing.account(services.book.find(account.id)))


def disconnect(call: Call) -> Response:
    """Forget an account here, and revoke it where `?revoke=true` asks for that."""
    book = call.desk.services.book
    farewell = book.leave(book.find(call.path("id")), revoke_too=call.query("revoke") == "true")
    if farewell.unconfirmed is None:
        return Response(status_code=204)
    return JSONResponse({"revoked": False, **error_json(farewell.unconfirmed)})


def record_consent(call: Call) -> Response:
    """Record a yes under the name that `consent_needed` told."""
    call.desk.services.consents.record(call.need("name"))
    return Response(status_code=204)
