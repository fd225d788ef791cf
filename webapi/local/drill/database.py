"""Where a drill's ledger is: a new SQLite file, a PostgreSQL of this machine, or an empty database that is given."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

import psycopg
from sqlalchemy import create_engine, inspect

from webapi.config import Settings, environment
from webapi.errors import ConfigError
from webapi.local import ports
from webapi.local.folder import write_private
from webapi.local.processes import Supervisor
from webapi.local.programs import Program

PLACES = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin")
SLOW = 30.0  # seconds for a server to come up
PRIVILEGED = 0  # the user id that PostgreSQL refuses to run as
UNPRIVILEGED = "nobody"


def ledger(wanted: str, folder: Path, supervisor: Supervisor) -> str:
    """The URL of an empty database: `wanted` is sqlite or postgresql. Raises ConfigError and DidNotStart.

    For postgresql, DATABASE_URL of the environment names the database; without it a server is started.
    """
    if wanted == "sqlite":
        return f"sqlite:///{folder / 'webapi.db'}"
    if given := environment({}).get("DATABASE_URL"):
        return _empty(Settings(DATABASE_URL=given).DATABASE_URL)
    return _server(folder / "postgresql", supervisor)


def _empty(url: str) -> str:
    engine = create_engine(url)
    try:
        if inspect(engine).get_table_names():
            raise ConfigError("The database at DATABASE_URL is not empty, and a drill fills it. Name an empty one.")
    finally:
        engine.dispose()
    return url


def _server(folder: Path, supervisor: Supervisor) -> str:
    """A PostgreSQL as it is installed, with its durability as it is by default."""
    found, port, password = programs(), ports.free(), secrets.token_hex(24)
    user = UNPRIVILEGED if os.geteuid() == PRIVILEGED else None
    folder.mkdir(mode=0o700)
    write_private(folder / "password", password)
    if user:
        folder.parent.chmod(0o711)  # it must reach its own folder in ours
        shutil.chown(folder, user)
        shutil.chown(folder / "password", user)
    data = str(folder / "data")
    options = ("-D", data, "-U", "webapi", "-A", "scram-sha-256", "-E", "UTF8", "--pwfile", str(folder / "password"))
    supervisor.run(Program("initdb", (str(found / "initdb"), *options), environment({}), user=user), SLOW)
    settings = (f"port={port}", f"listen_addresses={ports.HOST}", f"unix_socket_directories={folder}")
    words = (str(found / "postgres"), "-D", data, *(f"--{each}" for each in settings))
    supervisor.start(Program("postgresql", words, environment({}), floor=0, user=user))
    url = f"postgresql://webapi:{password}@{ports.HOST}:{port}/postgres"
    supervisor.until(lambda: _connects(url), "postgresql to answer", SLOW)
    return Settings(DATABASE_URL=url).DATABASE_URL


def programs() -> Path:
    """The folder of a PostgreSQL of this machine. Raises ConfigError when there is none."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    for place in PLACES:
        for folder in sorted(Path("/").glob(place.removeprefix("/")), reverse=True):
            if (folder / "initdb").exists() and (folder / "postgres").exists():
                return folder
    raise ConfigError(
        "There is no PostgreSQL on this machine. Install one (apt install postgresql, brew install postgresql), "
        "or name an empty database: make drill DATABASE=postgresql DATABASE_URL=postgresql://…"
    )


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True
