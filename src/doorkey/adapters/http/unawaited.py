"""Threads that nobody waits for: a name look-up that hangs must not hold up the end of a command."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Unawaited(ThreadPoolExecutor):
    """Run each call in a thread of its own, which ends with the program if it has not ended before."""

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Begin a call."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()

        def body() -> None:
            try:
                future.set_result(call(*arguments, **options))
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the future
                future.set_exception(error)

        threading.Thread(target=body, name="doorkey-lookup", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as inherited
        """Leave the threads alone."""
