"""Anthropic's Console: the profile of the vendor's own tool is read, and renewed by the vendor's own SDK only."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = pytest.mark.slow


@dataclass
class TokenEndpoint:
    """Anthropic's token endpoint: rotates one refresh token, and refuses a spent one."""

    url: str = ""
    refuses: bool = False
    held: str = "refresh-0"
    asked: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path, body):
        with self.lock:
            self.paths.append(path)
            self.asked.append(body)
            if self.refuses or body.get("refresh_token") != self.held:
                return 400, {"error": "invalid_grant"}
            self.held = f"refresh-{len(self.asked)}"
            return 200, {
                "access_token": f"sk-ant-oat01-renewed-{len(self.asked)}",
                "refresh_token": self.held,
                "expires_in": 28800,
                "token_type": "Bearer",
            }


@pytest.fixture
def endpoint():
    vendor = TokenEndpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, answer = vendor.answer(self.path, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        vendor.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield vendor
        server.shutdown()


@pytest.fixture
def profile(home, endpoint, program):
    """The folder that `ant auth login` would have made, and a Doorkey that knows where it is."""
    folder = home / "anthropic"
    for name in ("configs", "credentials"):
        (folder / name).mkdir(parents=True, mode=0o700)
    authentication = {"type": "user_oauth", "client_id": "the-vendors-own"}
    config = {"version": "1.0", "base_url": endpoint.url, "authentication": authentication}
    (folder / "configs" / "default.json").write_text(json.dumps(config))
    (folder / "configs" / "default.json").chmod(0o600)
    program.environ["ANTHROPIC_CONFIG_DIR"] = str(folder)
    return folder / "credentials" / "default.json"


def write(profile, *, lasts):
    credentials = {
        "version": "1.0",
        "type": "oauth_token",
        "access_token": "sk-ant-oat01-first",
        "refresh_token": "refresh-0",
        "expires_at": int(time.time()) + lasts,
    }
    profile.write_text(json.dumps(credentials))
    profile.chmod(0o600)


@pytest.fixture
def connected(program, profile):
    write(profile, lasts=3600)
    kept = program.run("login", "anthropic", "--method", "console", "--json")
    assert kept.code == 0, kept
    return program


def test_a_valid_token_is_read_and_nobody_is_asked(connected, endpoint):
    token = connected.run("token", "anthropic")

    assert token.out == "sk-ant-oat01-first\n"
    assert endpoint.asked == []
    told = connected.run("token", "anthropic", "--json").json
    assert told["token"] == "sk-ant-oat01-first"
    assert told["expires_at"] is not None


def test_the_token_stays_where_the_vendor_keeps_it(connected):
    connected.run("token", "anthropic")

    kept = b"".join(path.read_bytes() for path in connected.home.glob("*") if path.is_file())
    assert b"sk-ant-oat01" not in kept
    assert connected.accounts()[0]["method"] == "console"


def test_an_expired_token_is_renewed_once_for_four_programs(connected, endpoint, profile):
    write(profile, lasts=-60)

    running = [connected.start("token", "anthropic") for _ in range(4)]
    ended = [connected.finish(process) for process in running]

    assert [each.code for each in ended] == [0] * 4, ended
    assert {each.out for each in ended} == {"sk-ant-oat01-renewed-1\n"}
    assert len(endpoint.asked) == 1
    assert endpoint.asked[0]["client_id"] == "the-vendors-own"


def test_what_was_renewed_is_written_where_the_vendors_tool_finds_it(connected, profile):
    write(profile, lasts=-60)

    connected.run("token", "anthropic")

    written = json.loads(profile.read_text())
    assert (written["access_token"], written["refresh_token"]) == ("sk-ant-oat01-renewed-1", "refresh-1")
    assert profile.stat().st_mode & 0o777 == 0o600


def test_a_file_that_others_can_read_is_refused(connected, profile):
    profile.chmod(0o644)

    token = connected.run("token", "anthropic")

    assert (token.code, token.out) == (3, "")
    assert "can be read by others" in token.err
    assert "chmod 600" in token.err


def test_a_revoked_sign_in_asks_for_the_vendors_own_tool(connected, endpoint, profile):
    write(profile, lasts=-60)
    endpoint.refuses = True

    token = connected.run("token", "anthropic")

    assert (token.code, token.out) == (3, "")
    assert "does not accept the profile" in token.err
    assert "Run `ant auth login`" in token.err


def test_without_a_profile_there_is_nothing_to_connect(program, home):
    refused = program.run("login", "anthropic", "--method", "console", ANTHROPIC_CONFIG_DIR=str(home / "nowhere"))

    assert refused.code == 3
    assert "Run `ant auth login`" in refused.err
    assert program.accounts() == []


def test_logging_out_leaves_the_vendors_files_alone(connected, profile):
    before = profile.read_bytes()

    left = connected.run("logout", connected.accounts()[0]["id"])

    assert left.code == 0
    assert profile.read_bytes() == before
