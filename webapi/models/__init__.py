"""The tables. Importing this package is what makes Alembic and SQLAlchemy know them all."""

from webapi.models.artifact import Artifact, Upload
from webapi.models.attempt_log import AttemptLog
from webapi.models.dataset import Dataset
from webapi.models.effect import Effect
from webapi.models.event import JobEvent
from webapi.models.gate import Gate
from webapi.models.idempotency import IdempotencyKey
from webapi.models.job import Job
from webapi.models.mail import Sender, Suppression, Template, TemplateVersion
from webapi.models.mailing import Mailing
from webapi.models.report import Report, ReportBuild, ReportVersion
from webapi.models.schedule import Schedule
from webapi.models.states import FINAL, WAITING, EffectState, State
from webapi.models.trail import TrailEntry
from webapi.models.user import ApiKey, Role, Scope, SignIn, Ticket, User
from webapi.models.worker import Worker

__all__ = [
    "FINAL",
    "WAITING",
    "ApiKey",
    "Artifact",
    "AttemptLog",
    "Dataset",
    "Effect",
    "EffectState",
    "Gate",
    "IdempotencyKey",
    "Job",
    "JobEvent",
    "Mailing",
    "Report",
    "ReportBuild",
    "ReportVersion",
    "Role",
    "Schedule",
    "Scope",
    "Sender",
    "SignIn",
    "State",
    "Suppression",
    "Template",
    "TemplateVersion",
    "Ticket",
    "TrailEntry",
    "Upload",
    "User",
    "Worker",
]
