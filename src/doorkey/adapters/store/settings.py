"""Small named texts: the person's choices in the vault, and the app's preferences."""

from collections.abc import Mapping

from doorkey.adapters.store.database import Database


class SqlSettings:
    """Fill `ports.Choices` in the vault and `ports.Preferences` in the app: both files have the same table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str | None:
        rows = self._database.rows("SELECT value FROM settings WHERE name = ?", (name,))
        return rows[0]["value"] if rows else None

    def set(self, name: str, value: str) -> None:
        sql = "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        self._database.rows(sql, (name, value))

    def remove(self, name: str) -> None:
        self._database.rows("DELETE FROM settings WHERE name = ?", (name,))

    def starting(self, prefix: str) -> Mapping[str, str]:
        # A range, which the index serves. No LIKE: its wildcards may be in a path, and SQLite's is blind to case.
        sql = "SELECT name, value FROM settings WHERE name >= ? AND name < ?"
        return {row["name"]: row["value"] for row in self._database.rows(sql, (prefix, prefix + "\U0010ffff"))}
