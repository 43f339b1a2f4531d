"""An answer as the page shows it: folded from a run's events, whole or only what is new."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from doorkey.domain.conversation import LIVE, Event, EventKind
from doorkey.web.markdown import LiveMarkdown


@dataclass(slots=True, eq=False)
class Prose:
    """Finished blocks of text, as HTML."""

    kind: ClassVar[str] = "prose"
    html: str


@dataclass(slots=True, eq=False)
class Thought:
    """What the model thinks aloud; it grows."""

    kind: ClassVar[str] = "thought"
    number: int
    text: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class ToolCall:
    """A tool call, its approval where it needs one, and its result."""

    kind: ClassVar[str] = "call"
    number: int
    id: str
    tool: str
    arguments: object
    approval: str | None = None
    result: str | None = None
    ok: bool = True


Piece = Prose | Thought | ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a page that was up to date has to show: new pieces, pieces that changed, and the open block."""

    fresh: list[Piece]
    touched: list[Piece]
    open: str
    footer: bool


@dataclass(slots=True)
class Answer:
    """What has come so far of one answer; `number` is that of the last event in it."""

    number: int = 0
    pieces: list[Piece] = field(default_factory=list)
    served: Mapping[str, object] | None = None
    state: Mapping[str, object] | None = None
    _live: LiveMarkdown = field(default_factory=LiveMarkdown)
    _shown: int = 0
    _touched: list[Piece] = field(default_factory=list)
    _footer: bool = False

    @property
    def over(self) -> bool:
        """Whether an event has told the run's end; its row may say so a moment before its last words are stored."""
        return self.state is not None and self.state.get("state") not in LIVE

    def take(self, events: Iterable[Event]) -> "Answer":
        """Fold events in; each number once and in order."""
        for event in events:
            self.number = event.number
            self._take(event)
        return self

    def changes(self) -> Changes:
        """Return what changed since the last call."""
        if blocks := self._live.finished():
            self.pieces.append(Prose(blocks))
        fresh = self.pieces[self._shown :]
        changed = Changes(
            fresh=fresh,
            touched=[piece for piece in dict.fromkeys(self._touched) if piece not in fresh],
            open=self._live.open(),
            footer=self._footer,
        )
        self._shown, self._touched, self._footer = len(self.pieces), [], False
        return changed

    def _take(self, event: Event) -> None:
        match event.kind:
            case EventKind.TEXT:
                self._live.feed(str(event.body.get("text", "")))
            case EventKind.THINKING:
                self._think(event)
            case EventKind.CALL:
                self._add(_tool_call(event))
            case EventKind.RESULT:
                call = self._find(event)
                call.result, call.ok = str(event.body.get("text", "")), bool(event.body.get("ok", True))
                self._touched.append(call)
            case EventKind.APPROVAL:
                call = self._find(event)
                call.approval = str(event.body["approval"])
                self._touched.append(call)
            case EventKind.SERVED:
                self.served, self._footer = event.body, True
            case EventKind.STATE:
                self.state, self._footer = event.body, True
                if self.over:
                    self._close_text()

    def _think(self, event: Event) -> None:
        self._close_text()
        thought = self.pieces[-1] if self.pieces else None
        if not isinstance(thought, Thought):
            thought = Thought(event.number)
            self.pieces.append(thought)
        thought.text += str(event.body.get("text", ""))
        self._touched.append(thought)

    def _find(self, event: Event) -> ToolCall:
        """Return the call that an event is about; one that was never announced is added now."""
        call_id = str(event.body["call_id"])
        for piece in reversed(self.pieces):
            if isinstance(piece, ToolCall) and piece.id == call_id:
                return piece
        added = _tool_call(event)
        self._add(added)
        return added

    def _add(self, piece: Piece) -> None:
        self._close_text()
        self.pieces.append(piece)

    def _close_text(self) -> None:
        if rest := self._live.finish():
            self.pieces.append(Prose(rest))


def _tool_call(event: Event) -> ToolCall:
    body = event.body
    return ToolCall(
        number=event.number,
        id=str(body["call_id"]),
        tool=str(body.get("tool", "")),
        arguments=body.get("arguments", {}),
    )
