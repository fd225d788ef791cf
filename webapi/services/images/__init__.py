"""Pictures in other sizes.

`sizes`, `resizing` and `running` belong to the worker, `order` to both. Everything else runs in a child process
under limits, which is started anew for each job, imports nothing else of webapi and is the only one that loads
an image decoder.
"""
