"""Accounts: how people prove who they are, and what an admin decides about them."""
