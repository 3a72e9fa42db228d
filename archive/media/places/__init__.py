"""Places: offline names for coordinates, in English and Russian. The data are GeoNames', see NOTICE."""

from __future__ import annotations

from archive.media.places.gazetteer import Country, Gazetteer, Place

__all__ = ["Country", "Gazetteer", "Place"]
