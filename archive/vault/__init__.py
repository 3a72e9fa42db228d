"""Files under lock and key: writing them into objects of a store, reading them back. See docs/encryption.md."""
