"""Events for browsers: published inside the transaction that makes them true, read in order of commit."""
