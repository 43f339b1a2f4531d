"""Where Doorkey keeps its files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from doorkey.errors import StorageFull


@dataclass(frozen=True, slots=True)
class Folders:
    """The vault lies in `data`; its key file and the config lie in `config`, so that a copy of one lacks the other."""

    data: Path
    config: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Folders":
        """Choose one folder for all where DOORKEY_HOME names it, else the platform's two; nothing is made yet."""
        if home := environ.get("DOORKEY_HOME"):
            folder = Path(home).expanduser().absolute()
            return cls(data=folder, config=folder)
        import platformdirs

        data, config = platformdirs.user_data_path("doorkey"), platformdirs.user_config_path("doorkey")
        # macOS has one folder for both.
        return cls(data=data, config=config if config != data else Path.home() / ".config" / "doorkey")

    def make(self) -> "Folders":
        """Make what is missing, open to its owner only; raise StorageFull where the disk does not let us."""
        for folder in (self.data, self.config):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise StorageFull(f"The folder {folder} cannot be made: {error.strerror}.") from error
        return self
