"""The audit as a page: who did what with which account, newest first."""

from starlette.responses import Response

from doorkey.web.calls import Call
from doorkey.web.pages.chats import frame
from doorkey.web.views import page

NEWEST = 200


def audit(call: Call) -> Response:
    """Show what was written down, and when each account was last used."""
    stores = call.desk.stores
    last_uses = stores.audit.last_uses()
    return page(
        call.request,
        "pages/audit.html",
        entries=stores.audit.read(NEWEST),
        last_uses=[(each, last_uses.get(each.id)) for each in call.desk.services.book.all()],
        titles={f"chat {chat.id}": (chat.id, chat.title) for chat in stores.conversations.all()},
        newest=NEWEST,
        place="audit",
        **frame(call),
    )
