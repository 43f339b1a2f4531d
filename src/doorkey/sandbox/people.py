"""The people who practise here, with the plans and workspaces that make a difference."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5


def stable_uuid(name: str) -> str:
    """Give the same UUID for the same name, in every process and on every machine."""
    return str(uuid5(NAMESPACE_URL, f"doorkey-sandbox:{name}"))


@dataclass(frozen=True, slots=True)
class Workspace:
    """A place that a person belongs to; the provider calls it account, organization or workspace."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can sign in."""

    subject: str
    name: str
    email: str
    plan: str
    workspaces: tuple[Workspace, ...]

    @property
    def plan_title(self) -> str:
        """Name the plan as a page shows it."""
        return self.plan.capitalize()

    @property
    def shares_plan(self) -> bool:
        """Tell whether apps may spend this plan: Free gives identity only (protocols 1.1)."""
        return self.plan in {"plus", "pro"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person in one workspace: what a grant is for."""

    subject: str
    name: str
    email: str
    plan: str
    workspace: Workspace

    def to_json(self) -> dict[str, Any]:
        """Give the account as plain values, to be stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Account":
        """Read back what `to_json` gave."""
        return cls(**{**stored, "workspace": Workspace(**stored["workspace"])})


def _workspace(title: str) -> Workspace:
    return Workspace(stable_uuid(title), title)


PEOPLE = (
    Person(
        subject="practice-ada",
        name="Ada Lovelace",
        email="ada@practice.example",
        plan="plus",
        workspaces=(_workspace("Ada's own"),),
    ),
    Person(
        subject="practice-grace",
        name="Grace Hopper",
        email="grace@practice.example",
        plan="pro",
        workspaces=(_workspace("Grace's own"), _workspace("Compiler Works")),
    ),
    Person(
        subject="practice-alan",
        name="Alan Turing",
        email="alan@practice.example",
        plan="free",
        workspaces=(_workspace("Alan's own"),),
    ),
)


def invented(name: str, email: str) -> Person | None:
    """Make a person on the Plus plan from what was typed; None when it is no name and address.

    The same address, in any case, is always the same person.
    """
    name, email = name.strip(), email.strip().lower()
    if not (0 < len(name) <= 80 and 3 <= len(email) <= 120 and "@" in email[1:-1]):
        return None
    subject = f"practice-{hashlib.sha256(email.encode()).hexdigest()[:16]}"
    own = Workspace(stable_uuid(subject), f"{name}'s own")
    return Person(subject=subject, name=name, email=email, plan="plus", workspaces=(own,))


def account(person: Person, workspace_id: str | None) -> Account:
    """Put a person into the chosen workspace, or into the first one."""
    workspace = next((place for place in person.workspaces if place.id == workspace_id), person.workspaces[0])
    return Account(subject=person.subject, name=person.name, email=person.email, plan=person.plan, workspace=workspace)
