"""The characters of numbers: digits and Latin capitals, and what letters of other scripts are among them."""

from __future__ import annotations

import unicodedata

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = CHARACTERS[:10]
LETTERS = CHARACTERS[10:]
INDEX = {character: place for place, character in enumerate(CHARACTERS)}
# In a model's output the blank of CTC comes first.
BLANK = 0

# Plates of countries that write Cyrillic or Greek use only letters that exist in Latin too, for others to read.
_LOOKALIKES = str.maketrans("АВЕЁЗІКМНОРСТУХАΒΕΖΗΙΚΜΝΟΡΤΥΧØŁĐ", "ABEE3IKMHOPCTYXABEZHIKMNOPTYXOLD")
_FOLDED = str.maketrans("OQI", "001")


def normalized(text: str) -> str:
    """Give the letters and digits of a text as a number is written: capitals, no accents, Latin lookalikes."""
    upper = unicodedata.normalize("NFKD", text.upper().translate(_LOOKALIKES))
    return "".join(character for character in upper if character in INDEX)


def folded(text: str) -> str:
    """Give a text in which O, Q and 0, and I and 1, are the same: public ground truth mixes them."""
    return text.translate(_FOLDED)
