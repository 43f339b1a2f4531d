import http.client
import socket
import threading
from urllib.parse import urlsplit

import pytest

from doorkey.adapters.loopback.listener import LoopbackListener
from doorkey.errors import Misconfigured, PortBusy, ReplyRejected
from doorkey.ports import Outcome

DONE = Outcome(ok=True, title="You are signed in", text="Go back to Doorkey.", finished=True)
WRONG = Outcome(ok=False, title="Not this one", text="It belongs to another sign-in.", finished=False)


class Attempt:
    """Takes replies as the sign-in would: the right state ends it, every other leaves it waiting."""

    def __init__(self):
        self.replies = []

    def __call__(self, url):
        self.replies.append(url)
        return DONE if "state=right" in url else WRONG


@pytest.fixture
def attempt():
    return Attempt()


@pytest.fixture
def listener(attempt):
    listener = LoopbackListener.open("http://127.0.0.1:0/callback", (), attempt)
    yield listener
    listener.close()


def ask(listener, target, *, method="GET", host=None, address="127.0.0.1"):
    netloc = urlsplit(listener.redirect).netloc
    connection = http.client.HTTPConnection(address, int(netloc.rpartition(":")[2]), timeout=20)
    connection.putrequest(method, target, skip_host=True)
    connection.putheader("Host", host or netloc)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_the_redirect_names_the_port_that_is_held(listener):
    parts = urlsplit(listener.redirect)

    assert (parts.scheme, parts.hostname, parts.path) == ("http", "127.0.0.1", "/callback")
    assert parts.port


def test_a_reply_is_delivered_as_its_full_url(listener, attempt):
    answer, page = ask(listener, "/callback?code=abc&state=right")

    assert attempt.replies == [f"{listener.redirect}?code=abc&state=right"]
    assert answer.status == 200
    assert "You are signed in" in page


def test_a_wrong_state_is_answered_and_the_listener_goes_on(listener, attempt):
    _, first = ask(listener, "/callback?code=abc&state=wrong")
    _, second = ask(listener, "/callback?code=abc&state=right")

    assert "Not this one" in first
    assert "You are signed in" in second
    assert len(attempt.replies) == 2


def test_loading_the_page_again_does_not_sign_in_twice(listener, attempt):
    ask(listener, "/callback?code=abc&state=right")
    _, again = ask(listener, "/callback")

    assert "You are signed in" in again
    assert len(attempt.replies) == 1


@pytest.mark.parametrize(
    "target", ["/", "/favicon.ico", "/callback/", "/callback2?state=right", "http://127.0.0.1/callback"]
)
def test_other_paths_are_not_there(listener, attempt, target):
    answer, page = ask(listener, target)

    assert (answer.status, page, attempt.replies) == (404, "", [])


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "OPTIONS", "get"])
def test_other_methods_are_refused(listener, attempt, method):
    answer, page = ask(listener, "/callback?state=right", method=method)

    assert (answer.status, page, attempt.replies) == (405, "", [])
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:{port}", "127.0.0.1:{port}.evil.example"])
def test_a_name_that_was_bent_to_this_machine_gets_nothing(listener, attempt, host):
    port = urlsplit(listener.redirect).port

    answer, _ = ask(listener, "/callback?state=right", host=host.format(port=port))

    assert (answer.status, attempt.replies) == (404, [])


def raw(listener, sent):
    with socket.create_connection(("127.0.0.1", urlsplit(listener.redirect).port), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def test_two_hosts_in_one_request_get_nothing(listener, attempt):
    netloc = urlsplit(listener.redirect).netloc.encode()
    answer = raw(listener, b"GET /callback?state=right HTTP/1.1\r\nHost: %s\r\nHost: evil\r\n\r\n" % netloc)

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert attempt.replies == []


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /callback\r\n\r\n",
        b"GET /callback SPDY/1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET /callback HTTP/1.1\r\nHost: unfinished",
        b"GET /callback?%s HTTP/1.1\r\n\r\n" % (b"x" * 9000),
        b"GET /callback HTTP/1.1\r\nx: %s\r\n\r\n" % (b"x" * 40000),
    ],
)
def test_what_is_no_proper_request_is_refused(listener, attempt, sent):
    answer = raw(listener, sent)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert attempt.replies == []


