"""What a mail server may do with one mail."""

from __future__ import annotations

from enum import Enum, auto


class Act(Enum):
    """What happens to one mail."""

    ACCEPT = auto()
    REFUSE_AT_RCPT = auto()
    LATER_AT_RCPT = auto()
    HANG_UP_AT_DATA = auto()
    HANG_UP_BEFORE_THE_DOT = auto()
    LATER_AFTER_THE_DOT = auto()
    REFUSE_AFTER_THE_DOT = auto()
    STORE_AND_HANG_UP = auto()
    DISCARD_AND_HANG_UP = auto()
    STORE_AND_STAY_SILENT = auto()
    STORE_AND_ANSWER_LATE = auto()
    STORE_AND_ANSWER_NONSENSE = auto()


ANSWERS = {
    Act.LATER_AFTER_THE_DOT: "452 4.3.1 full",
    Act.REFUSE_AFTER_THE_DOT: "554 5.6.0 spam",
    Act.STORE_AND_ANSWER_NONSENSE: "354 go on",
}
STORED = {act for act in Act if act is Act.ACCEPT or act.name.startswith("STORE_")}
