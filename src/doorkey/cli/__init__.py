"""The terminal: one file for each command, each of them options, a parser and a `run`."""
