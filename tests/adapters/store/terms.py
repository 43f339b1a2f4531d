"""Where accounts belong, as a test says it."""


class OneMethodStays:
    """Let the accounts of one method stay here, and those of others be shared; of a method `gone` nothing is known."""

    def __init__(self, method: str | None = "private") -> None:
        self.method = method

    def __call__(self, provider: str, method: str) -> bool | None:
        return None if method == "gone" else method == self.method

    def confined(self) -> list[str]:
        return ["acme"]
