"""The kit that we ship: fakes that are true to their ports, contract suites, and values to test with."""
