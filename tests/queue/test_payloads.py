"""A payload that the ledger could not keep is refused at import."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field, SecretBytes, SecretStr

from webapi.queue import job


class Account(BaseModel):
    password: SecretStr
    children: list[Account] = []


class Plain(BaseModel):
    token: SecretStr | None = None


class InAList(BaseModel):
    tokens: list[SecretBytes] = []


class Inside(BaseModel):
    accounts: dict[str, Account] = {}


class Sealed(BaseModel):
    token: str = Field("", json_schema_extra={"writeOnly": True})


@pytest.mark.parametrize(
    ("model", "field"), [(Plain, "token"), (InAList, "tokens"), (Account, "password"), (Inside, "accounts.password")]
)
def test_a_secret_that_would_reach_the_worker_as_asterisks_is_refused(model: type[BaseModel], field: str) -> None:
    def work(payload: BaseModel) -> None:
        """Do something."""

    work.__annotations__["payload"] = model
    with pytest.raises(TypeError, match=f"test.secret: {field} is a secret.*writeOnly"):
        job("test.secret")(work)


def test_a_secret_that_is_kept_encrypted_is_taken() -> None:
    def work(payload: BaseModel) -> None:
        """Do something."""

    work.__annotations__["payload"] = Sealed
    assert job("test.secret")(work) is work
