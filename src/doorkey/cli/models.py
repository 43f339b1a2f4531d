"""`doorkey models`: the models that the connected accounts may use."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import click

from doorkey.cli import failures
from doorkey.cli.io import Io, printable
from doorkey.cli.shell import House, Shell, wish, with_consent
from doorkey.errors import DoorkeyError, ServerAway, SignInNeeded
from doorkey.service.dates import clock
from doorkey.service.listing import error_json, iso
from doorkey.service.models import ModelList
from doorkey.service.resolve import Wish


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    provider: str | None = None
    account: str | None = None
    as_json: bool = False


@dataclass(slots=True)
class Found:
    """The models by their full names, when each provider's list was read, and what kept it away."""

    models: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)
    near: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    read_at: dict[str, datetime] = field(default_factory=dict)
    faults: dict[str, DoorkeyError] = field(default_factory=dict)

    def take(self, provider: str, listed: ModelList) -> None:
        """Add one provider's list; a list that could not be renewed still counts."""
        self.models += [f"{provider}:{name}" for name in listed.names]
        self.refused |= {f"{provider}:{name}": why for name, why in listed.refused.items()}
        if listed.read_at:
            self.read_at[provider] = listed.read_at
        if listed.fault:
            self.faults[provider] = listed.fault

    def nothing(self) -> DoorkeyError:
        """Say why there is no model at all where no provider failed."""
        if self.near:
            return SignInNeeded("No provider is connected.", hint=_invitation(self.near[0]))
        if self.away:
            return ServerAway(f"No provider is connected that is running ({', '.join(self.away)} is not).")
        return SignInNeeded("No provider is connected.")


@click.command()
@click.argument("provider", required=False)
@click.option("--account", metavar="ACCOUNT", envvar="DOORKEY_ACCOUNT", help="Name, e-mail or id; or DOORKEY_ACCOUNT.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Print the models that you can use.

    They are printed as PROVIDER:MODEL, for PROVIDER or for every provider that is connected.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> None:
    """Print what there is; fail only where nothing could be listed at all."""
    found = of_one(options.provider, options, io, house) if options.provider else of_all(options, house)
    if not found.models:
        raise next(iter(found.faults.values()), found.nothing())
    if options.as_json:
        faults = [{"provider": provider, **error_json(error)} for provider, error in found.faults.items()]
        times = {provider: iso(at) for provider, at in found.read_at.items()}
        io.json({"models": found.models, "refused": found.refused, "read_at": times, "faults": faults})
        return
    for model in found.models:
        io.result(printable(model))
    for provider in found.away:
        io.say(f"{provider}: not running")
    for provider in found.near:
        io.say(_invitation(provider))
    for model, why in found.refused.items():
        io.say(printable(f"{model} {why}."))
    for provider, error in found.faults.items():
        read_at = found.read_at.get(provider)
        io.say(f"{provider}: this list was read on {clock(read_at)}" if read_at else f"{provider}:")
        failures.explain(io, error)


def of_one(provider: str, options: Options, io: Io, house: House) -> Found:
    """List one provider's models, with the credential that a chat would use."""
    services = house.services
    asked = wish(provider, options.account)
    choice = with_consent(io, services.consents, lambda: services.resolver.choose(asked))
    found = Found()
    found.take(provider, services.models.of(choice))
    return found


def of_all(options: Options, house: House) -> Found:
    """List the models of every provider that an account or a key is there for; the others stay silent."""
    found = Found()
    for provider in _in_use(house, found):
        try:
            choice = house.services.resolver.choose(Wish(provider=provider, preferred=options.account))
        except DoorkeyError as error:
            found.faults[provider] = error
        else:
            found.take(provider, house.services.models.of(choice))
    return found


def _in_use(house: House, found: Found) -> Iterator[str]:
    """Name the providers to ask; of the servers of this machine, tell who is away and who could be connected."""
    services = house.services
    for entry in services.listing.providers(services.neighbours.running()):
        if entry["accounts"] and entry["running"] is False:
            found.away.append(str(entry["id"]))
        elif not entry["accounts"] and entry["running"]:
            found.near.append(str(entry["id"]))
        elif entry["accounts"] or entry["env_key"]:
            yield str(entry["id"])


def _invitation(provider: str) -> str:
    return f"{provider} runs here; `doorkey login {provider}` connects it."
