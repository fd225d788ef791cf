from __future__ import annotations

from webapi.queue import Retry, job
from webapi.services.mail import senders
from webapi.services.mail.references import SenderRef


@job("email.sender", queue="email", retry=Retry(on=(OSError,), budget=8))
def ask_sender(sender: SenderRef) -> None:
    """Ask whoever reads an address whether mail may come from it."""
    senders.ask(sender.sender_id)
