"""Quality: what can be measured of one picture, and what may be said of it. Functions over arrays; no files, no database."""
