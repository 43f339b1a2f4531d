"""What the page asks about the folders of chats."""

from collections.abc import Sequence
from pathlib import Path

from doorkey.errors import FolderRefused

CHOOSE = "Choose the folder of one project, by its whole path."


class ChatFolders:
    """Looks at folders as a chat's tools would; `guarded` are the places that no tool may reach."""

    def __init__(self, guarded: Sequence[Path]) -> None:
        self._guarded = guarded

    def check(self, text: str) -> str:
        """Return a chat's folder as it will be used. Raises FolderRefused for one that must stay closed."""
        from doorkey.agent.fence import Folder

        try:
            return str(Folder.open(text, guarded=self._guarded).path)
        except FolderRefused as refusal:
            raise FolderRefused(f"{refusal}.", hint=CHOOSE) from refusal

    def preview(self, folder: str, path: str, content: str) -> str | None:
        """Show what writing a file would change, as a diff; None where the write would be refused."""
        from doorkey.agent.fence import Folder
        from doorkey.agent.write import preview

        try:
            return preview(Folder.open(folder, guarded=self._guarded), path, content)
        except FolderRefused:
            return None
