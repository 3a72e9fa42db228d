"""Forms of an original: giving back what was received whatever is stored, proving it, and turning to another form."""
