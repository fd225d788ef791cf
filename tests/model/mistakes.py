"""Mistakes that could be made in the protocol, and the promise that each of them breaks."""

from __future__ import annotations

# The name of the switch, the policy under which it shows, and how the name of the broken promise begins.
MISTAKES = [
    ("no fence in C2", "hold", "I4"),
    ("no fence in E1", "hold", "I6"),
    ("no relay", "hold", "I12"),
    ("maybe is not sticky", "resend", "I6"),
    ("claim without compare-and-set", "hold", "I3"),
    ("the mark comes after the act", "hold", "I16"),
    ("a verdict without looking at the effect", "hold", "I6"),
    ("an act in flight is tried again", "hold", "I5"),
    ("a resend is not counted", "resend", "I5"),
    ("what is done is done again", "hold", "I5"),
    ("cancel is not looked at in E1", "hold", "I11"),
    ("the sweeper overlooks an act in flight", "hold", "I6"),
    ("the key is taken in a transaction of its own", "hold", "I1"),
    ("the key is not kept", "hold", "I8"),
    ("202 comes before the commit", "hold", "I1"),
    ("a replay counts attempts from nothing", "resend", "I3"),
]
