"""Every flow against an OpenID certified server that we did not write: what we believe of the RFCs, others hold too."""

from datetime import timedelta

import httpx2
import pytest

from tests.journeys.person import Login
from tests.peers.peer import approve, approve_device

pytestmark = [pytest.mark.slow, pytest.mark.peer, pytest.mark.xdist_group("peer")]

AGO = timedelta(seconds=-1)


def sign_in(program, who="ada", *arguments):
    login = Login(program, "peer", "--no-browser", *arguments)
    httpx2.get(approve(login.url, who=who))
    ended = login.end()
    assert ended.code == 0, ended
    return ended.events[-1]["account"]


def renewals(peer):
    return peer.count(event="granted", grant="refresh_token")


def test_an_issuer_alone_is_enough_to_sign_in_with_a_proven_identity(program):
    account = sign_in(program, "ada")

    assert (account["identity"], account["state"], account["method"]) == ("ada@peer.example", "ready", "oauth")
    assert account["expires_at"]
    token = program.run("token", "peer")
    assert (token.code, len(token.out.strip()) > 20) == (0, True)


def test_two_people_are_two_accounts_and_one_person_again_is_the_same(program):
    ada, grace, again = sign_in(program, "ada"), sign_in(program, "grace"), sign_in(program, "ada")

    assert ada["id"] == again["id"] != grace["id"]
    assert len(program.accounts()) == 2


def test_a_denied_consent_ends_the_sign_in(program):
    login = Login(program, "peer", "--no-browser")

    httpx2.get(approve(login.url, decision="deny"))

    ended = login.end()
    assert (ended.code, ended.events[-1]["error"]) == (1, "sign_in_failed")
    assert program.accounts() == []


def test_a_reply_without_its_issuer_is_refused_because_this_one_always_names_itself(program):
    login = Login(program, "peer", "--no-browser")
    reply = approve(login.url)

    stripped = httpx2.get(reply.partition("&iss=")[0])
    httpx2.get(reply)

    assert "Not this sign-in" in stripped.text
    assert login.end().code == 0


def test_an_expired_token_is_renewed_and_its_refresh_token_rotated(program, peer):
    sign_in(program)
    tokens = [program.run("token", "peer").out]
    before = renewals(peer)

    for _ in range(3):
        program.grow_old(before_its_end=AGO)
        tokens.append(program.run("token", "peer").out)

    assert (renewals(peer) - before, len(set(tokens))) == (3, 4)


def test_eight_programs_that_find_it_expired_renew_it_once_and_stay_signed_in(program, peer):
    sign_in(program)
    program.grow_old(before_its_end=AGO)
    before = renewals(peer)

    asking = [program.start("token", "peer") for _ in range(8)]
    ended = [program.finish(process) for process in asking]

    assert ({ran.code for ran in ended}, len({ran.out for ran in ended}), renewals(peer) - before) == ({0}, 1, 1)
    program.grow_old(before_its_end=AGO)
    assert program.run("token", "peer").code == 0


def test_a_spent_refresh_token_ends_the_grant_and_the_state_says_so(program):
    account = sign_in(program)
    with program.house() as house:
        spent = house.vault.accounts.load(account["id"]).tokens.refresh
    program.grow_old(before_its_end=AGO)
    program.run("token", "peer")
    with program.house() as house:
        endpoint = house.services.catalog.provider("peer").method("oauth").issuer
    replay = {"grant_type": "refresh_token", "client_id": "doorkey", "refresh_token": spent.reveal()}
    assert httpx2.post(f"{endpoint}/token", data=replay).json()["error"] == "invalid_grant"
    program.grow_old(before_its_end=AGO)

    ended = program.run("token", "peer")

    assert ended.code == 3
    assert program.accounts()[0]["state"] == "sign_in_needed"
    assert sign_in(program)["id"] == account["id"]
    assert program.run("token", "peer").code == 0


def test_leaving_with_revoke_ends_the_grant_there(program):
    account = sign_in(program)
    with program.house() as house:
        tokens = house.vault.accounts.load(account["id"]).tokens
        endpoint = house.services.catalog.provider("peer").method("oauth").issuer

    left = program.run("logout", account["id"], "--revoke")

    again = {"grant_type": "refresh_token", "client_id": "doorkey", "refresh_token": tokens.refresh.reveal()}
    assert left.code == 0
    assert httpx2.post(f"{endpoint}/token", data=again).json()["error"] == "invalid_grant"
    assert program.accounts() == []


def test_leaving_one_of_two_sign_ins_of_different_people_leaves_the_other_alone(program):
    ada, grace = sign_in(program, "ada"), sign_in(program, "grace")

    program.run("logout", ada["id"], "--revoke")

    program.grow_old(before_its_end=AGO)
    assert program.run("token", "peer", "--account", grace["id"]).code == 0


@pytest.mark.parametrize(("decision", "code"), [("allow", 0), ("deny", 1)])
def test_a_code_on_another_device(program, decision, code):
    login = Login(program, "peer", "--device")
    begun = login.begun

    approve_device(f"{begun['verification_uri']}?user_code={begun['user_code']}", decision=decision)

    ended = login.end("")
    assert (ended.code, begun["event"]) == (code, "device_code")
    assert [account["identity"] for account in program.accounts()] == ["ada@peer.example"] * (1 - code)


def test_a_device_sign_in_is_renewed_like_any_other(program, peer):
    login = Login(program, "peer", "--device")
    begun = login.begun
    approve_device(f"{begun['verification_uri']}?user_code={begun['user_code']}")
    assert login.end("").code == 0
    program.grow_old(before_its_end=AGO)
    before = renewals(peer)

    assert program.run("token", "peer").code == 0

    assert renewals(peer) - before == 1
