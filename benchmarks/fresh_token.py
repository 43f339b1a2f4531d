"""Compare `get()` of a fresh token with the floor: a dictionary look-up and a clock read."""

import time
import timeit
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from doorkey.bootstrap import open_house
from doorkey.domain.secret import Secret
from doorkey.service.resolve import Wish

CALLS = 200_000
ROUNDS = 9


def main() -> None:
    """Print both figures, interleaved so that a busy machine bends them alike."""
    with TemporaryDirectory() as folder, open_house(environ={"DOORKEY_HOME": folder}, here=Path(folder)) as house:
        services = house.services
        services.keys.keep("openai", "api-key", Secret("sk-benchmark"), name=None, check=False)
        source = services.sources.of(services.resolver.choose(Wish(provider="openai")))
        floor_of = {"openai": (Secret("sk-benchmark"), time.time() + timedelta(hours=1).total_seconds())}

        def floor() -> Secret | None:
            secret, good_until = floor_of["openai"]
            return secret if time.time() < good_until else None

        floors, gets = [], []
        for _ in range(ROUNDS):
            floors.append(timeit.timeit(floor, number=CALLS) / CALLS * 1e6)
            gets.append(timeit.timeit(source.get, number=CALLS) / CALLS * 1e6)
    print(f"dictionary and clock   {median(floors):.3f} µs a call")
    print(f"get() of a fresh token {median(gets):.3f} µs a call")
    print(f"ratio                  {median(gets) / median(floors):.2f} (wanted: at most 2.5)")


if __name__ == "__main__":
    main()
