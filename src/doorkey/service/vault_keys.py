"""What a person does with the key of the vault: look at it, move it, rotate, recover."""

from collections.abc import Callable

from doorkey.domain.secret import Secret
from doorkey.ports import KeyFacts, KeyRing


class VaultKeys:
    """Takes every step of a change; one that was broken off is gone on with by the next call.

    All but `facts` raise KeyUnreadable where the vault does not open, and StoreBusy where another program was first.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def facts(self) -> KeyFacts:
        """Tell what there is to tell without a secret; works with a wrong or missing key."""
        return self._ring.facts()

    def use(self, source: str) -> KeyFacts:
        """Move to a new master key in a source. Raises UnknownName."""
        for _ in self._ring.move(source):
            pass
        return self._ring.facts()

    def recover(self, code: Secret, source: str) -> KeyFacts:
        """Open the vault by its recovery code, and keep a new master key in a source. Raises UnknownName."""
        for _ in self._ring.move(source, code=code):
            pass
        return self._ring.facts()

    def rotate(self, show: Callable[[Secret], None], told: Callable[[int], None]) -> None:
        """Seal everything again under a new data key; `told` hears what is left, `show` the new recovery code.

        A code before this one ends when `show` has returned.
        """
        for step in self._ring.rotate():
            if isinstance(step, Secret):
                show(step)
            else:
                told(step)
