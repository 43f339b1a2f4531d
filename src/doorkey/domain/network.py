"""How an address is reached: through which proxy, and who vouches for its certificate besides the usual."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from doorkey.domain.secret import STARS, Secret

DIRECT = "none"
# Stands for an address that could not be read: nothing goes out while it does.
UNREADABLE = Secret("unreadable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What the config says of it; None leaves it to what holds more widely, in the end to the environment.

    `proxy` is an address, perhaps with a password in it, or DIRECT. `ca_bundle` is the path of a file.
    """

    proxy: Secret | None = None
    ca_bundle: str | None = None

    def over(self, wider: "Network") -> "Network":
        """Lay this over what holds more widely, field by field."""
        return Network(proxy=self.proxy or wider.proxy, ca_bundle=self.ca_bundle or wider.ca_bundle)


USUAL = Network()


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """The way that was chosen to a host: `proxy` is None where nothing stands between; `why` names who chose.

    `tls` is False where plain http serves, which is on this machine only.
    """

    host: str
    why: str
    tls: bool = True
    proxy: Secret | None = None
    ca_bundle: str | None = None

    @property
    def shown(self) -> str | None:
        """The proxy as it may be printed: without whom it knows us as."""
        if self.proxy is None:
            return None
        address = urlsplit(self.proxy.reveal())
        user, at, place = address.netloc.rpartition("@")
        return f"{address.scheme}://{STARS + at if user else ''}{place}"
