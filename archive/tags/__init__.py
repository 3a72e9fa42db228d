"""Tags: words on assets, which two spellings that differ in case only do not make two."""
