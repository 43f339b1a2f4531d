"""`doorkey chat`: one question, or a conversation, with a model of a connected account."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import click

from doorkey.cli.conversing import Talk
from doorkey.cli.io import Io
from doorkey.cli.shell import House, Shell, usage, wish, with_consent
from doorkey.domain.conversation import Conversation, ModelName
from doorkey.errors import DoorkeyError, SignInNeeded
from doorkey.service.resolve import ASKED, HERE, PREFERRED, Wish, by_default

LAST_MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for; `prompt` None means stdin where it is piped, else a conversation."""

    prompt: str | None = None
    model: str | None = None
    account: str | None = None
    folder: str | None = None


@click.command()
@click.argument("prompt", required=False)
@click.option("--model", metavar="PROVIDER:MODEL", help="The last used by default; `doorkey models` lists them.")
@click.option("--account", metavar="ACCOUNT", envvar="DOORKEY_ACCOUNT", help="Who pays: name, e-mail or id.")
@click.option(
    "--folder",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, resolve_path=True),
    help="A folder that the model may work in.",
)
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Ask a model.

    With PROMPT, or with text on stdin, the answer is printed and that is all; else a conversation begins. Before a
    tool changes or runs anything you are asked. The chat is kept and appears in the app.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: Any) -> None:
    """Begin a chat, then answer the one prompt or every line that the person types."""
    prompt = options.prompt if options.prompt is not None or io.interactive else io.stdin.read()
    if prompt is not None and not prompt.strip():
        raise usage("There is nothing to ask: give a PROMPT, or text on stdin.")
    model = choose_model(options.model, io, house)
    conversation = begin(model, options, io, house)
    house.stores.preferences.set(LAST_MODEL, str(model))
    with Talk(conversation.id, io, house.stores.approvals, house.engine) as talk:
        if prompt is not None:
            talk.answer(prompt)
        else:
            converse(talk, io)


def converse(talk: Talk, io: Io) -> None:
    """Answer line after line until the input ends; a failure or Ctrl-C ends one answer, not the conversation."""
    from doorkey.cli import failures

    io.say("Ctrl-C stops an answer, Ctrl-D ends the chat.")
    for prompt in _lines(io):
        try:
            talk.answer(prompt)
        except DoorkeyError as error:
            failures.explain(io, error)
        except KeyboardInterrupt:
            io.say("\nStopped.")


def choose_model(name: str | None, io: Io, house: House) -> ModelName:
    """Return the model that was named, else the last used, else the first that a connected provider has."""
    if name is not None:
        model = ModelName.parse(name)
        if model is None:
            raise usage(f"Models are named PROVIDER:MODEL, so “{name}” is none.")
        return model
    return ModelName.parse(house.stores.preferences.get(LAST_MODEL) or "") or _first_model(io, house)


def begin(model: ModelName, options: Options, io: Io, house: House) -> Conversation:
    """Keep a new chat, after every yes that its account or key still lacks."""
    services = house.services
    # A chat with a folder of its own follows the rule of that one whenever it goes on; another stays with its account.
    asked = replace(wish(model.provider, options.account), folder=options.folder or HERE)
    choice = with_consent(io, services.consents, lambda: services.resolver.choose(asked))
    follows = choice.rule == by_default(model.provider) or (options.folder and choice.rule not in {ASKED, PREFERRED})
    now = services.clock.now()
    conversation = Conversation(
        id=f"cht_{services.entropy.bytes(12).hex()}",
        title="",
        created_at=now,
        updated_at=now,
        model=str(model),
        account=choice.account.id if choice.account and not follows else None,
        folder=options.folder,
    )
    house.stores.conversations.save(conversation)
    return conversation


def _first_model(io: Io, house: House) -> ModelName:
    """Take the first model of whoever is connected; raises what stood in the way where nobody has one."""
    services, faults = house.services, []
    providers = services.listing.providers()
    for entry in providers:
        if entry["connected"] or entry["env_key"]:
            choose = partial(services.resolver.choose, Wish(provider=str(entry["id"])))
            choice = with_consent(io, services.consents, choose)
            listed = services.models.of(choice)
            if listed.names:
                return ModelName(provider=choice.provider.id, model=listed.names[0])
            faults += [listed.fault] if listed.fault else []
    raise next(iter(faults), None) or _obstacle([str(entry["id"]) for entry in providers if entry["accounts"]], house)


def _obstacle(providers: Sequence[str], house: House) -> DoorkeyError:
    """Say what the accounts lack that there are, though none of them can serve."""
    for provider in providers:
        try:
            fault = house.services.models.of(house.services.resolver.choose(Wish(provider=provider))).fault
        except DoorkeyError as error:
            fault = error
        if fault:
            return fault
    return SignInNeeded("No connected provider has a model.", hint="`doorkey login PROVIDER` connects one.")


def _lines(io: Io) -> Iterator[str]:
    while True:
        try:
            line = io.prompter.line("> ")
        except EOFError:
            io.say()
            return
        if line.strip():
            yield line
