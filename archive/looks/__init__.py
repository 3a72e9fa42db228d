"""Looks: the step that sees a picture as duplicates and quality do."""
