"""What the practice model says: decided from the last message and the offered tools, the same in every dialect."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from doorkey.sandbox.models.access import Caller

MODELS = {"practice-small": "Practice Small", "practice-large": "Practice Large"}


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that was offered, with the names of its parameters."""

    name: str
    parameters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a request comes to: the last message, the results that came after it, the tools, the size of it all."""

    model: str
    message: str
    results: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that the model wants."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says and calls; `pause` is the least number of seconds between two pieces."""

    text: str = ""
    calls: Sequence[Call] = ()
    pause: float = 0.0

    @property
    def pieces(self) -> list[str]:
        """Cut the text as it is streamed: a word with the space behind it."""
        return re.findall(r"\s*\S+\s*|\s+", self.text)

    @property
    def size(self) -> int:
        """Estimate the tokens of the answer."""
        return estimate(self.text) + sum(estimate(json.dumps(dict(call.arguments))) + 4 for call in self.calls)


def estimate(text: str) -> int:
    """Estimate how many tokens a text has."""
    return max(1, len(text) // 4)


def answer(prompt: Prompt, caller: Caller) -> Answer:
    """Decide what to say."""
    if prompt.results:
        return _after_tools(prompt.results)
    return _scripted(prompt.message) or _with_tools(prompt) or Answer(text=_words(prompt, caller))


def _scripted(message: str) -> Answer | None:
    """Follow the orders that tests give: `say: …`, `slow N`, and `call TOOL {…}`, one a line."""
    if message.startswith("say: "):
        return Answer(text=message.removeprefix("say: "))
    if match := re.fullmatch(r"slow (\d{1,4})", message.strip()):
        return Answer(text=" ".join(f"word{number}" for number in range(1, int(match[1]) + 1)), pause=0.05)
    orders = re.findall(r"^call (\S+)(?: (\{.*\}))?$", message, re.MULTILINE)
    if not orders:
        return None
    try:
        return Answer(calls=[Call(tool, json.loads(arguments or "{}")) for tool, arguments in orders])
    except ValueError:
        return Answer(text="I cannot read the arguments of that call: they are not JSON.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A wish that one of the tools can fulfil: the words for it, the tool's name, its arguments."""

    wish: re.Pattern[str]
    tool: str
    saying: str
    arguments: Callable[[str], dict[str, Any]] = field(repr=False)


def _wish(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def _named(pattern: str, message: str) -> str | None:
    match = re.search(pattern, message)
    return match[1] if match else None


def _quoted(message: str) -> str | None:
    return _named(r'["“]([^"”]+)["”]', message)


def _backticked(message: str) -> str | None:
    return _named(r"`([^`]+)`", message)


# The lengths are bounded, so that a pasted wall of text is searched quickly.
_FILE = r"([\w~./-]{0,200}\w\.[A-Za-z]\w{0,7}\b|[\w.-]{1,100}/[\w./-]{0,200}|\b(?:README|LICENSE|Makefile)\b)"


def _path(message: str) -> str | None:
    """Find a name with an ending or a slash, or one of the files that have neither."""
    unquoted = re.sub(r'["“][^"”]*["”]', "", message)
    return _named(_FILE, unquoted)


SKILLS = (
    Skill(
        wish=_wish(r"\b(write|create|save|make)\b.*(\bfiles?\b|\w\.[a-z]\w{0,7}\b)"),
        tool="write",
        saying="I will write that file, if you approve.",
        arguments=lambda message: {
            "path": _path(message) or "hello.txt",
            "content": (_quoted(message) or "Hello from the practice model!") + "\n",
        },
    ),
    Skill(
        wish=_wish(r"\b(run|execute)\b"),
        tool="run",
        saying="I will run that, if you approve.",
        arguments=lambda message: {"command": _backticked(message) or "ls"},
    ),
    Skill(
        wish=_wish(r"\b(search|find|grep|look for)\b"),
        tool="search",
        saying="Let me search.",
        arguments=lambda message: {
            "pattern": _quoted(message) or _backticked(message) or _named(r"\bfor ([\w.-]+)", message) or "hello"
        },
    ),
    Skill(
        wish=_wish(r"\b(read|open)\b|\bshow\b.*(\bfile\b|\w\.[a-z]\w{0,7}\b)"),
        tool="read",
        saying="Let me read it.",
        arguments=lambda message: {"path": _path(message) or _backticked(message) or "hello.txt"},
    ),
    Skill(
        wish=_wish(r"^\s*list\b|\b(list|what|which)\b.*\b(files?|folders?|here)\b"),
        tool="list",
        saying="Let me look at what is there.",
        arguments=lambda message: {"path": _path(message) or "."},
    ),
)


def _with_tools(prompt: Prompt) -> Answer | None:
    for skill in SKILLS:
        tool = next((tool for tool in prompt.tools if skill.tool in tool.name.lower()), None)
        if tool is not None and skill.wish.search(prompt.message):
            arguments = skill.arguments(prompt.message)
            known = {name: value for name, value in arguments.items() if name in (tool.parameters or arguments)}
            return Answer(text=skill.saying, calls=[Call(tool.name, known)])
    return None


_DENIAL = re.compile(r"\b(denied|declined|rejected|refused|not approved|not allowed|said no)\b", re.IGNORECASE)


def _after_tools(results: Sequence[str]) -> Answer:
    denials = [result for result in results if _DENIAL.search(result[:120])]
    if denials:
        return Answer(
            text="That was **denied**, so nothing was done, and that is all right: you decide what I may do.\n\n"
            f"> {_shortened(' '.join(denials[0].split()))}\n\n"
            "Ask again whenever you change your mind, or ask for something else."
        )
    told = "\n".join(f"````\n{_shortened(result)}\n````" for result in results)
    return Answer(text=f"Done. The tool answered:\n\n{told}\n\nThe result came back to me, so the whole round works.")


def _shortened(text: str, limit: int = 400) -> str:
    text = text.strip() or "(nothing)"
    return text if len(text) <= limit else f"{text[:limit].rstrip()} …"


def _words(prompt: Prompt, caller: Caller) -> str:
    message = prompt.message.lower()
    if "markdown" in message:
        return _MARKDOWN
    if "approv" in message:
        return _APPROVALS
    if re.search(r"\b(who|account|pays?|payer|plan)\b", message):
        return _served_by(prompt, caller)
    return f"{_GREETING}\n\n{_served_by(prompt, caller)}\n\n{_next(prompt)}"


def _served_by(prompt: Prompt, caller: Caller) -> str:
    payer = {
        "plan": f"Their {(caller.plan or '').capitalize()} plan pays, in play",
        "local": "It runs on your own computer, so nobody is billed",
    }[caller.payer]
    place = f", workspace “{caller.workspace}”" if caller.workspace else ""
    return (
        f"This answer was served to **{caller.name}**{place}, by {caller.method}, with the model "
        f"`{prompt.model}`. {payer}."
    )


def _next(prompt: Prompt) -> str:
    if prompt.tools:
        return (
            "Next, ask me to *write a file*. I will ask for a tool, and you will see an **approval**: "
            "nothing happens on your machine until you say yes. You can also say no, and I will take it well."
        )
    return "Next, ask me for *markdown* to see how answers are shown, or ask *who pays*."


_GREETING = (
    "Hello! I am the practice model. I am no real language model: I answer from a small script, "
    "so that you can try everything here without a real account."
)
_APPROVALS = (
    "An **approval** is your yes to one tool call. When I want to write a file or run a command, the page shows "
    "exactly what I want to do and waits. Each yes is used once, for that call and those arguments. "
    "When you say no, I am told so and nothing happens.\n\nTry it: ask me to *write a file*."
)
_MARKDOWN = """# A little Markdown

An answer can have **bold**, *italic* and `code`.

- a list
- with two items

| sign-in | who pays |
| --- | --- |
| plan | your subscription |
| key | by use |

```python
def greet(name: str) -> str:
    return f"Hello, {name}!"
```
"""
