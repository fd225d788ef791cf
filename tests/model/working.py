"""What a worker does: W1, E0 to E3 and C2 of the protocol, each with the mistakes that could be made there."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tests.model.ending import end, verdict
from tests.model.state import Effect, Job, Step, Worker, World


def work(world: World, number: int, policy: str, mistakes: Collection[str]) -> Iterator[Step]:
    """The next step of one worker."""
    worker = world.workers[number]
    if worker.at == "idle":
        if world.hints:
            yield "takes a hint", _at(world._replace(hints=world.hints - 1), number, Worker("hinted")), False
        return
    if world.job is None or world.effect is None:
        yield "finds no job", _at(world, number, Worker()), False
        return
    if worker.at == "hinted":
        yield "claims", _claim(world, number, world.job, mistakes), False
    elif worker.at == "ready":
        yield "looks at what is left", _look(world, number, world.effect, policy, mistakes), False
    elif worker.at == "prepared":
        yield "marks", _mark(world, number, world.job, world.effect, mistakes), False
    elif worker.at == "marked":
        yield from _act(world, number, world.job, world.effect, mistakes)
    elif worker.at == "acted":
        yield "settles", _settle(world, number, world.effect, mistakes), False
    else:
        yield "finishes", _finish(world, number, world.job, mistakes), False


def _at(world: World, number: int, worker: Worker) -> World:
    workers = list(world.workers)
    workers[number] = worker
    return world._replace(workers=(workers[0], workers[1]))


def _claim(world: World, number: int, job: Job, mistakes: Collection[str]) -> World:
    claimable = {"queued", "running"} if "claim without compare-and-set" in mistakes else {"queued"}
    if job.state not in claimable or job.cancel:
        return _at(world, number, Worker())
    attempt = job.attempt + 1
    owners = {each.attempt for each in world.workers if each.at not in {"idle", "hinted"}}
    broken = "I3 an attempt has one owner" if attempt in owners or job.state == "running" else world.broken
    claimed = job._replace(state="running", attempt=attempt, lease="live")
    return _at(world._replace(job=claimed, broken=broken), number, Worker("ready", attempt))


def _look(world: World, number: int, effect: Effect, policy: str, mistakes: Collection[str]) -> World:
    """Judge what earlier attempts left unanswered, then see what is to be done."""
    worker = world.workers[number]
    unanswered = {"inflight"} if policy == "hold" else {"inflight", "unknown"}
    if effect.state in unanswered and effect.marked_by < worker.attempt:
        if policy == "hold" and "an act in flight is tried again" not in mistakes:
            effect = effect._replace(state="unknown", maybe=True)
        else:
            counted = 0 if "a resend is not counted" in mistakes else 1
            effect = effect._replace(state="pending", maybe=True, resends=effect.resends + counted)
            effect = effect._replace(resends=0) if policy == "hold" else effect
    if effect.state == "done" and "what is done is done again" in mistakes:
        effect = effect._replace(state="pending")
    going_on = worker._replace(at="prepared" if effect.state == "pending" else "done")
    return _at(world._replace(effect=effect), number, going_on)


def _mark(world: World, number: int, job: Job, effect: Effect, mistakes: Collection[str]) -> World:
    """E1, behind its fence."""
    worker = world.workers[number]
    mine = job.state == "running" and job.attempt == worker.attempt and job.lease == "live"
    if "no fence in E1" not in mistakes and not mine:
        return _at(world, number, Worker())
    if "cancel is not looked at in E1" not in mistakes and job.cancel:
        return _at(world, number, worker._replace(at="stopped"))
    if effect.state != "pending":
        return _at(world, number, Worker())
    broken = "I11 nothing begins after a cancel" if job.cancel or job.state == "cancelled" else world.broken
    if "the mark comes after the act" not in mistakes:
        effect = effect._replace(state="inflight", marked_by=worker.attempt, try_no=effect.try_no + 1)
    marked = worker._replace(at="marked", try_no=effect.try_no)
    return _at(world._replace(effect=effect, broken=broken), number, marked)


def _act(world: World, number: int, job: Job, effect: Effect, mistakes: Collection[str]) -> Iterator[Step]:
    """E2: the server takes it, declines it, or says nothing and has taken it or not."""
    worker, left = world.workers[number], world.left
    unmarked = effect.try_no == 0 and "the mark comes after the act" in mistakes
    world = world._replace(broken="I16 a mark precedes its act" if unmarked else world.broken)
    taken = world._replace(receipts=world.receipts + 1)

    def with_answer(after: World, answer: str) -> World:
        return _at(after, number, worker._replace(at="acted", answer=answer))

    yield "acts: taken", with_answer(taken, "done"), False
    if left.refusals:
        declined = world._replace(left=left._replace(refusals=left.refusals - 1))
        yield "acts: come back later", with_answer(declined, "pending"), True
        yield "acts: refused", with_answer(declined, "refused"), True
    if left.silences:
        fewer = left._replace(silences=left.silences - 1)
        yield "acts: taken, no answer", with_answer(taken._replace(left=fewer), "unknown"), True
        yield "acts: not taken, no answer", with_answer(world._replace(left=fewer), "unknown"), True


def _settle(world: World, number: int, effect: Effect, mistakes: Collection[str]) -> World:
    """E3, fenced by the attempt and the try."""
    worker = world.workers[number]
    its_own = effect.marked_by == worker.attempt and effect.try_no == worker.try_no
    if (its_own and effect.state in {"inflight", "unknown"}) or "the mark comes after the act" in mistakes:
        maybe = worker.answer == "unknown" or (effect.maybe and "maybe is not sticky" not in mistakes)
        marked_by = effect.marked_by or worker.attempt
        effect = effect._replace(state=worker.answer, maybe=maybe, marked_by=marked_by, try_no=max(1, effect.try_no))
    going_on = "done" if worker.answer in {"done", "refused"} else "again"
    return _at(world._replace(effect=effect), number, worker._replace(at=going_on))


def _finish(world: World, number: int, job: Job, mistakes: Collection[str]) -> World:
    """C2: the verdict, or the retry, behind the fence."""
    worker = world.workers[number]
    idle = _at(world, number, Worker())
    mine = job.state == "running" and job.attempt == worker.attempt
    if not mine and "no fence in C2" not in mistakes:
        return idle
    if worker.at == "again" and not job.cancel and job.attempt < job.budget:
        return idle._replace(job=job._replace(state="retrying", lease="none"))
    wanted = "cancelled" if worker.at == "stopped" or (worker.at == "again" and job.cancel) else "failed"
    if worker.at == "done":
        wanted = ""
    return end(idle, job, verdict(idle, wanted, mistakes), mistakes)
