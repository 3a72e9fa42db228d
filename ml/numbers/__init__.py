"""Race bibs and licence plates: find, rectify, read, interpret. ``docs/numbers.md`` is the map."""
