"""The suites and their driver, and what can be done with a record: judging it again, and repeating one of its
runs."""
