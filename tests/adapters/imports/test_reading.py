import os

import pytest

from doorkey.adapters.imports import reading
from doorkey.errors import ImportRejected
from tests.adapters.imports.foreign import CANARY, jwt, write


def test_where_there_is_no_file_there_is_nothing(tmp_path):
    file = write(tmp_path / "file", "x")

    assert reading.read(tmp_path / "nowhere" / "at-all") is None
    assert reading.read(file / "below-a-file") is None


def test_a_file_comes_with_its_content_and_without_a_warning(tmp_path):
    assert reading.read(write(tmp_path / "mine", "text")) == (b"text", None, 0o100600)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_comes_with_a_warning(tmp_path, mode):
    path = write(tmp_path / "open", "text", mode=mode)

    assert reading.read(path).warning == f"Others on this computer may read it: `chmod 600 {path}` closes it."


def test_a_link_is_followed_to_the_file_at_its_end(tmp_path):
    write(tmp_path / "real", "text", mode=0o644)
    (tmp_path / "link").symlink_to("real")

    assert reading.read(tmp_path / "link").content == b"text"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_plain_file_is_refused_and_not_waited_for(tmp_path, make):
    make(tmp_path / "odd")

    with pytest.raises(ImportRejected, match="not a plain file"):
        reading.read(tmp_path / "odd")


def test_a_file_larger_than_any_of_its_kind_is_refused(tmp_path):
    path = write(tmp_path / "large", "x" * (reading.LARGEST + 1))

    with pytest.raises(ImportRejected, match="larger"):
        reading.read(path)


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    with pytest.raises(ImportRejected, match="cannot be read"):
        reading.read(tmp_path / "a\0b")


@pytest.mark.parametrize(
    "content", ["", "[]", f'"{CANARY}', "[" * 100_000, "1" * 5000, f"{{'{CANARY}'}}", r'{"a": "\ud800"}']
)
def test_what_is_no_json_object_is_refused_without_a_word_of_it(tmp_path, content):
    path = write(tmp_path / "broken", content)

    with pytest.raises(ImportRejected) as caught:
        reading.read_object(path)

    assert str(path) in str(caught.value)
    assert CANARY not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("seconds", [None, "1", True, 1e300, float("nan"), float("inf"), [1]])
def test_a_time_that_is_none_is_left_out(seconds):
    assert reading.moment(seconds) is None


def test_claims_are_read_from_the_middle_of_a_token():
    assert reading.claims_in(jwt({"sub": "ada"})) == {"sub": "ada"}


@pytest.mark.parametrize("token", [None, "", "opaque", "a.b", "a.b.c.d", "a.é.c", "a.W10.c", "a.eyJhIjoiXHVkODAwIn0.c"])
def test_a_token_without_readable_claims_has_none(token):
    assert reading.claims_in(token) == {}
