"""The only reader of the environment.

`.env.example` explains each name; a test keeps that file and `Settings` equal.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from webapi import brokers, buckets, databases, redis_settings
from webapi.errors import ConfigError
from webapi.redis_settings import QueueURLs
from webapi.retention import Retention
from webapi.secret_files import SecretFiles
from webapi.watch_settings import WatchSettings

DEVELOPMENT_KEY = "development-only-key-never-use-it-on-a-reachable-host"
LEAST_KEY_LENGTH = 32  # characters; OWASP asks for 128 bits at least, hexadecimal halves them
WHSEC = r"^whsec_([A-Za-z0-9+/]{4}){8,21}([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})?$"
ORIGIN = r"^https?://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[1-9]\d{0,4})?$"
RUN_FILE = Path("var/run.env")  # written by `make run`, so that a second terminal joins that system


class Settings(Retention, WatchSettings, BaseSettings):
    """Everything that a deployment may set. Names are the environment's."""

    model_config = SettingsConfigDict(
        env_file=(".env", RUN_FILE), env_ignore_empty=True, extra="ignore", case_sensitive=True
    )

    WEBAPI_ENV: Literal["development", "production"] = "development"
    SECRET_KEY: str = DEVELOPMENT_KEY
    SECRET_KEY_FALLBACKS: list[str] = []
    DATABASE_URL: str = "sqlite:///var/webapi.db"
    REDIS_URL: str = "redis://127.0.0.1:6379/0"
    REDIS_URLS: dict[str, str] = {}
    REDIS_VERIFY_CERTIFICATES: bool = True
    STORAGE_URL: str = "var/files"
    SCRATCH_PATH: str = "var/scratch"
    S3_ACCESS_KEY_ID: str | None = None
    S3_SECRET_ACCESS_KEY: str | None = None
    PUBLIC_URL: str = "http://127.0.0.1:5000"
    SERVER_NAMES: list[str] = []
    PORT: int = Field(5000, ge=1, le=65535)
    WEB_CONCURRENCY: int = Field(1, ge=1)
    MAIL_SERVER: str = "127.0.0.1"
    MAIL_PORT: int = Field(1025, ge=1, le=65535)
    MAIL_USERNAME: str | None = None
    MAIL_PASSWORD: str | None = None
    MAIL_USE_TLS: bool = False
    MAIL_USE_SSL: bool = False
    MAIL_DEFAULT_SENDER: str = "webapi@localhost.example"
    MAIL_SENDERS: list[str] = []
    MAIL_BRAND: str = "webapi"
    MAIL_LOGO_URL: str | None = None
    MAIL_FOOTER: str = ""
    MAIL_CONNECTIONS: int = Field(4, ge=1, le=64)
    MAIL_PER_RECIPIENT: int = Field(50, ge=1)
    MAILS_PER_DAY: int = Field(100_000, ge=1)
    MAIL_ATTACHMENTS: int = Field(10 * 1024 * 1024, ge=0)
    DKIM_KEY: str | None = None
    DKIM_SELECTOR: str = "webapi"
    INBOX_PATH: str | None = None
    CALL_PORTS: list[Annotated[int, Field(ge=1, le=65535)]] = []
    CALL_PRIVATE: list[Annotated[str, Field(pattern=r"^[^\s/@A-Z]+:[1-9]\d{0,4}$")]] = []
    CALL_SECRET: str | None = Field(None, pattern=WHSEC)
    DATASET_BYTES: int = Field(1024 * 1024 * 1024, ge=1024)
    REPORT_ROWS: int = Field(10_000_000, ge=1)
    REPORT_SOURCES: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")], str] = {}
    LEASE_SECONDS: int = Field(60, ge=2)
    STOP_SECONDS: float = Field(20.0, ge=0, le=3600)
    ALIVE_PATH: str | None = None
    MAX_OPEN_JOBS: int = Field(20_000, ge=1)
    LIVE_WATCHERS: int = Field(0, ge=0, le=10_000)
    WEB_THREADS: int = Field(16, ge=1, le=1000)
    STORAGE_BYTES_PER_OWNER: int = Field(20 * 1024**3, ge=0)
    DATASETS_PER_OWNER: int = Field(500, ge=0)
    REQUESTS_PER_MINUTE: int = Field(6000, ge=0)
    REQUESTS_PER_MINUTE_ADDRESS: int = Field(600, ge=0)
    TRUSTED_PROXIES: int = Field(0, ge=0, le=9)
    FAILPOINT: str | None = None
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    REMOTE_CONTROL: bool | None = None
    CORS_ORIGINS: list[Annotated[str, Field(pattern=ORIGIN)]] = []
    WAITING_REQUESTS: int = Field(8, ge=0)
    REGISTRATION: Literal["open", "closed"] = "open"
    MAX_CONTENT_LENGTH: int = Field(64 * 1024 * 1024, ge=1024)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files, env = SecretFiles(settings_cls, os.environ), QueueURLs(settings_cls, os.environ)
        beside = QueueURLs(settings_cls, getattr(dotenv_settings, "env_vars", {}))
        return init_settings, files, env, env_settings, beside, dotenv_settings

    @field_validator("DATABASE_URL")
    @classmethod
    def _driver(cls, url: str) -> str:
        return databases.with_driver(url)

    @field_validator("REPORT_SOURCES")
    @classmethod
    def _drivers(cls, sources: dict[str, str]) -> dict[str, str]:
        return databases.sources(sources)

    @field_validator("REDIS_URL")
    @classmethod
    def _broker(cls, url: str) -> str:
        brokers.read(url)
        return url

    @field_validator("REDIS_URLS")
    @classmethod
    def _brokers(cls, urls: dict[str, str]) -> dict[str, str]:
        return redis_settings.by_queue(urls)

    @field_validator("STORAGE_URL")
    @classmethod
    def _place(cls, url: str) -> str:
        return buckets.location(url)

    @model_validator(mode="after")
    def _production_is_safe(self) -> Self:
        if self.WEBAPI_ENV == "production":
            if self.SECRET_KEY == DEVELOPMENT_KEY or len(self.SECRET_KEY) < LEAST_KEY_LENGTH:
                raise ValueError(
                    "SECRET_KEY: set a random one, for example from "
                    "python -c 'import secrets; print(secrets.token_hex(32))'"
                )
            if any(len(key) < LEAST_KEY_LENGTH for key in self.SECRET_KEY_FALLBACKS):
                raise ValueError("SECRET_KEY_FALLBACKS: a short key of the past still signs today; drop it")
            if os.environ.get("FLASK_DEBUG", "0").lower() not in {"", "0", "false", "no"}:
                raise ValueError("FLASK_DEBUG: the debugger runs whatever a visitor types; unset it in production")
            for name, url in redis_settings.named(self.REDIS_URL, self.REDIS_URLS).items():
                redis_settings.refuse_unsafe(name, url, verify=self.REDIS_VERIFY_CERTIFICATES)
            if self.FAILPOINT:
                raise ValueError("FAILPOINT: it kills processes on purpose; unset it in production")
            if self.INBOX_PATH:
                raise ValueError("INBOX_PATH: the inbox shows everybody's mail; unset it in production")
        return self


