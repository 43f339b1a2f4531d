"""Lets `python -m doorkey` be the `doorkey` command."""

from doorkey.cli.main import main

if __name__ == "__main__":
    main()
