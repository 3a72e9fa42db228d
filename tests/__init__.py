"""Tests of the whole: on a real PostgreSQL, a real Valkey, real processes and a real browser."""
