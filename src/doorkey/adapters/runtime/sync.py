"""Drive a flow in threads: the caller's until it asks to be finished, then one of its own."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Lock, Thread
from typing import Any

from doorkey.adapters.runtime.answers import Ports, answers
from doorkey.flows.steps import Cancelled, Detach, Flow, Result, Step


class SyncRuntime:
    """Answer steps one after the other.

    After `Detach` the rest runs in a thread that `close`, and the interpreter at its end, wait for: Ctrl-C and a caller
    that gives up only stop the waiting, so a rotated pair is always saved (rule 2).
    """

    def __init__(self, ports: Ports) -> None:
        self._answers = answers(ports)
        self._lock = Lock()
        self._live: set[Future[Any]] = set()
        self._closed = False

    def run(self, flow: Flow[Result]) -> Result:
        """Drive a flow to its end and return its result, or raise what it raised.

        Ctrl-C, or the end that a signal asks for, enters the flow as Cancelled at the step that it waits at; its
        tidying up is still answered.
        """
        try:
            step = next(flow)
            while not isinstance(step, Detach):
                try:
                    step = self.advance(flow, step)
                except (KeyboardInterrupt, SystemExit):
                    self.cancel(flow)
                    raise
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        return self.finish_detached(flow).result()

    def start(self, flow: Flow[Result]) -> Future[Result]:
        """Drive a flow beside the caller; the interpreter's end waits for it only once it asked to be finished."""
        return _spawn(lambda: self.run(flow), daemon=True)

    def finish_detached(self, flow: Flow[Result]) -> Future[Result]:
        """Drive the rest of a flow that has just asked to be finished; after `close` it is cancelled instead."""
        with self._lock:
            rest = self._refuse if self._closed else self._finish
            future = _spawn(lambda: rest(flow), daemon=False)
            self._live.add(future)
        future.add_done_callback(self._live.discard)
        return future

    def close(self) -> None:
        """Wait for what has asked to be finished, so that the stores can be closed; nothing more is begun."""
        with self._lock:
            self._closed = True
            live = list(self._live)
        wait(live)

    def advance(self, flow: Flow[Result], step: Step) -> Step:
        """Answer one step and return the next; what goes wrong enters the flow, so that it can act and tidy up."""
        try:
            reply = self.answer(step)
        except Exception as error:  # noqa: BLE001 - it is the flow's to judge
            return flow.throw(error)
        return flow.send(reply)

    def answer(self, step: Step) -> Any:
        """Answer one step from the ports."""
        return self._answers[type(step)](step)

    def begin(self, step: Step) -> Future[Any]:
        """Answer one step beside the caller."""
        return _spawn(lambda: self.answer(step), daemon=True)

    def cancel(self, flow: Flow[Any]) -> None:
        """Let Cancelled enter a flow and answer whatever it still asks for."""
        try:
            step = flow.throw(Cancelled("The caller gave up."))
            while True:
                step = flow.send(None) if isinstance(step, Detach) else self.advance(flow, step)
        except Exception:  # noqa: BLE001 - the flow has ended, and nobody waits for its result
            return

    def leave(self, flow: Flow[Any], begun: Future[Any] | None) -> None:
        """End a flow whose caller gave up; a step that has begun has its effect, so its reply enters first."""
        _spawn(lambda: self._leave(flow, begun), daemon=True)

    def _leave(self, flow: Flow[Any], begun: Future[Any] | None) -> None:
        if begun is not None:
            try:
                step = flow.throw(error) if (error := begun.exception()) else flow.send(begun.result())
            except Exception:  # noqa: BLE001 - as in `cancel`
                return
            if isinstance(step, Detach):
                self.finish_detached(flow)
                return
        self.cancel(flow)

    def _refuse(self, flow: Flow[Result]) -> Result:
        self.cancel(flow)
        raise Cancelled("Doorkey is closing.")

    def _finish(self, flow: Flow[Result]) -> Result:
        step: Step = Detach()
        try:
            while True:
                step = flow.send(None) if isinstance(step, Detach) else self.advance(flow, step)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def _spawn(work: Callable[[], Result], *, daemon: bool) -> Future[Result]:
    """Run work in a thread; the interpreter waits for one that is no daemon before it ends."""
    future: Future[Result] = Future()
    future.set_running_or_notify_cancel()

    def body() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the future
            future.set_exception(error)
        else:
            future.set_result(result)

    Thread(target=body, name="doorkey-flow", daemon=daemon).start()
    return future
