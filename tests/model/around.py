"""Who acts around the workers: the client, the relay, people, and whatever kills and loses."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tests.model.ending import end, verdict
from tests.model.state import BUDGET, CRASHES, FINAL, WAITING, Effect, Job, Step, Worker, World


def submit(world: World, mistakes: Collection[str]) -> Iterator[Step]:
    """S: a client asks under its key until it has an answer."""
    if world.promised:
        return
    first = world._replace(job=Job(), effect=Effect(), key=True, jobs=world.jobs + 1)
    accepted = world if world.key else first
    if "the key is taken in a transaction of its own" in mistakes and not world.key and world.left.kills:
        died = world._replace(key=True, left=world.left._replace(kills=world.left.kills - 1))
        yield "web dies between the key and the job", died, True
    if "the key is not kept" in mistakes:
        accepted = first._replace(key=False)
    if "202 comes before the commit" in mistakes and not world.key and world.left.kills:
        lied = world._replace(promised=True, left=world.left._replace(kills=world.left.kills - 1))
        yield "web answers and dies before the commit", lied, True
    rung = accepted if world.key else accepted._replace(hints=1)
    yield "client is answered 202", rung._replace(promised=True), False
    if world.left.silences:
        fewer = world.left._replace(silences=world.left.silences - 1)
        yield "COMMIT's reply is lost", accepted._replace(left=fewer), True


def relay(world: World, mistakes: Collection[str]) -> Iterator[Step]:
    """R1 to R3."""
    job = world.job
    if job is None or world.effect is None:
        return
    if job.state == "retrying":
        yield "relay wakes", world._replace(job=job._replace(state="queued"), hints=min(2, world.hints + 1)), False
    if job.state == "queued" and world.hints == 0 and "no relay" not in mistakes:
        yield "relay rings again", world._replace(hints=1), False
    if job.state == "running" and job.lease == "over":
        yield "relay gives the attempt up", _give_up(world, job, mistakes), False


def _give_up(world: World, job: Job, mistakes: Collection[str]) -> World:
    """R3: never `failed` or `cancelled` over an act that may have happened."""
    effect = world.effect
    got_on = effect is not None and effect.marked_by == job.attempt and effect.state in {"done", "refused"}
    if got_on and not job.cancel:
        return world._replace(job=job._replace(state="retrying", lease="none", crashes=0, budget=job.budget + 1))
    job = job._replace(crashes=job.crashes + 1)
    spent = job.attempt >= job.budget or job.crashes >= CRASHES
    if not job.cancel and not spent:
        return world._replace(job=job._replace(state="retrying", lease="none"))
    wanted = "cancelled" if job.cancel else "failed"
    if "the sweeper overlooks an act in flight" in mistakes:
        assert world.effect is not None
        return end(world, job, (wanted, world.effect), mistakes)
    return end(world, job, verdict(world, wanted, mistakes), mistakes)


def time(world: World) -> Iterator[Step]:
    """Leases end: those of the dead certainly, those of the living when they are frozen. A beat renews them."""
    job = world.job
    if job is None or job.state != "running":
        return
    alive = any(each.attempt == job.attempt and each.at not in {"idle", "hinted"} for each in world.workers)
    if job.lease == "over" and alive:
        yield "worker wakes and beats", world._replace(job=job._replace(lease="live")), False
    if job.lease == "live":
        over = world._replace(job=job._replace(lease="over"))
        if not alive:
            yield "lease of the dead ends", over, False
        elif world.left.overruns:
            left = world.left._replace(overruns=world.left.overruns - 1)
            yield "lease ends under a living worker", over._replace(left=left), True


def faults(world: World) -> Iterator[Step]:
    left = world.left
    if left.kills:
        for number, worker in enumerate(world.workers):
            if worker.at != "idle":
                others = (Worker(), world.workers[1]) if number == 0 else (world.workers[0], Worker())
                yield "kill", world._replace(workers=others, left=left._replace(kills=left.kills - 1)), True
    if left.losses and world.hints:
        fewer = left._replace(losses=left.losses - 1)
        yield "hint is lost", world._replace(hints=world.hints - 1, left=fewer), True
        yield "hint is doubled", world._replace(hints=min(2, world.hints + 1), left=fewer), True


def people(world: World, mistakes: Collection[str]) -> Iterator[Step]:
    """Cancel, run again, settle."""
    job, effect, left = world.job, world.effect, world.left
    if job is None or effect is None:
        return
    if left.cancels and job.state not in FINAL and not job.cancel:
        asked = world._replace(left=left._replace(cancels=left.cancels - 1))
        if job.state in WAITING:
            yield "cancel", end(asked, job, verdict(asked, "cancelled", mistakes), mistakes), True
        else:
            yield "cancel", asked._replace(job=job._replace(cancel=True)), True
    if left.replays and job.state in FINAL:
        tried = effect._replace(state="pending") if effect.state == "refused" else effect
        asked = world._replace(effect=tried, left=left._replace(replays=left.replays - 1))
        yield "run again", _again(asked, job, mistakes), True
    if left.resolves and job.state == "uncertain" and effect.state == "unknown":
        once = left._replace(resolves=left.resolves - 1)
        resent = effect._replace(state="pending", resends=effect.resends + 1)
        asked = world._replace(effect=resent, asked_again=world.asked_again + 1, left=once)
        yield "settle: send again", _again(asked, job, mistakes), True
        if world.receipts:
            found = world._replace(effect=effect._replace(state="done"), left=once)
            yield "settle: it arrived", found._replace(job=job._replace(state="succeeded")), True


def _again(world: World, job: Job, mistakes: Collection[str]) -> World:
    attempt = 0 if "a replay counts attempts from nothing" in mistakes else job.attempt
    fresh = Job(attempt=attempt, budget=attempt + BUDGET, epoch=job.epoch + 1)
    return world._replace(job=fresh, hints=min(2, world.hints + 1))
