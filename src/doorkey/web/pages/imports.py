"""What other programs keep on this computer, as a dialog: nothing is ticked, and only what is ticked is imported."""

from starlette.responses import Response

from doorkey.domain.account import Account
from doorkey.errors import DoorkeyError
from doorkey.service.consents import for_method
from doorkey.service.importing import Offer, offer_json
from doorkey.service.listing import error_json
from doorkey.web.calls import Call
from doorkey.web.pages.connect import DONE
from doorkey.web.views import part


def show(call: Call) -> Response:
    """Show what was found."""
    return _dialog(call, [])


def take(call: Call) -> Response:
    """Import what was ticked; what fails is said in the dialog, and the rest is imported all the same."""
    survey = call.desk.services.importing.look()
    taken: list[Account] = []
    problems: list[DoorkeyError] = []
    for offer in survey.offers:
        if not (offer.open and call.flag(f"take {offer.id}")):
            continue
        try:
            taken.append(_taken(call, offer))
        except DoorkeyError as error:
            problems.append(error)
    if problems:
        return _dialog(call, problems, changed=bool(taken))
    said = f"Imported: {', '.join(account.label for account in taken)}" if taken else "Nothing was imported"
    return part("parts/toast.html", headers=DONE, message=said, hint="", tone="good" if taken else "calm")


def _taken(call: Call, offer: Offer) -> Account:
    if offer.provider and offer.method and call.flag(f"agree {offer.id}"):
        call.desk.services.consents.record(for_method(offer.provider.id, offer.method.id))
    return call.desk.services.importing.take(offer)


def _dialog(call: Call, failed: list[DoorkeyError], *, changed: bool = False) -> Response:
    survey = call.desk.services.importing.look()
    return part(
        "parts/imports.html",
        headers={"HX-Trigger": "accounts-changed"} if changed else {},
        offers=[(offer, offer_json(offer), _unread_terms(call, offer)) for offer in survey.offers],
        unreadable=[error_json(problem) for problem in survey.problems.values()],
        failed=[error_json(error) for error in failed],
        places=survey.places.values(),
    )


def _unread_terms(call: Call, offer: Offer) -> str | None:
    """Return the notice of a method that still needs a yes of its own."""
    if not (offer.open and offer.provider and offer.method and offer.method.policy.needs_consent):
        return None
    given = call.desk.services.consents.given(for_method(offer.provider.id, offer.method.id))
    return None if given else offer.method.policy.note
