"""Lossy copies of pictures whose loss was measured: the encoder's setting is searched for, a picture at a time."""
