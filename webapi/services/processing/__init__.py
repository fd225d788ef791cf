"""A table of somebody's: profiled, cleaned, and written in another format, in flat memory.

Every statement runs in the locked child of `services/queries`; no expression of a person's is ever read here.
"""
