"""Everything on nothing: the whole system on a machine that has only Python, without root or Docker."""
