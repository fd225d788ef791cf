"""Where the parts of one system are: what somebody has decided already, and our choice for the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from webapi.config import Settings, from_env
from webapi.errors import ConfigError
from webapi.local import broker, ports
from webapi.local.folder import secret_key
from webapi.serve import WATCHERS


@dataclass(frozen=True)
class Layout:
    """One system. `chosen` are the settings that nobody had decided; None stands for a part that is not ours."""

    folder: Path
    given: Mapping[str, Any]
    chosen: Mapping[str, str]
    broker: broker.PrivateServer | None
    mail_port: int | None

    @property
    def port(self) -> int:
        return int(self.chosen["PORT"])

    def settings(self) -> dict[str, str]:
        """Those that are given and those that were chosen, as the environment holds them."""
        return {name: _as_text(value) for name, value in self.given.items()} | dict(self.chosen)


def project_folder() -> Path:
    """Where `wsgi.py` is: the current folder. Raises ConfigError when it is not."""
    folder = Path.cwd()
    if not (folder / "wsgi.py").exists():
        raise ConfigError(f"There is no wsgi.py in {folder}. Run this in the project's folder.")
    return folder


def given_settings() -> dict[str, Any]:
    """What the environment and the files beside it say. Raises ConfigError for what they may not say here."""
    from_env()
    settings = Settings()
    if settings.WEBAPI_ENV == "production":
        raise ConfigError("This brings up a system for development. Unset WEBAPI_ENV, or see docs/operations.md.")
    return {name: getattr(settings, name) for name in settings.model_fields_set}


def lay_out(folder: Path, given: Mapping[str, Any], say: Callable[[str], None]) -> Layout:
    """Choose what is not given, and find free ports. Everything that is kept is kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    wanted = given.get("PORT", Settings.model_fields["PORT"].default)
    port = ports.free_from(wanted)
    if port != wanted:
        say(f"Port {wanted} is taken; using {port}.")
    server = None if "REDIS_URL" in given else broker.PrivateServer(broker.find(), folder / "valkey")
    mail_port = None if "MAIL_SERVER" in given else ports.free_from(given.get("MAIL_PORT") or ports.free())
    ours = {
        "WEBAPI_ENV": "development",
        "DATABASE_URL": f"sqlite:///{folder / 'webapi.db'}",
        "STORAGE_URL": str(folder / "files"),
        "PUBLIC_URL": f"http://{ports.HOST}:{port}",
        "LIVE_WATCHERS": str(WATCHERS),
    }
    if "SECRET_KEY" not in given:
        ours["SECRET_KEY"] = secret_key(folder / "secret-key")
    if server is not None:
        ours["REDIS_URL"] = server.url
    if mail_port is not None:
        ours |= {"MAIL_SERVER": ports.HOST, "INBOX_PATH": str(folder / "inbox")}
    chosen = {name: value for name, value in ours.items() if name not in given} | {"PORT": str(port)}
    if mail_port is not None:
        chosen["MAIL_PORT"] = str(mail_port)
    return Layout(folder, given, chosen, server, mail_port)


def _as_text(value: Any) -> str:
    """A setting as the environment holds it."""
    return value if isinstance(value, str) else to_json(value).decode()
