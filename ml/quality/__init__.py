"""Quality: what can be measured of a picture, and what may be said of it. Functions over arrays; no files."""
