"""Pictures of numbers drawn from nothing but geometry, free fonts and chance, every one decided by its seed."""
