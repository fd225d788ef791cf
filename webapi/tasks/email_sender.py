from __future__ import annotations

from webapi.queue import Retry, job
from webapi.services.mail import senders
from webapi.services.mail.references import SenderRef


@job("email.sender", queue="email", retry=Retry(on=(OSError,), budget=8))
def send_confirmation(sender: SenderRef) -> None:
    """Ask whoever reads an address whether somebody may send from it."""
    senders.send_confirmation(sender.sender_id)
