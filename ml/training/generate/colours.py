"""Colours by name, as a grammar's file says them, each varied a little by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float32]
Picture = NDArray[np.uint8]

NAMED: dict[str, tuple[int, int, int]] = {
    "white": (235, 235, 232),
    "black": (28, 28, 30),
    "yellow": (240, 190, 30),
    "cream": (238, 228, 195),
    "grey": (165, 168, 170),
    "red": (175, 30, 35),
    "crimson": (150, 25, 45),
    "blue": (35, 75, 165),
    "navy": (30, 40, 95),
    "sky": (150, 195, 230),
    "green": (25, 105, 65),
    "orange": (235, 120, 30),
    "pink": (230, 140, 165),
}
_PLAIN = ("white", "black")


def colour(name: str, random: np.random.Generator, spread: float = 14) -> Colour:
    """Give a colour near the one named."""
    return np.clip(np.array(NAMED[name], np.float32) + random.normal(0, spread, 3), 4, 250).astype(np.float32)


def pair(look: dict[str, list[list[str]]], random: np.random.Generator) -> tuple[Colour, Colour]:
    """Give the colours of ground and characters of a look."""
    choices = look.get("colours", [_PLAIN])
    ground, ink = choices[int(random.integers(len(choices)))]
    return colour(ground, random), colour(ink, random)


def any_colour(random: np.random.Generator) -> Colour:
    """Give any colour at all."""
    return random.uniform(10, 245, 3).astype(np.float32)
