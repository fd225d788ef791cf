"""`leash.py PARENT[:USER] COMMAND…` becomes a command that does not outlive the process PARENT, which started it.

On Linux the kernel sends it SIGTERM when PARENT ends, however PARENT ends; elsewhere the guard alone sees to that.
It is a program of its own because code between fork and exec may deadlock when the parent has threads.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main() -> None:
    who, *command = sys.argv[1:]
    parent, _, user = who.partition(":")
    if user:  # before the rest: the kernel forgets a death signal when the user changes
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    # Who asked may have died before the kernel knew that we want to hear of it.
    if os.getppid() == int(parent):
        os.execvp(command[0], command)  # noqa: S606 # nosec B606 - no shell is wanted


if __name__ == "__main__":
    main()
