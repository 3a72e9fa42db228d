"""The servers we bring along: PostgreSQL and Valkey from wheels, each only when no URL names another."""

from archive.embedded.places import addresses

__all__ = ["addresses"]
