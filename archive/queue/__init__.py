"""The queue: a table of jobs that is the truth, and Redis (through RQ) as the bell that wakes a worker."""
