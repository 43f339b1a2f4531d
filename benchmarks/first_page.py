"""Time `./run` on a clone that is set up, from the command to the first page that a browser has read."""

import os
import subprocess
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx2

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 7


def main() -> None:
    """Print the median of several starts, each over a new vault."""
    subprocess.run([ROOT / "run", "--version"], check=True, stdout=subprocess.DEVNULL)
    times = [one_start() for _ in range(ROUNDS)]
    print(f"./run to a served first page: median {median(times):.2f} s of {ROUNDS} (wanted: at most 1.5 s)")


def one_start() -> float:
    """Start the app, open its one-time address and read the page behind it; return the seconds that it took."""
    with TemporaryDirectory() as home:
        began = time.perf_counter()
        app = subprocess.Popen(
            [ROOT / "run", "open", "--no-browser"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"DOORKEY_HOME": home},
        )
        try:
            assert app.stdout is not None
            address = app.stdout.readline().strip()
            with httpx2.Client(timeout=20) as browser:
                browser.get(address.partition("#")[0]).raise_for_status()
                browser.get(address.partition("/launch")[0] + "/").raise_for_status()
            return time.perf_counter() - began
        finally:
            app.terminate()
            app.wait()


if __name__ == "__main__":
    main()
