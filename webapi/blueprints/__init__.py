"""HTTP: read, call a service, answer."""

from __future__ import annotations

from apiflask import APIFlask

from webapi.blueprints import (
    account,
    accounts,
    addresses,
    api,
    assets,
    bodies,
    cookies,
    datasets,
    docs,
    files,
    headers,
    health,
    hosts,
    identity,
    inbox,
    job_lists,
    keys,
    limits,
    live,
    mail_links,
    mailings,
    metrics,
    navigation,
    nonces,
    reading,
    recovery,
    reports,
    rights,
    schedules,
    shown,
    system,
    templates,
    tickets,
    tutorial,
    zone,
)


def init_app(app: APIFlask) -> None:
    """Everything that a request passes through, then every door."""
    cookies.init_app(app)
    metrics.init_app(app)
    headers.init_app(app)
    hosts.init_app(app)
    limits.init_app(app)
    bodies.init_app(app)
    identity.init_app(app)
    shown.init_app(app)
    assets.init_app(app)
    navigation.init_app(app)
    nonces.init_app(app)
    app.before_request(reading.refuse_nul)
    app.register_blueprint(health.bp)
    app.register_blueprint(accounts.bp)
    app.register_blueprint(recovery.bp)
    app.register_blueprint(tickets.bp)
    app.register_blueprint(account.bp)
    app.register_blueprint(zone.bp)
    app.register_blueprint(job_lists.bp)
    live.init_app(app)
    app.register_blueprint(schedules.bp)
    app.register_blueprint(mailings.bp)
    app.register_blueprint(datasets.bp)
    app.register_blueprint(files.bp)
    app.register_blueprint(templates.bp)
    app.register_blueprint(addresses.bp)
    app.register_blueprint(mail_links.bp)
    app.register_blueprint(reports.bp)
    app.register_blueprint(keys.bp)
    app.register_blueprint(system.bp)
    app.register_blueprint(tutorial.bp)
    api.init_app(app)
    app.register_blueprint(docs.bp)
    inbox.init_app(app)
    rights.document(app)
