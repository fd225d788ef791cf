"""What the demo does: somebody who has never been here comes by the doors that everybody has."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from webapi.local.browser import Browser
from webapi.local.visit import Visit, Wrong, expect
from webapi.services import inbox
from webapi.services.inbox import Mail

FINAL = {"succeeded", "uncertain", "failed", "cancelled", "expired"}
EMAIL = "ada@example.com"
CITIES = [{"city": "Bern", "sales": 12}, {"city": "Basel", "sales": 9}, {"city": "Chur", "sales": None}]
TEXT = "The next line is a dot, which ends a mail when nobody is careful.\n.\nGrüße aus Zürich\n"
LETTER = {"to": ["bea@example.com", "carl@example.com"], "subject": "From a program", "text": TEXT}
FORM_LETTER = {"to": "dora@example.com", "subject": "From a form", "text": "Hello."}


class Stranger:
    """Somebody with a browser at `base`, who can look into the folder where mails arrive."""

    def __init__(self, base: str, mails: Path, visit: Visit) -> None:
        self.visit = visit
        self._base, self._mails = base, mails
        self._browser = Browser(base)
        self._password = secrets.token_urlsafe(16)

    def go(self) -> Mail:
        """Through all doors. Returns the welcome mail; raises Wrong at the first thing that is not right."""
        welcome = self._register()
        self._sign_in(welcome)
        self._program = Browser(self._base, self._make_key())
        self._by_json("email.send", LETTER, lambda job: f"{job['effects']['done']} recipients, each with a receipt")
        self._by_json("data.process", {"data": CITIES}, lambda job: f"{job['result']['rows']} rows profiled")
        self._by_tutorial()
        self._by_form()
        self._report()
        self._every_mail_once(welcome)
        return welcome

    def _register(self) -> Mail:
        with self.visit.step("register") as step:
            fields = {"name": "Ada", "email": EMAIL, "password": self._password}
            expect(self._browser.fill_in("/register", fields), 200, "The registration")
            step.came_of_it = f"{EMAIL} is asked to look into the inbox"
        with self.visit.step("welcome mail") as step:
            found = self.visit.until(
                lambda: next((mail for mail in self._arrived() if EMAIL in mail.to), None), "the welcome mail"
            )
            step.came_of_it = f"“{found.subject}” has arrived"
            return inbox.message(self._mails, found.id)

    def _sign_in(self, welcome: Mail) -> None:
        with self.visit.step("open its link") as step:
            link = re.search(rf"{re.escape(self._base)}(/verify/[^\s)]+)", welcome.text or "")
            if link is None:
                raise Wrong("The welcome mail holds no link that confirms the address.")
            expect(self._browser.get(link[1]), 200, "The link in the welcome mail")
            step.came_of_it = "the address is confirmed"
        with self.visit.step("sign in") as step:
            answer = self._browser.fill_in("/login", {"email": EMAIL, "password": self._password})
            expect(answer, 200, "Signing in")
            if answer.path != "/":
                raise Wrong(f"Signing in led to {answer.path} and not to the overview.")
            step.came_of_it = "led to the overview"

    def _make_key(self) -> str:
        with self.visit.step("make an API key") as step:
            key = self._browser.fill_in("/keys", {"name": "demo"}).text_of("new-key")
            if not key.startswith("wapi_"):
                raise Wrong("The page of the keys shows no new key.")
            step.came_of_it = f"{key[:16]}…"
        return key

    def _by_json(self, kind: str, payload: Any, came_of_it: Callable[[Any], str]) -> Any:
        with self.visit.step(f"{kind} by JSON") as step:
            began = time.monotonic()
            answer = expect(self._program.post(f"/api/v1/jobs/{kind}", payload), 202, f"Submitting {kind}")
            accepted = 1000 * (time.monotonic() - began)
            job = self._succeeded(answer.json()["id"])
            step.came_of_it = f"202 in {accepted:.0f} ms, succeeded: {came_of_it(job)}"
        return job

    def _by_tutorial(self) -> None:
        with self.visit.step("POST /process") as step:
            task = expect(self._program.post("/process", {"data": [1, 2, 3]}), 202, "POST /process").json()["task_id"]
            status = self.visit.until(
                lambda: self._over(f"/status/{task}", "status"), "GET /status to say that the task is over"
            )
            if status["status"] != "succeeded":
                raise Wrong(f"The task of POST /process is {status['status']}: {status['error']}")
            step.came_of_it = f"GET /status/<task_id> says succeeded: {status['result']['rows']} rows profiled"

    def _by_form(self) -> None:
        with self.visit.step("email.send by form") as step:
            answer = expect(self._browser.fill_in("/new/email.send", FORM_LETTER), 200, "The form of email.send")
            if not answer.path.startswith("/jobs/"):
                raise Wrong(f"The form of email.send led to {answer.path} and not to a job.")
            self._succeeded(answer.path.removeprefix("/jobs/"))
            step.came_of_it = "led to the job's page; succeeded"

    def _report(self) -> None:
        job = self._by_json("report.build", {"title": "All my jobs"}, lambda job: f"{job['result']['rows']} rows")
        with self.visit.step("check the report") as step:
            path = f"/api/v1/jobs/{job['id']}/artifacts/"
            content = expect(self._program.get(path + "jobs.csv"), 200, "The report's file").body
            manifest = expect(self._program.get(path + "manifest.json"), 200, "The report's manifest").json()
            digest, rows = hashlib.sha256(content).hexdigest(), len(content.splitlines()) - 1
            if (digest, rows) != (manifest["sha256"], manifest["rows"]):
                raise Wrong("The report's file is not the one that its manifest describes.")
            step.came_of_it = f"{manifest['truncated'] or 'complete'}; its SHA-256 {digest[:12]}… is the manifest's"

    def _every_mail_once(self, welcome: Mail) -> None:
        with self.visit.step("count the mails") as step:
            expected = {(EMAIL, welcome.subject), (FORM_LETTER["to"], FORM_LETTER["subject"])}
            expected |= {(to, str(LETTER["subject"])) for to in LETTER["to"]}
            arrived = self._arrived()
            counted = Counter((to, mail.subject) for mail in arrived for to in mail.to)
            if counted != Counter(expected):
                raise Wrong(f"These mails arrived: {dict(counted)}; expected is one of each of {sorted(expected)}.")
            if any(self._text(mail) != TEXT for mail in arrived if mail.subject == LETTER["subject"]):
                raise Wrong("A mail arrived with another text than was sent.")
            step.came_of_it = f"{len(arrived)} were due, each has arrived, none twice"

    def _succeeded(self, job_id: str) -> Any:
        job = self.visit.until(lambda: self._over(f"/api/v1/jobs/{job_id}", "state"), f"job {job_id} to be over")
        if job["state"] != "succeeded":
            raise Wrong(f"The job {job['kind']} is {job['state']}: {job['error']}")
        return job

    def _over(self, path: str, field: str) -> Any:
        answer = expect(self._program.get(path), 200, f"GET {path}").json()
        return answer if answer[field] in FINAL else None

    def _arrived(self) -> list[Mail]:
        return inbox.messages(self._mails)

    def _text(self, mail: Mail) -> str | None:
        return inbox.message(self._mails, mail.id).text
