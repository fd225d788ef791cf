"""One thing of each sort, so that a document's operations have something to work on."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

from tests.blueprints.site import Site
from tests.blueprints.test_identity_owners import mail_things
from webapi.queue import kind_named
from webapi.services import schedules, storage
from webapi.services.plans import Plan
from webapi.services.reports import library
from webapi.services.reports.definition import Definition
from webapi.tasks.report_build import ReportRequest


def everything(site: Site) -> dict[str, UUID | str]:
    """Their ids, by the names that paths have for them."""
    found: dict[str, UUID | str] = {"job_id": site.submit("report.build", {"title": "Ada's"})["id"]}
    site.work("report.build")
    with site.app.app_context():
        ada = site.ada.row
        found["report_id"] = library.create(ada, "mine", Definition(title="Mine", sql="SELECT 1")).id
        spare = storage.receive(ada.id, "spare.csv", "text/csv", BytesIO(b"a\n1\n")).id
        plan = Plan(name="x", cron="@daily")
        found["schedule_id"] = schedules.create(ada, kind_named("report.build"), ReportRequest(), plan).id
    query = {"file_name": "people.csv"}
    made = site.program.post(
        "/api/v1/datasets", query_string=query, data=BytesIO(b"a,b\n1,2\n"), headers=site.ada.headers
    )
    found["dataset_id"] = (made.json or {})["id"]
    site.work("dataset.inspect")
    return {**found, "name": "jobs.csv", **mail_things(site), "upload_id": spare}
