"""The bar beside the composer: which model, whose account, and who pays, before anything is sent (rule 5)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from doorkey.domain.account import State
from doorkey.domain.conversation import Conversation, ModelName
from doorkey.errors import DoorkeyError
from doorkey.service.listing import error_json
from doorkey.service.resolve import Choice, Wish
from doorkey.web.desk import Desk
from doorkey.web.words import ago

MODEL = "model"
FOLDER = "folder"
QUIET = {State.READY, State.LAPSED, State.CHECKING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What will serve the next message; exactly one of `choice` and `problem` is there once a model is chosen.

    `standing` is the account's state where it is one that the person should know of, `tight` its window that is.
    """

    chat: str | None
    model: ModelName | None
    account: str | None = None
    folder: str | None = None
    choice: Choice | None = None
    problem: Mapping[str, object] | None = None
    standing: str | None = None
    tight: str | None = None
    folders: tuple[str, ...] = ()


def bar(desk: Desk, conversation: Conversation | None) -> Bar:
    """Describe a chat's bar; without a chat the one that the next chat begins with."""
    if conversation is None:
        return resolved(desk, Bar(chat=None, model=ModelName.parse(desk.stores.preferences.get(MODEL) or "")))
    chosen = Bar(
        chat=conversation.id,
        model=ModelName.parse(conversation.model or ""),
        account=conversation.account,
        folder=conversation.folder,
    )
    return resolved(desk, chosen, served_before=conversation.served_by is not None)


def resolved(desk: Desk, chosen: Bar, *, served_before: bool = False) -> Bar:
    """Say who would serve what was chosen, or why nobody can."""
    desk.services.meters.settle()
    last = desk.stores.preferences.get(FOLDER)
    chosen = replace(chosen, folders=(last,) if last else ())
    if chosen.model is None:
        return chosen
    wish = Wish(
        provider=chosen.model.provider, pinned=chosen.account, folder=chosen.folder, served_before=served_before
    )
    try:
        choice = desk.services.resolver.choose(wish)
    except DoorkeyError as error:
        return replace(chosen, problem=error_json(error))
    state = desk.services.listing.state(choice.account) if choice.account else State.READY
    return replace(chosen, choice=choice, standing=None if state in QUIET else state.value, tight=_tight(desk, choice))


def _tight(desk: Desk, choice: Choice) -> str | None:
    window = desk.services.meters.tight(choice)
    if window is None:
        return None
    resets = f", resets {ago(window.resets_at, desk.services.clock.now())}" if window.resets_at else ""
    return f"{window.name}: {window.used_percent:g} % used{resets}"


def first_model(desk: Desk) -> str | None:
    """Return the first model of the first provider that can serve; asks providers, so it may take a while."""
    for provider in desk.services.catalog.all():
        try:
            choice = desk.services.resolver.choose(Wish(provider=provider.id, folder=None))
        except DoorkeyError:
            continue
        if names := desk.services.models.of(choice).names:
            return str(ModelName(provider=provider.id, model=names[0]))
    return None
