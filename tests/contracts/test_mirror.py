"""The tests stand where the code stands, so that either is found from the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.source import PACKAGE, ROOT

TESTS = ROOT / "tests"
ABOUT_THE_WHOLE = {"contracts", "faults", "browser", "local", "model", "deploy", "benchmarks"}
# What many modules do together: when something outside fails, or through a door.
ABOUT_A_ROOM = {
    "queue/test_redis_faults.py",
    "blueprints/api/test_idempotency.py",
    "services/mail/test_corpus.py",
    "services/datasets/test_awkward.py",
    "services/datasets/test_crashes.py",
    "services/datasets/test_memory.py",
}
TESTED_ROOMS = ("services", "queue", "models")
# Packages whose modules only mean something together.
TESTED_TOGETHER = {"services/mailings"}
# Modules without a test of their own, and where they are tested.
ELSEWHERE = {
    "models/attempt_log.py": "columns only; queue/test_attempt_logs.py writes them",
    "models/event.py": "its unique indexes are tested in models/test_job.py",
    "queue/waiting.py": "queue/test_control_in_process.py and queue/test_sweep.py end what waits",
    "models/gate.py": "columns only; queue/test_gates.py writes them",
    "models/artifact.py": "columns only; services/test_storage.py and queue/test_finish.py write them",
    "models/idempotency.py": "columns only",
    "models/user.py": "columns only; services/test_accounts.py and services/test_keys.py write them",
    "models/trail.py": "columns only; services/test_trail.py writes them",
    "models/worker.py": "columns only; queue/test_worker_faults.py and every real worker write them",
    "services/plans.py": "services/test_schedules.py makes schedules of them",
    "services/mail/references.py": "ids only; services/mail/test_senders.py sends what they name",
    "services/images/order.py": "fields only; services/images/test_running.py sends them to a real child",
    "services/queries/text_tables.py": "services/queries/test_reading.py attaches text tables of every sort",
    "services/formats/counting.py": "services/formats/test_batches.py and test_lines.py count rows of either sort",
    "services/reports/ahead.py": "services/reports/test_databases.py leaves and fails what it fetches",
    "queue/artifacts.py": "queue/test_finish.py keeps and names files, queue/test_room.py counts them",
    "queue/calling.py": "queue/test_run.py calls kinds that return and raise anything",
    "queue/endings.py": "queue/test_followup.py and test_followup_callbacks.py hand them on",
    "queue/orders.py": "queue/test_submit.py and test_gathering.py hand them in",
    "queue/placing.py": "queue/test_submit.py and test_gathering.py hand them in",
    "queue/republish.py": "queue/test_relay.py, test_payloads_versions.py and test_gates.py let hints be lost",
    "queue/starting.py": "faults/test_redis_topologies.py and services/reports/test_databases.py end such workers",
    "queue/settings.py": "constants that every real worker runs with",
}


def all_tests() -> list[str]:
    paths = (path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))
    return sorted(str(path) for path in paths if path.parts[0] not in ABOUT_THE_WHOLE)


def mirrored(test: str) -> Path | None:
    """The module or package that a test is about: `test_jobs_paging.py` is about `jobs.py`, unless there is another."""
    folder = PACKAGE / Path(test).parent
    words = Path(test).stem.removeprefix("test_").split("_")
    names = ("_".join(words[:count]) for count in range(len(words), 0, -1))
    paths = (path for name in names for path in (folder / f"{name}.py", folder / name))
    return next((path for path in paths if path.exists()), None)


@pytest.mark.parametrize("test", sorted(set(all_tests()) - ABOUT_A_ROOM))
def test_a_test_stands_where_its_module_stands(test: str) -> None:
    assert mirrored(test), f"tests/{test} mirrors no module: call it test_<module>.py or test_<module>_<aspect>.py"


@pytest.mark.parametrize(
    "module",
    sorted(
        str(path.relative_to(PACKAGE))
        for room in TESTED_ROOMS
        for path in (PACKAGE / room).rglob("*.py")
        if path.name != "__init__.py" and path.relative_to(PACKAGE).parent.as_posix() not in TESTED_TOGETHER
    ),
)
def test_a_module_is_tested(module: str) -> None:
    tested = PACKAGE / module in {mirrored(test) for test in all_tests()}
    if module in ELSEWHERE:
        assert not tested, f"{module} has tests of its own now: take it off the list in {Path(__file__).name}"
    else:
        folder, name = Path(module).parent, Path(module).name
        assert tested, f"{module} has no test: write tests/{folder}/test_{name}"


@pytest.mark.parametrize("module", ELSEWHERE)
def test_the_list_of_exceptions_names_what_is_there(module: str) -> None:
    assert (PACKAGE / module).exists(), f"{module} is gone: take it off the list"
