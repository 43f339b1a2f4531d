"""Signing in with a code that is typed on another device: show it, open its page, and wait for the end."""

from contextlib import suppress

from doorkey.cli.io import Io, Style, printable
from doorkey.cli.reply import TURNS
from doorkey.domain.account import Account
from doorkey.domain.attempt import OPEN, Device
from doorkey.errors import DoorkeyError, SignInFailed, StoreBusy
from doorkey.ports import Browser
from doorkey.service.listing import iso
from doorkey.service.sign_in import SignIn, SignIns

GLANCE = 2.0
"""How long to wait, in seconds, before looking whether another program has ended the sign-in."""


def show_code(sign_in: SignIn, device: Device, io: Io, *, as_json: bool) -> None:
    """Show the code alone on its line, so that it is easy to read and to copy, and where to type it."""
    if as_json:
        io.json(
            {
                "event": "device_code",
                "user_code": device.user_code,
                "verification_uri": device.verification_uri,
                "expires_at": iso(sign_in.expires_at),
            }
        )
        return
    io.say(f"\nOpen this address in a browser, here or on another device:\n\n{printable(device.verification_uri)}\n")
    io.say("and type this code:\n")
    io.show(io.paint(f"    {printable(device.user_code)}", Style.BOLD))
    # RFC 8628 section 5.4.
    io.say("\nNever type a code that somebody sent you: it would sign them in as you.")
    io.say(f"Waiting until {sign_in.expires_at.astimezone():%H:%M}.")


def open_page(sign_in: SignIn, device: Device, browser: Browser, io: Io) -> None:
    """Open the page where the code is typed, filled in where the provider has an address for that."""
    if browser.open(sign_in.url) and device.verification_uri_complete:
        io.say("The page that opens shows the same code: compare it, and allow the sign-in there.")


def await_decision(sign_in: SignIn, sign_ins: SignIns, io: Io) -> Account:
    """Return the account once the person has allowed it.

    Raises what ended the sign-in; where a person can still turn it, they are asked first.
    """
    while not sign_in.over.wait(GLANCE):
        with suppress(StoreBusy):
            sign_ins.find(sign_in.id)
    while sign_in.state in OPEN and _wants_to_go_on(sign_in, io):
        with suppress(DoorkeyError):  # What ends it is found in it afterwards.
            TURNS[sign_in.state].act(sign_ins, sign_in.id)
    if sign_in.account is None:
        raise sign_in.failure or SignInFailed("The sign-in was cancelled.")
    return sign_in.account


def _wants_to_go_on(sign_in: SignIn, io: Io) -> bool:
    """Ask for a yes; where nobody sits, nobody is asked."""
    if not io.interactive:
        return False
    turn = TURNS[sign_in.state]
    io.say(printable(str(sign_in.failure)))
    try:
        return io.prompter.line(f"{turn.question} ").strip().lower() in turn.yes
    except EOFError:
        return False
