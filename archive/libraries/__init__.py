"""Libraries and who belongs to them."""