def from_env(overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Read the environment strictly and return Flask's configuration.

    `overrides` win over the environment; names that are not settings go through untouched.
    Raises ConfigError with one line for each name that is wrong.
    """
    overrides = dict(overrides or {})
    known = {name: overrides.pop(name) for name in list(overrides) if name in Settings.model_fields}
    try:
        settings = Settings(**known)
    except ValidationError as error:
        raise ConfigError("\n".join(_sentence(e) for e in error.errors())) from None
    except SettingsError as error:
        raise ConfigError(f"{error}: a list is written as JSON.") from None
    values = redis_settings.as_configured(settings.model_dump())
    secure = settings.PUBLIC_URL.startswith("https://")
    return (
        values
        | {
            "SQLALCHEMY_DATABASE_URI": databases.absolute(values["DATABASE_URL"]),
            "SESSION_COOKIE_NAME": "__Host-session" if secure else "session",
            "SESSION_COOKIE_SECURE": secure,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "WTF_CSRF_SECRET_KEY": [*values["SECRET_KEY_FALLBACKS"], values["SECRET_KEY"]],  # the last one signs
            "WTF_CSRF_TIME_LIMIT": None,
            "WTF_CSRF_CHECK_DEFAULT": False,
            "WTF_CSRF_SSL_STRICT": False,
            "RATELIMIT_KEY_PREFIX": "{webapi}:limit",
            "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
            "SQLALCHEMY_ENGINE_OPTIONS": databases.engine_options(values["DATABASE_URL"]),
        }
        | overrides
    )


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that we start: this one's, with `changes`."""
    return {**os.environ, **changes}


def _sentence(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    text = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {text}." if where else f"{text}."
