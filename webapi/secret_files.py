"""Settings that are handed over as files, as container platforms hand over secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from webapi.errors import ConfigError


class SecretFiles(PydanticBaseSettingsSource):
    """Values named `NAME_FILE`: the content of that file, less one trailing newline."""

    def __init__(self, settings_cls: type[BaseSettings], environment: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self.environment = environment

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        path = self.environment.get(f"{field_name}_FILE")
        if path is None:
            return None, field_name, False
        try:
            return Path(path).read_text("utf-8").removesuffix("\n"), field_name, False
        except OSError as error:
            raise ConfigError(f"{field_name}_FILE: {path} cannot be read: {error.strerror}.") from error

    def __call__(self) -> dict[str, Any]:
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            text, _, _ = self.get_field_value(field, name)
            try:
                found[name] = self.prepare_field_value(name, field, text, False)
            except ValueError:
                raise ConfigError(f"{name}_FILE: the file must hold a list as JSON.") from None
        return {name: value for name, value in found.items() if value is not None}
