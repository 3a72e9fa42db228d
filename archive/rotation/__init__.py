"""Keys exchanged for new ones: root keys and the keys of libraries. Bytes in the stores are never touched."""
