"""How much memory a web process and a worker take, and how long they take to load, beside bare ones.

    python -m benchmarks.footprint [--runs 5] [--database postgresql]

A bare one imports Flask, SQLAlchemy and, for the worker, Celery, and does nothing. Memory is the sum of PSS over a
program's processes, at rest: pages that several share count once. Load time is CPU time, in turns.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from benchmarks.goals import Goal, table
from benchmarks.stage import Stage, stage
from webapi.config import environment
from webapi.local import ports
from webapi.local.programs import Program

BARE_WORKER = """import os
import flask, sqlalchemy, sqlalchemy.orm
from celery import Celery
app = flask.Flask("bare")
celery = Celery("bare", broker=os.environ["REDIS_URL"])
@celery.task
def noop():
    pass
"""
BARE_WEB = """import flask, sqlalchemy, sqlalchemy.orm
app = flask.Flask("bare")
@app.get("/")
def show():
    return "ok"
"""
TIMED = "import time; began = time.process_time(); import {}; print(time.process_time() - began)"
PROCESSES = 2
MOST = 1.2  # of a bare worker
SLOW = 60.0  # seconds


def pss(pid: int) -> float:
    """Megabytes of a process and all that it started."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    found = [Path(f"/proc/{each.pid}/smaps_rollup").read_text() for each in family]
    return sum(int(line.split()[1]) for text in found for line in text.splitlines() if line.startswith("Pss:")) / 1024


def ours(word: str) -> int:
    """The process that a stage has started with this word on its command line."""
    family = psutil.Process().children(recursive=True)
    found: int = next(each.pid for each in family if any(word in part for part in each.cmdline()))
    return found


def bare(on: Stage, folder: Path) -> dict[str, float]:
    """Start both bare programs under the stage's supervisor, and weigh them."""
    (folder / "bare_worker.py").write_text(BARE_WORKER)
    (folder / "bare_web.py").write_text(BARE_WEB)
    port, found = ports.free(), environment({"REDIS_URL": on.app.config["REDIS_URL"], "PYTHONPATH": str(folder)})
    quiet = ("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat")
    celery = ("-m", "celery", "-A", "bare_worker:celery", "worker", "-c", str(PROCESSES), *quiet)
    threads = ("--blocking-threads", str(on.app.config["WEB_THREADS"]))
    granian = ("-m", "granian", "bare_web:app", "--interface", "wsgi", "--port", str(port), *threads)
    worker = on.supervisor.start(Program("bare worker", (sys.executable, *celery), found))
    web = on.supervisor.start(Program("bare web", (sys.executable, *granian), found))
    on.supervisor.until(lambda: ports.answers(port), "bare web to answer", SLOW)
    on.supervisor.until(lambda: len(psutil.Process(worker).children()) >= PROCESSES, "bare worker to fork", SLOW)
    settle(on, worker, web)
    return {"worker": pss(worker), "web": pss(web)}


def settle(on: Stage, *pids: int) -> None:
    """Wait until these use no processor any more: then they are at rest."""
    before = [-1.0]

    def still() -> bool:
        family = [each for pid in pids for each in (psutil.Process(pid), *psutil.Process(pid).children(True))]
        spent = sum(sum(each.cpu_times()[:2]) for each in family)
        quiet, before[0] = spent - before[0] < 0.1, spent
        psutil.cpu_percent(1.0)  # which waits for a second
        return quiet

    on.supervisor.until(still, "processes to come to rest", SLOW)


def load_times(runs: int, found: dict[str, str], folder: Path) -> dict[str, float]:
    """CPU seconds to import each, in a process of its own; the median."""
    times: dict[str, list[float]] = {"wsgi": [], "bare_web": []}
    for _ in range(runs):
        for name, each in times.items():
            code = [sys.executable, "-c", TIMED.format(name)]
            done = subprocess.run(  # noqa: S603 - this Python
                code, env={**found, "PYTHONPATH": f"{Path.cwd()}:{folder}"}, capture_output=True, text=True, check=True
            )
            each.append(float(done.stdout.split()[-1]))
    return {name: statistics.median(each) for name, each in times.items()}


def main(runs: int, database: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="webapi-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else
    try:
        with stage(folder / "system", database, concurrency=PROCESSES) as on:
            worker, web = ours("wsgi:celery"), ours("granian")
            settle(on, worker, web)
            weights = {"worker": pss(worker), "web": pss(web)}
            others = bare(on, folder)
            settings = {"DATABASE_URL": on.app.config["DATABASE_URL"], "REDIS_URL": on.app.config["REDIS_URL"]}
            times = load_times(runs, environment(settings), folder)
        report(weights, others, times, database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def report(weights: dict[str, float], others: dict[str, float], times: dict[str, float], database: str) -> None:
    print(f"## Footprint, {database}, {os.cpu_count()} cores\n\n| | ours | bare | ratio |\n| --- | --- | --- | --- |")
    for name, what in (("worker", f"worker, {PROCESSES} processes"), ("web", "web, 1 process")):
        print(f"| {what}, MB | {weights[name]:.0f} | {others[name]:.0f} | {weights[name] / others[name]:.2f} × |")
    ratio = times["wsgi"] / times["bare_web"]
    print(f"| import, CPU s | {times['wsgi']:.2f} | {times['bare_web']:.2f} | {ratio:.1f} × |\n")
    heavier = weights["worker"] / others["worker"]
    wanted = "worker with 2 processes: ≤ 1.2 × a bare Celery worker"
    figure, beside = f"{weights['worker']:.0f} MB", f"{heavier:.2f} × of {others['worker']:.0f} MB"
    print(table([Goal(wanted, figure, beside, heavier <= MOST)]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    main(**vars(parser.parse_args()))
