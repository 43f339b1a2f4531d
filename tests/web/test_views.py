"""Templates that become pages."""

from doorkey.web.views import part


def test_bytes_that_are_no_text_break_no_page():
    answer = part("parts/toast.html", message="/home/x\udcff/.env", hint="", tone="bad")

    assert "/home/x?/.env" in bytes(answer.body).decode()
