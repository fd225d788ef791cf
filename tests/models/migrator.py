"""`python -m tests.models.migrator URL COUNT`: what `flask db upgrade` does, in so many processes at once.

They are forked from one that has loaded the program, so that they begin together. The exit code is the sum of theirs.
"""

from __future__ import annotations

import os
import sys

from flask_migrate import upgrade

from webapi import create_app


def migrate(url: str) -> None:
    with create_app({"DATABASE_URL": url}).app_context():
        upgrade()


def main(url: str, count: int) -> int:
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            migrate(url)
            os._exit(0)
        children.append(child)
    return sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
