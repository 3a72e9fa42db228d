"""Models as functions over batches. Knows no settings and no database; empty until the first model lands."""
