"""The one place that knows every adapter: it builds what the page, the terminal and the library are handed."""

from doorkey.bootstrap.house import House, open_house
from doorkey.bootstrap.page import serve_app

__all__ = ["House", "open_house", "serve_app"]
