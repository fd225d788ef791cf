"""Us and the peers side by side, in one run on one machine: the ratio is what counts."""
