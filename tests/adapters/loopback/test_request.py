import socket

from hypothesis import given
from hypothesis import strategies as st

from doorkey.adapters.loopback.request import Asked, parse, receive


def test_a_request_is_its_method_target_and_host():
    asked = parse(b"GET /callback?a=b HTTP/1.1\r\nhost:  127.0.0.1:1455 \r\nAccept: */*")

    assert asked == Asked(method="GET", target="/callback?a=b", host="127.0.0.1:1455")
    assert asked.path == "/callback"


def test_a_request_may_arrive_in_pieces():
    browser, ours = socket.socketpair()
    with browser, ours:
        browser.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        browser.sendall(b"\r\n")

        assert receive(ours) == Asked(method="GET", target="/", host="a")


def test_patience_is_for_the_whole_request():
    browser, ours = socket.socketpair()
    with browser, ours:
        browser.sendall(b"GET / HT")

        assert receive(ours, patience=0) is None


@given(st.binary())
def test_no_bytes_crash_the_reading(head):
    asked = parse(head)

    assert asked is None or " " not in asked.target
