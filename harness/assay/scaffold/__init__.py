"""Files that a command writes from templates: `assay new-case` (case.py), `assay init` (repository.py).

In: answers. Out: files by their paths, as text; written only where nothing is lost.
"""
