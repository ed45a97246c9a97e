"""Notebooks as tests: read, executed in a kernel of their own, judged cell by cell, and shown to pytest.

One idea: from outside in, `items` is what pytest sees, `executing` runs one notebook, `kernels` is its kernel, and
`watching` stands in that kernel. The others are what they use.
"""
