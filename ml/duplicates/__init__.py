"""Duplicates: what belongs together, how, and why. Functions over arrays and records; no files, no database."""
