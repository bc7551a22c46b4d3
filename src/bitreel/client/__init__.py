"""A library that a server holds, used as one on this disk."""

from bitreel.client.remote import RemoteLibrary

__all__ = ["RemoteLibrary"]
