"""What files say of themselves: EXIF, XMP, IPTC and a film's tags, as facts. See docs/metadata.md."""

from __future__ import annotations

from archive.media.metadata.dates import taken_from_name
from archive.media.metadata.describe import of_xmp, read
from archive.media.metadata.videos import from_video_tags

__all__ = ["from_video_tags", "of_xmp", "read", "taken_from_name"]
