"""The area `components` of `assay fuzz`: typed values that cross from one component to another.

A script of this area is one line, an `Exchange`: a type, a value of it as it lies in the memory of the component that
gives it, and the string encodings of both. A component of many exchanges is one run (`text`, `play`). What the Canonical
ABI says about an exchange is computed too (`expected`), and takes part in the comparison as one more runtime.
"""
