"""The suites that are not cases: scripts and programs; and one run of a record, again."""
