"""`supervise.py FOLDER`: a supervisor over two families of processes, for the tests to kill.

Each process writes its id into a file of its own in `FOLDER/<family>`. A family is a leader and its
child; the stubborn one does not end when it is asked to, and the steady one notes who was left when it was.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from webapi.config import environment
from webapi.local.processes import Supervisor
from webapi.local.programs import Program

GRACE = 1.0
FAMILY = """
import os, pathlib, signal, sys, time
folder, stubborn = pathlib.Path(sys.argv[1]), sys.argv[2] == "stubborn"
leader = os.getpid()
def end(number, frame):
    if os.getpid() == leader:
        others = [int(path.name) for path in (folder.parent / "stubborn").iterdir()]
        alive = [pid for pid in others if os.path.exists(f"/proc/{pid}")]
        (folder.parent / "left-when-steady-was-asked").write_text(str(len(alive)))
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if stubborn else end)
os.fork()
(folder / str(os.getpid())).touch()
while True:
    signal.pause()
"""


def main() -> None:
    root = Path(sys.argv[1])
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup, which it would respect
    with Supervisor(root, root / "log", lambda line: print(line, flush=True), grace=GRACE) as supervisor:
        for floor, family in enumerate(("steady", "stubborn")):
            (root / family).mkdir()
            command = (sys.executable, "-I", "-c", FAMILY, str(root / family), family)
            supervisor.start(Program(family, command, environment({}), floor=floor))
        supervisor.watch()


if __name__ == "__main__":
    main()
