"""A practice provider: a strict OAuth and model server on loopback that shares no code with the client."""

from doorkey.sandbox.app import Sandbox

__all__ = ["Sandbox"]
