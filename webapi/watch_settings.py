"""The settings of what watches a deployment: metrics, traces, reports of errors, a line for each request."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

TRACES = "/v1/traces"  # where the endpoint takes traces over HTTP: the OTLP specification


class WatchSettings(BaseSettings):
    """Everything is off unless it is set."""

    METRICS_TOKEN: str | None = Field(None, min_length=16)
    METRICS_PORT: int | None = Field(None, ge=1, le=65535)
    METRICS_ADDRESS: str = "127.0.0.1"
    METRICS_DIR: str | None = None
    OTEL_EXPORTER_OTLP_ENDPOINT: str | None = Field(None, pattern=r"^https?://[^\s?#]+$")
    SENTRY_DSN: str | None = Field(None, pattern=r"^https?://\S+@\S+/\d+$")
    LOG_REQUESTS: bool = False

    @model_validator(mode="after")
    def _metrics_are_not_for_everybody(self) -> Self:
        try:
            loopback = ipaddress.ip_address(self.METRICS_ADDRESS).is_loopback
        except ValueError:
            raise ValueError(
                "METRICS_ADDRESS: give an IP address of this machine, or 0.0.0.0 for all of them"
            ) from None
        if self.METRICS_PORT and not loopback and not self.METRICS_TOKEN:
            raise ValueError("METRICS_ADDRESS: others can reach it, so set METRICS_TOKEN too")
        return self


def metrics_dir(given: str | None) -> Path:
    """Where the processes of this machine count: what METRICS_DIR says, or a folder of this user's among the
    temporary ones."""
    return Path(given) if given else Path(tempfile.gettempdir()) / f"webapi-metrics-{os.geteuid()}"
