"""The servers of a local system: broker, inbox and web. Nothing here loads the application, so they begin at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from webapi import serve
from webapi.config import Settings
from webapi.local import ports, smtp_sink
from webapi.local.layout import Layout
from webapi.local.processes import Supervisor
from webapi.local.programs import Program
from webapi.threads import threads

STOP = 5  # seconds that the web gives its requests; else one that hangs would hold up the end


def start(layout: Layout, supervisor: Supervisor, environment: Mapping[str, str]) -> None:
    """Start those that are ours. The web loads while the database is made ready."""
    if layout.broker is not None:
        supervisor.start(layout.broker.program())
    if layout.mail_port is not None:
        supervisor.start(_inbox(layout, environment))
    supervisor.start(web(layout, environment))


def _inbox(layout: Layout, environment: Mapping[str, str]) -> Program:
    folder, port = layout.settings()["INBOX_PATH"], str(layout.mail_port)
    command = (sys.executable, "-I", smtp_sink.__file__, "--folder", folder, "--port", port)
    return Program("inbox", command, environment, floor=0)


def web(layout: Layout, environment: Mapping[str, str]) -> Program:
    """The web server, with as many threads and processes as the settings say."""
    given, names = layout.settings(), ("WEB_THREADS", "LIVE_WATCHERS", "WEB_CONCURRENCY")
    requests, watchers, processes = (int(given.get(name, Settings.model_fields[name].default)) for name in names)
    words = serve.command(ports.HOST, layout.port, threads(requests, watchers), processes, STOP)
    return Program("web", (*words, "--log-level", "warning"), environment)
