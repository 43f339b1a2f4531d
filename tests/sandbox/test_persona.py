"""What the practice model says and calls, whatever dialect it is asked in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.sandbox.models.access import Caller
from doorkey.sandbox.persona import Answer, Prompt, Tool, answer

ADA = Caller(
    name="Ada Lovelace", method="a sign-in that shares a plan", payer="plan", plan="plus", workspace="Own", dialect=None
)
TOOLS = tuple(Tool(name) for name in ("list_files", "read_file", "search_text", "write_file", "run_command"))


def asked(message: str, *, tools: tuple[Tool, ...] = (), results: tuple[str, ...] = ()) -> Answer:
    return answer(Prompt(model="practice-small", message=message, tools=tools, results=results), ADA)


@pytest.mark.parametrize(
    ("message", "tool", "arguments"),
    [
        ("Write a file", "write_file", {"path": "hello.txt", "content": "Hello from the practice model!\n"}),
        ('save "Buy milk" to notes/todo.md', "write_file", {"path": "notes/todo.md", "content": "Buy milk\n"}),
        ("Create a file called hello.py, please.", "write_file", {"path": "hello.py"}),
        ("Can you run `make test`?", "run_command", {"command": "make test"}),
        ("run something", "run_command", {"command": "ls"}),
        ("read src/app.py", "read_file", {"path": "src/app.py"}),
        ('Search for "needle"', "search_text", {"pattern": "needle"}),
        ("Search for needle, please", "search_text", {"pattern": "needle"}),
        ("Read the README", "read_file", {"path": "README"}),
        ("Show me notes.md", "read_file", {"path": "notes.md"}),
        ("List the files here", "list_files", {"path": "."}),
        ("What files are here?", "list_files", {"path": "."}),
    ],
)
def test_a_wish_calls_the_tool_that_fulfils_it(message: str, tool: str, arguments: dict[str, Any]):
    call = asked(message, tools=TOOLS).calls[0]

    assert call.tool == tool
    assert arguments.items() <= call.arguments.items()


def test_a_wish_without_its_tool_is_answered_in_words():
    said = asked("Write a file", tools=(Tool("read_file"),))

    assert said.calls == ()
    assert said.text


@pytest.mark.parametrize("message", ["Hello!", "Show me markdown with a list and a table", "What is an approval?"])
def test_small_talk_calls_no_tool(message: str):
    assert asked(message, tools=TOOLS).calls == ()


def test_only_parameters_that_the_tool_has_are_sent():
    call = asked("List the files", tools=(Tool("list_files", frozenset({"pattern"})),)).calls[0]

    assert call.arguments == {}


def test_several_calls_are_ordered_one_a_line():
    said = asked('call write_file {"path": "a"}\ncall list_files')

    assert [(call.tool, call.arguments) for call in said.calls] == [("write_file", {"path": "a"}), ("list_files", {})]


def test_arguments_that_are_no_json_are_said_to_be_none():
    said = asked("call write_file {path}")

    assert said.calls == ()
    assert "not JSON" in said.text


def test_slow_says_so_many_words_with_a_pause():
    said = asked("slow 3")

    assert (said.pieces, said.pause) == (["word1 ", "word2 ", "word3"], 0.05)


def test_a_newcomer_learns_who_served_and_who_pays():
    said = asked("Hello", tools=TOOLS).text

    assert "**Ada Lovelace**" in said
    assert "Plus plan pays" in said
    assert "write a file" in said


def test_markdown_shows_a_heading_a_list_a_table_and_code():
    said = asked("show me some markdown").text

    assert all(mark in said for mark in ("# A ", "\n- ", "| --- |", "```python"))


def test_a_denial_is_taken_kindly_and_says_why():
    said = asked("write a file", results=("The tool call was denied. Reason: not now.",)).text

    assert "**denied**" in said
    assert "not now" in said


def test_a_result_is_summarised_and_shortened():
    said = asked("list files", results=("x" * 5000,)).text

    assert "xxx" in said
    assert len(said) < 1000


@given(st.text())
def test_say_streams_exactly_the_rest(words: str):
    said = asked(f"say: {words}")

    assert "".join(said.pieces) == words
