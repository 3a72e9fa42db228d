"""Files under lock and key: their keys, writing them into objects of the store, reading them back. See docs/encryption.md."""
