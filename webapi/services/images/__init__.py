"""Pictures in other sizes.

`sizes` and `resizing` belong to the worker. Everything else runs in a child process under limits, which is
started anew for each job, imports nothing else of webapi and is the only one that loads an image decoder.
"""
