"""Race bibs and licence plates: find, rectify, read, interpret. Each step is usable alone; ``docs/numbers.md`` is the map."""
