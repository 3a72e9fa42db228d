"""Ingest: from received bytes to something one can look at; each step does what an asset still lacks."""