def test_a_client_that_says_nothing_does_not_keep_the_others_waiting(listener):
    port = urlsplit(listener.redirect).port
    with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(b"GET /callb")
        answer, _ = ask(listener, "/callback?state=right")

    assert answer.status == 200


def test_an_exchange_that_takes_long_does_not_keep_the_others_waiting():
    begun, finish = threading.Event(), threading.Event()

    def deliver(_url):
        begun.set()
        finish.wait(20)
        return DONE

    listener = LoopbackListener.open("http://127.0.0.1:0/callback", (), deliver)
    slow = threading.Thread(target=ask, args=(listener, "/callback"))
    slow.start()
    begun.wait(20)
    answer, _ = ask(listener, "/favicon.ico")
    finish.set()
    slow.join()
    listener.close()

    assert answer.status == 404


def test_the_page_arrives_though_the_listener_is_closed_while_it_is_made():
    listeners: list[LoopbackListener] = []

    def deliver(_url):
        listeners[0].close()
        return DONE

    listeners.append(LoopbackListener.open("http://127.0.0.1:0/callback", (), deliver))
    answer, page = ask(listeners[0], "/callback")

    assert answer.status == 200
    assert "You are signed in" in page


def test_an_error_of_ours_is_told_on_the_page():
    def deliver(_url):
        raise ReplyRejected("The reply is not ours.", hint="Try <again>.")

    listener = LoopbackListener.open("http://127.0.0.1:0/callback", (), deliver)
    _, page = ask(listener, "/callback")
    listener.close()

    assert "The reply is not ours. Try &lt;again&gt;." in page


def test_the_page_is_not_kept_and_tells_nobody_where_it_was(listener):
    answer, page = ask(listener, "/callback?state=right&code=abc")

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'nonce-")
    assert "abc" not in page


def test_closing_frees_the_port_at_once(listener):
    ask(listener, "/callback?state=right")
    port = urlsplit(listener.redirect).port

    listener.close()
    again = LoopbackListener.open(f"http://127.0.0.1:{port}/callback", (), Attempt())
    again.close()

    assert urlsplit(again.redirect).port == port


def test_closing_twice_is_fine(listener):
    listener.close()
    listener.close()

    with pytest.raises(ConnectionRefusedError):
        ask(listener, "/callback")


def test_a_taken_port_leads_to_the_next_registered_one(attempt):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = free_port()
        busy = taken.getsockname()[1]
        listener = LoopbackListener.open(f"http://127.0.0.1:{busy}/callback", (other,), attempt)
        listener.close()

    assert listener.redirect == f"http://127.0.0.1:{other}/callback"


def test_when_every_port_is_taken_the_hint_is_to_paste(attempt):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        first, second = one.getsockname()[1], two.getsockname()[1]
        with pytest.raises(PortBusy, match=f"{first} and {second}") as caught:
            LoopbackListener.open(f"http://127.0.0.1:{first}/callback", (second,), attempt)

    assert "paste" in caught.value.hint


def test_localhost_is_held_in_both_families(attempt):
    listener = LoopbackListener.open("http://localhost:0/auth/callback", (), attempt)
    addresses = ["127.0.0.1", "::1"] if has_ipv6() else ["127.0.0.1"]

    statuses = [ask(listener, "/auth/callback?state=wrong", address=address)[0].status for address in addresses]
    listener.close()

    assert set(statuses) == {200}
    assert listener.redirect.startswith("http://localhost:")


def test_a_port_that_somebody_holds_in_the_other_family_counts_as_taken(attempt):
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port, other = taken.getsockname()[1], free_port()
        listener = LoopbackListener.open(f"http://localhost:{port}/callback", (other,), attempt)
        listener.close()

    assert listener.redirect == f"http://localhost:{other}/callback"


def test_the_numeric_address_is_not_held_in_the_other_family(listener):
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")

    with pytest.raises(ConnectionRefusedError):
        ask(listener, "/callback", address="::1")


@pytest.mark.parametrize("redirect", ["http://0.0.0.0:0/callback", "http://provider.example/callback", "nothing"])
def test_only_this_machine_is_listened_on(attempt, redirect):
    with pytest.raises(Misconfigured):
        LoopbackListener.open(redirect, (), attempt)
