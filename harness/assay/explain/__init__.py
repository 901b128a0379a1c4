"""What a person asks about a requirement or a result, answered from the files of a project and a record.

In: cases, catalogue, expectations, divergences, guests, a record. Out: rows of a label and words, for the terminal.
"""
