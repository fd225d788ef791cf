"""What a process counts of itself. What the ledger knows is in `webapi.services.system.gauges`.

Labels are kinds, states, routes and the like, of which there are few: never an id, an address or an owner.
docs/alarms.md says what each figure means.
"""

from __future__ import annotations

from webapi.metrics.book import LONG, Counter, Histogram, Moment

HTTP_REQUESTS = Counter(
    "webapi_http_requests_total", "Requests answered, by the route's rule.", ("route", "method", "status")
)
HTTP_SECONDS = Histogram("webapi_http_request_seconds", "From a request to the head of its answer.", ("route",))

ACCEPTED = Counter("webapi_jobs_accepted_total", "Jobs whose acceptance is durable.", ("kind",))
ACCEPT_SECONDS = Histogram(
    "webapi_accept_seconds", "From a valid order to the commit of its job, or of its batch, and the hint.", ("kind",)
)
ATTEMPTS = Counter("webapi_attempts_total", "Attempts that ended, by the state that they brought.", ("kind", "state"))
RUN_SECONDS = Histogram("webapi_run_seconds", "From a claim to its verdict.", ("kind",), LONG)
EFFECTS = Counter(
    "webapi_effects_total",
    "Acts on the outside world by what came of them; pending was put off by the other side, held by a rule of ours.",
    ("effect", "state"),
    tuple(
        (effect, state) for effect in ("mail", "call") for state in ("done", "refused", "unknown", "pending", "held")
    ),
)

HINTS_SENT = Counter("webapi_hints_sent_total", "Hints that Redis confirmed.")
HINTS_FAILED = Counter("webapi_hints_failed_total", "Hints that Redis did not confirm; the relay sends them again.")
BREAKER_OPENED = Counter("webapi_breaker_opened_total", "Times when Redis did not answer and was left alone for 1 s.")
REPUBLISHED = Counter("webapi_hints_republished_total", "Hints sent again because they were probably lost.")
NO_MAC = Counter("webapi_messages_forged_total", "Messages dropped because their MAC was missing or wrong.")
NO_MESSAGE = Counter("webapi_messages_unreadable_total", "Entries of a queue dropped because they were no message.")

LEASES_EXPIRED = Counter("webapi_leases_expired_total", "Attempts given up because their worker died or fell silent.")
GIVEN_UP = Counter("webapi_jobs_given_up_total", "Jobs ended by the relay, because their workers died over them.")
FENCED = Counter("webapi_fenced_attempts_total", "Attempts whose writes were refused: another one owned the job.")

RELAY_PASSED = Moment("webapi_relay_pass_timestamp_seconds", "When a relay of this server last did a whole pass.")
RELAY_FAILED = Counter("webapi_relay_passes_failed_total", "Passes of the relay that broke off.")
