"""A system apart from everything else on this machine: its own folder, and no setting but its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from webapi.config import RUN_FILE, Settings, environment
from webapi.local.layout import Layout
from webapi.redis_settings import PREFIX


def copy_of(project: Path, folder: Path) -> Path:
    """The project as links in a folder of their own: all of it but `.env` and `var/`, which decide settings."""
    folder.mkdir()
    for part in project.iterdir():
        if not part.name.startswith(".") and part.name != RUN_FILE.parent.name:
            (folder / part.name).symlink_to(part)
    return folder


def defaults() -> dict[str, Any]:
    """Every setting as it is when nobody decides it."""
    return {name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}


def environment_of(layout: Layout) -> Mapping[str, str]:
    """This process's environment without any setting of ours but those of `layout`."""
    settings = {spelled for name in Settings.model_fields for spelled in (name, f"{name}_FILE")}
    ours = {name for name in environment({}) if name in settings or name.startswith(PREFIX)}
    inherited = {name: value for name, value in environment({}).items() if name not in ours}
    return inherited | layout.settings()
