"""`doorkey token`: one usable token or key on stdout, renewed if needed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click

from doorkey.cli.columns import span
from doorkey.cli.io import Io
from doorkey.cli.shell import House, Shell, wish, with_consent
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured
from doorkey.service.listing import iso
from doorkey.service.token_source import Source, TokenSource, WatchedSource

TEN_YEARS = 10 * 365 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for; `min_ttl` is in seconds."""

    provider: str
    account: str | None = None
    min_ttl: int = 0
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Usable:
    """A token and its end, which belong together."""

    token: Secret
    expires_at: datetime | None = None


@click.command()
@click.argument("provider")
@click.option("--account", metavar="ACCOUNT", envvar="DOORKEY_ACCOUNT", help="Name, e-mail or id; or DOORKEY_ACCOUNT.")
@click.option(
    "--min-ttl",
    metavar="SECONDS",
    type=click.IntRange(0, TEN_YEARS),
    default=0,
    help="How long the token must still last.",
)
@click.option("--json", "as_json", is_flag=True, help="Print token, expiry, account and payer as JSON.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Print a usable token or key of PROVIDER.

    Nothing else is printed on stdout. The token is renewed if needed.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> None:
    """Choose the credential, renew it if it is too short, and print it."""
    services = house.services
    asked = wish(options.provider, options.account, outside=True)
    choice = with_consent(io, services.consents, lambda: services.resolver.choose(asked))
    wanted = timedelta(seconds=options.min_ttl)
    usable = _usable(services.sources.of(choice), wanted)
    if not usable.token:
        raise Misconfigured(f"{choice.label} works without a credential.", hint="Call its API without a token.")
    if usable.expires_at and (left := usable.expires_at - services.clock.now()) < wanted:
        io.say(f"warning: the freshest token there is lasts {span(left)}, less than --min-ttl asks for.")
    if options.as_json:
        io.json(
            {
                "token": usable.token.reveal(),
                "expires_at": iso(usable.expires_at),
                "account": choice.account.id if choice.account else None,
                "payer": choice.payer.value,
            }
        )
    else:
        io.result(usable.token.reveal())


def _usable(source: Source, wanted: timedelta) -> Usable:
    if isinstance(source, WatchedSource) and (tokens := source.tokens(wanted)):
        return Usable(tokens.access, tokens.expires_at)
    token = source.get(at_least=wanted)
    if not isinstance(source, TokenSource):
        return Usable(token)
    tokens = source.held().tokens
    return Usable(tokens.access, tokens.expires_at)
