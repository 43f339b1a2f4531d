"""Open a page in the person's browser, without waiting for it and without showing its address to other programs."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

# They would take over the terminal that we print to.
TEXT_BROWSERS = frozenset({"browsh", "elinks", "links", "links2", "lynx", "w3m", "www-browser"})
OPENERS = {"darwin": "open"}


class SystemBrowser:
    """The desktop's own browser, or the one that BROWSER names; `BROWSER=none` means that there is none.

    Without a screen (SSH, a container) only a BROWSER given as a path is started, because editors that work
    remotely put a program there that opens the page where the person sits.
    """

    def __init__(self, environ: Mapping[str, str], *, platform: str = sys.platform) -> None:
        self._environ = environ
        self._platform = platform
        self._folder: Path | None = None

    def open(self, url: str) -> bool:
        """Start the browser and return at once; False where there is none to start."""
        return self._is_web(url) and self._start(url)

    def open_private(self, url: str) -> bool:
        """Open a URL that holds a one-time token through a file that only its owner can read (rule 8).

        The list of processes then shows the file's name; `close` removes the file.
        """
        if not self._is_web(url) or self._command("") is None:
            return False
        return self._start(self._redirect_file(url).as_uri())

    def close(self) -> None:
        """Remove the redirect files; safe to call twice."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _start(self, address: str) -> bool:
        command = self._command(address)
        if command is None:
            return False
        silent = subprocess.DEVNULL
        try:
            started = subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent, start_new_session=True)
        except OSError:
            return False
        # Somebody has to take note of its end, or it stays in the list of processes as long as we do.
        threading.Thread(target=started.wait, name="doorkey-browser", daemon=True).start()
        return True

    def _command(self, address: str) -> list[str] | None:
        """Build the command line that opens an address: `%s` in BROWSER stands for it, else it comes last."""
        words = self._words()
        program = shutil.which(words[0], path=self._environ.get("PATH")) if words else None
        if program is None or Path(program).name in TEXT_BROWSERS:
            return None
        if not self._has_screen() and "/" not in words[0]:
            return None
        arguments = [word.replace("%s", address) for word in words[1:]]
        return [program, *arguments] if "%s" in "".join(words) else [program, *arguments, address]

    def _words(self) -> list[str]:
        named = self._environ.get("BROWSER", "").partition(os.pathsep)[0].strip()
        if named == "none":
            return []
        try:
            return shlex.split(named) or [OPENERS.get(self._platform, "xdg-open")]
        except ValueError:
            return []

    def _has_screen(self) -> bool:
        if self._platform == "darwin":
            return "SSH_CONNECTION" not in self._environ
        return bool(self._environ.get("DISPLAY") or self._environ.get("WAYLAND_DISPLAY"))

    @staticmethod
    def _is_web(url: str) -> bool:
        # Anything else could be an option, or a file, to the program that is started.
        return urlsplit(url).scheme in {"http", "https"}

    def _redirect_file(self, url: str) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="doorkey-"))
        template = Template(Path(__file__).with_name("redirect.html").read_text("utf-8"))
        # Both of tempfile's makers leave everybody else out: folder 0700, file 0600.
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=self._folder, prefix="open-", suffix=".html", delete=False
        ) as page:
            page.write(template.substitute(url=escape(url)))
        return Path(page.name)
