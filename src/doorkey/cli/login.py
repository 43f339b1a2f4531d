"""`doorkey login`: sign in through the browser, by a pasted reply, with a code on another device, or with a key."""

from dataclasses import dataclass, replace
from typing import Any

import click

from doorkey.cli.device import await_decision, open_page, show_code
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.reply import await_account
from doorkey.cli.shell import House, Shell, usage, with_consent
from doorkey.domain.account import Account
from doorkey.domain.attempt import OPEN
from doorkey.domain.provider import Kind, Method, Provider
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError, SignInFailed, UnknownName
from doorkey.service.accounts import as_name, name_taken
from doorkey.service.consents import for_method
from doorkey.service.device import may_have_code, needs_code
from doorkey.service.sign_in import SignIn
from doorkey.service.ways import WITHOUT_BROWSER, first_choice, offered

HOW = {
    Kind.AUTHORIZATION_CODE: "browser, or --paste",
    Kind.DEVICE_CODE: "a code on another device",
    Kind.API_KEY: "key",
    Kind.PROFILE: "the vendor's own tool",
    Kind.NONE: "no key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for; `account` is one to reconnect."""

    provider: str
    method: str | None = None
    name: str | None = None
    account: str | None = None
    device: bool = False
    paste: bool = False
    no_browser: bool = False
    no_check: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How this sign-in goes: where, by which method, and as which account if it is a reconnect."""

    provider: Provider
    method: Method
    account: Account | None
    name: str | None


@click.command()
@click.argument("provider")
@click.option("--method", metavar="METHOD", help="The way to sign in; the provider's first by default.")
@click.option("--name", metavar="NAME", help="What to call the account.")
@click.option("--account", metavar="ACCOUNT", help="Sign this account in again.")
@click.option("--device", is_flag=True, help="Sign in with a code on another device.")
@click.option("--paste", is_flag=True, help="Paste the reply here; for another computer's browser.")
@click.option("--no-browser", is_flag=True, help="Only print the address to open.")
@click.option("--no-check", is_flag=True, help="Keep a key without trying it first.")
@click.option("--json", "as_json", is_flag=True, help="Print events, one JSON object a line.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Sign in to PROVIDER.

    A key is asked for hidden, or read from stdin; it is never an argument. `doorkey providers` shows every provider
    and its methods.
    """
    if options["device"] and options["paste"]:
        raise usage("Choose one of --device and --paste.")
    return shell.run(run, Options(**options), describe=failed_event)


def run(options: Options, io: Io, house: House) -> None:
    """Show what the terms say, sign in the way that was chosen, and tell as whom."""
    way = choose_way(options, house)
    if options.device and not may_have_code(way.method):
        raise usage(f"{way.provider.name} {way.method.id} has no device code. {other_ways(way.provider)}")
    if options.paste and needs_code(way.method):
        raise usage(f"{way.provider.name} {way.method.id} shows a code; there is nothing to paste.")
    show_policy(way, io, house)
    here = way.method.kind in WITHOUT_BROWSER
    account = without_browser(way, options, io, house) if here else with_browser(way, options, io, house)
    if options.as_json:
        io.json({"event": "signed_in", "account": house.services.listing.account(account)})
    else:
        io.say(farewell(account))


def choose_way(options: Options, house: House) -> Way:
    """Find provider, method and account. Raises UnknownName, and Misconfigured for a name that cannot be."""
    account = house.services.book.find(options.account) if options.account else None
    if account and account.provider != options.provider:
        raise UnknownName(f"{account.label} is an account at {account.provider}, not at {options.provider}.")
    provider = house.services.catalog.provider(options.provider)
    method_id = options.method or (account.method if account else None)
    method = provider.method(method_id) if method_id else first_choice(provider)
    if method is None:
        raise UnknownName(f"{provider.name} has no method {method_id or 'that is switched on'}.")
    if account and account.method != method.id:
        raise usage(f"{account.label} is signed in by {account.method}, not by {method.id}.")
    way = Way(provider=provider, method=method, account=account, name=account.name if account else None)
    return way if options.name is None else named(way, as_name(options.name), house)


def named(way: Way, name: str, house: House) -> Way:
    """Call the account so; a name that is there already means the account that has it.

    Raises Misconfigured for the name of an account that is signed in otherwise, or that another one is to have.
    """
    namesake = house.services.book.called(name, way.provider.id)
    account = way.account
    if namesake and account is None and namesake.method == way.method.id:
        account = namesake
    if namesake and namesake != account:
        raise name_taken(namesake, name)
    return replace(way, account=account, name=name)


def show_policy(way: Way, io: Io, house: House) -> None:
    """Say what the terms say, before anything is opened; the note itself is left to the question where one follows."""
    policy, asks = way.method.policy, for_method(way.provider.id, way.method.id)
    io.say(io.paint(f"{way.provider.name}: {way.method.name}", Style.BOLD))
    if not policy.needs_consent or house.services.consents.given(asks):
        io.say(policy.note)
    if policy.source:
        io.say(io.paint(f"{policy.verdict}, as read on {policy.read_on} at {policy.source}", Style.DIM))


def without_browser(way: Way, options: Options, io: Io, house: House) -> Account:
    """Keep a key, or what needs none: a server on this computer, or the profile of a vendor's own tool."""
    services = house.services
    key = ask_for_key(way.provider, io) if way.method.kind is Kind.API_KEY else None
    known = way.account.name if way.account else way.name
    account = with_consent(
        io,
        services.consents,
        lambda: services.keys.keep(way.provider.id, way.method.id, key, name=known, check=not options.no_check),
    )
    if key and account.standing.proof is None and not options.no_check:
        io.say(f"{way.provider.name} could not be asked about the key just now; it is kept as it is.")
    if way.name and way.name != account.name:
        services.book.rename(account, way.name)
    return services.book.one(account.id) or account


def ask_for_key(provider: Provider, io: Io) -> Secret:
    """Ask on the terminal without showing it, else take the first line of stdin."""
    key = io.typed_hidden(f"Key for {provider.name} (it is not shown): ").strip()
    if not key:
        raise SignInFailed("No key was given.", hint="Start again with the key at hand, or pipe it in.")
    return Secret(key)


def with_browser(way: Way, options: Options, io: Io, house: House) -> Account:
    """Sign in at the provider's own page.

    The reply comes to our port or is pasted, whichever is first; with a code that was typed there, nothing comes back.
    """
    services = house.services
    sign_in = with_consent(
        io,
        services.consents,
        lambda: services.sign_ins.start(
            way.provider.id,
            way.method.id,
            account=way.account,
            name=way.name,
            paste=options.paste,
            device=options.device,
        ),
    )
    try:
        if device := sign_in.attempt.device:
            show_code(sign_in, device, io, as_json=options.as_json)
            if not options.no_browser:
                open_page(sign_in, device, house.browser, io)
            return await_decision(sign_in, services.sign_ins, io)
        offer(sign_in, options, io)
        if not (options.no_browser or options.paste or house.browser.open(sign_in.url)):
            io.say("No browser could be opened here.")
        return await_account(sign_in, services.sign_ins, io, services.clock, only_paste=options.paste)
    finally:
        # What was kept for a person's word is let go of with it.
        if not sign_in.over.is_set() or sign_in.state in OPEN:
            services.sign_ins.cancel(sign_in.id)


def offer(sign_in: SignIn, options: Options, io: Io) -> None:
    """Show the address to open and the ways in which the reply may come."""
    if options.as_json:
        io.json({"event": "authorize", "url": sign_in.url, "redirect": sign_in.redirect})
    else:
        io.say(f"\nOpen this address to sign in:\n\n{sign_in.url}\n")
    waits = sign_in.listener and not options.paste
    if not (sign_in.listener or options.paste):
        io.say("Another program holds the port that the browser returns to, so the reply cannot come by itself.")
    end = f"{sign_in.expires_at.astimezone():%H:%M}"
    if waits:
        io.say(f"Waiting until {end}. If the browser ends on a page that does not load, paste its address here.")
    else:
        io.say(f"When you have approved, paste the address of the page that you land on (until {end}).")


def farewell(account: Account) -> str:
    """Say as whom, with what tells two accounts of one person apart."""
    who = account.identity
    if account.identity.label is None:
        return printable(f"Kept as “{account.label}”.")
    apart = ", ".join(part for part in (who.plan, who.workspace_name or who.workspace) if part)
    known = f"{account.label} ({apart})" if apart else account.label
    return printable(f"Signed in as {known} — not the one you meant? Sign in again in a private window.")


def other_ways(provider: Provider) -> str:
    """Name the ways that there are."""
    ways = [f"--method {method.id} ({_how(method)})" for method in offered(provider)]
    return f"Ways to sign in: {'; '.join(ways)}."


def _how(method: Method) -> str:
    if method.kind is Kind.AUTHORIZATION_CODE and may_have_code(method):
        return "browser, --paste or --device"
    return HOW[method.kind]


def failed_event(error: DoorkeyError) -> dict[str, object]:
    """Describe the end of a sign-in that failed (design section 5)."""
    return {"event": "failed", "error": error.code, "hint": error.hint}
