"""Media: what a file is, what it says of itself, and what can be made of it. Knows no database, settings or store."""
