"""Chats: their pages, what is said in them, and what each of them uses."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from starlette.responses import Response

from doorkey.domain.approval import Decision
from doorkey.domain.conversation import LIVE, Conversation, ModelName, Run
from doorkey.errors import SignInNeeded, UnknownName
from doorkey.web.bar import FOLDER, MODEL, Bar, bar, first_model, resolved
from doorkey.web.calls import Call
from doorkey.web.desk import in_the_loop
from doorkey.web.turns import turn
from doorkey.web.views import page, part

LONGEST_TITLE = 80


def new_chat(call: Call) -> Response:
    """Show an empty chat; it is stored with its first message."""
    return _chat_page(call, None)


def show_chat(call: Call) -> Response:
    """Show a chat with all its turns."""
    return _chat_page(call, call.desk.stores.conversations.load(call.path("id")))


def start_chat(call: Call) -> Response:
    """Store a chat with its first message, start the answer and go there."""
    stores = call.desk.stores
    now = call.desk.services.clock.now()
    chosen = _from_form(call)
    conversation = Conversation(
        id=str(UUID(bytes=call.desk.services.entropy.bytes(16), version=4)),
        title=call.need("prompt").splitlines()[0][:LONGEST_TITLE],
        created_at=now,
        updated_at=now,
        model=str(_model(chosen)),
        account=chosen.account,
        folder=chosen.folder,
    )
    stores.conversations.save(conversation)
    in_the_loop(call.desk.engine.start, conversation.id, call.need("prompt"))
    return Response(status_code=204, headers={"HX-Redirect": f"/chats/{conversation.id}"})


def say(call: Call) -> Response:
    """Start the answer to a message."""
    _model(bar(call.desk, call.desk.stores.conversations.load(call.path("id"))))
    return _new_turn(call, in_the_loop(call.desk.engine.start, call.path("id"), call.need("prompt")))


def rename_chat(call: Call) -> Response:
    """Give a chat another title."""
    conversations = call.desk.stores.conversations
    title = " ".join(call.need("title").split())[:LONGEST_TITLE]
    renamed = replace(conversations.load(call.path("id")), title=title)
    conversations.save(renamed)
    chats = conversations.all()
    return part("parts/renamed.html", conversation=renamed, conversations=chats, longest_title=LONGEST_TITLE)


def delete_chat(call: Call) -> Response:
    """Delete a chat with everything in it."""
    conversation = call.desk.stores.conversations.load(call.path("id"))
    for run in call.desk.stores.runs.of(conversation.id):
        if run.state in LIVE:
            in_the_loop(call.desk.engine.stop, run.id)
    call.desk.stores.conversations.delete(conversation.id)
    return Response(status_code=204, headers={"HX-Redirect": "/"})


def stop(call: Call) -> Response:
    """Stop an answer; its stream tells the page."""
    in_the_loop(call.desk.engine.stop, call.path("id"))
    return Response(status_code=204)


def resume(call: Call) -> Response:
    """Go on with an answer that waited for a sign-in."""
    in_the_loop(call.desk.engine.resume, call.path("id"))
    return Response(status_code=204)


def retry(call: Call) -> Response:
    """Answer the same message again, recording the yes that was missing where the person gave it."""
    if consent := call.text("consent"):
        call.desk.services.consents.record(consent)
    return _new_turn(call, in_the_loop(call.desk.engine.retry, call.path("id")))


def decide(call: Call) -> Response:
    """Record what the person decided about a tool call."""
    chosen = call.need("decision")
    if chosen not in set(Decision):
        raise UnknownName("That is no decision.", hint="Choose once, chat or deny.")
    in_the_loop(call.desk.engine.decide, call.path("id"), Decision(chosen), call.text("reason"))
    return part("parts/approval.html", approval=call.desk.stores.approvals.load(call.path("id")), diffs={})


def show_bar(call: Call) -> Response:
    """Show who will serve, as things stand now; an empty choice becomes the first model that there is."""
    chosen = _from_form(call)
    if chosen.model is None and (name := first_model(call.desk)):
        call.desk.stores.preferences.set(MODEL, name)
        chosen = replace(chosen, model=ModelName.parse(name))
    return _bar(call, chosen)


def choose(call: Call) -> Response:
    """Choose a model, an account or a folder: for a chat, or for the one that is about to begin."""
    chosen = _from_form(call)
    if chosen.folder:
        chosen = replace(chosen, folder=call.desk.folder_check(chosen.folder))
        call.desk.stores.preferences.set(FOLDER, chosen.folder or "")
    if chosen.model:
        call.desk.stores.preferences.set(MODEL, str(chosen.model))
    return _bar(call, chosen)


def _bar(call: Call, chosen: Bar) -> Response:
    if chosen.chat is None:
        return part("parts/bar.html", bar=resolved(call.desk, chosen))
    stands = call.desk.stores.conversations.load(chosen.chat)
    model = str(chosen.model) if chosen.model else stands.model
    changed = replace(stands, model=model, account=chosen.account, folder=chosen.folder)
    if changed != stands:
        call.desk.stores.conversations.save(changed)
    return part("parts/bar.html", bar=bar(call.desk, changed))


def _from_form(call: Call) -> Bar:
    """Read what the bar's fields say; an account belongs to one provider, so another provider's model drops it."""
    model, account = ModelName.parse(call.text("model") or ""), call.text("account")
    if account and model and call.desk.services.book.find(account).provider != model.provider:
        account = None
    return Bar(chat=call.text("chat"), model=model, account=account, folder=call.text("folder"))


def _model(chosen: Bar) -> ModelName:
    if chosen.model is None:
        raise SignInNeeded("No model is chosen yet.", hint="Choose a model beside the message, or connect a provider.")
    return chosen.model


def _new_turn(call: Call, run: Run) -> Response:
    return part("parts/turn.html", turn=turn(call.desk, run), fresh=True)


def _chat_page(call: Call, conversation: Conversation | None) -> Response:
    runs = call.desk.stores.runs.of(conversation.id) if conversation else ()
    turns = [turn(call.desk, run) for run in runs]
    return page(
        call.request,
        "pages/chat.html",
        turns=turns,
        bar=bar(call.desk, conversation),
        live_run=next((each.run_id for each in turns if each.live), None),
        connected=any(
            provider["connected"] or provider["env_key"] for provider in call.desk.services.listing.providers()
        ),
        conversation=conversation,
        conversations=call.desk.stores.conversations.all(),
        longest_title=LONGEST_TITLE,
        **frame(call),
    )


def frame(call: Call) -> dict[str, Any]:
    """Return what every whole page shows."""
    desk = call.desk
    return {
        "version": desk.version,
        "theme": desk.stores.preferences.get("theme") or "system",
        "shut": desk.lock.problem(),
        "now": desk.services.clock.now(),
    }
