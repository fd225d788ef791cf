"""The proof: a system of its own, work for it, SIGKILL at random, and an oracle that does not ask the ledger."""
