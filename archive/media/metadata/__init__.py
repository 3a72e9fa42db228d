"""What files say of themselves: EXIF, XMP, IPTC and a film's tags, as facts. See docs/metadata.md.

Nothing is gathered here: the parent uses some of these modules, and must not import those that load exiv2.
"""
