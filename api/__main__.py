"""``python -m api`` is the ``tagphoto`` command, for checkouts where nothing is installed."""

from api.cli import main

if __name__ == "__main__":
    main()
