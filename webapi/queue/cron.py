"""Cron expressions in a time zone: when a schedule fires, across both changes of the clock.

Five fields as in crontab(5), or one of its names such as `@daily`. Days are those of the time zone. The rule at the
changes of the clock is that of Debian's cron (cron(8), "Daylight Saving Time"), which cronsim implements: a
fixed time that the clock skips fires right after the gap, a fixed time that comes twice fires the first time only, and
`*` or `*/n` in the minutes or hours goes by the time that really passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

NAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
ODD = ("Etc/", "SystemV/", "US/", "Canada/", "Brazil/", "Mexico/", "Chile/")  # other names of the same places
# How far back the newest fire time is looked for: first where a busy schedule has it, then further.
LOOKS_BACK = (timedelta(hours=2), timedelta(days=3), timedelta(days=70))


def zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; use a name like Europe/Vienna or UTC") from None


def zones() -> list[str]:
    """The names of places that a person may choose from, and UTC."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith(ODD))]


def check(expression: str, timezone: str) -> None:
    """Raises ValueError with a sentence for an expression that is none, or whose time never comes."""
    if next(fire_times(expression, timezone, datetime.now(UTC)), None) is None:
        raise ValueError("that time never comes")


def explain(expression: str) -> str:
    """The expression in words: `At 09:00 on Monday through Friday`."""
    words: str = _parsed(expression, datetime.now(UTC)).explain()
    return words


def fire_times(expression: str, timezone: str, since: datetime) -> Iterator[datetime]:
    """The fire times after `since`, in UTC, oldest first. Raises ValueError."""
    last = since.astimezone(UTC)
    for local in _parsed(expression, since.astimezone(zone(timezone))):
        at = local.astimezone(UTC)
        # In the hour that comes twice, local times go back: what fired is not fired again.
        if at > last:
            last = at
            yield at


def first_after(expression: str, timezone: str, since: datetime) -> datetime:
    """The first fire time after `since`, in UTC. Raises ValueError when none ever comes."""
    found = next(fire_times(expression, timezone, since), None)
    if found is None:
        raise ValueError("that time never comes")
    return found


def upcoming(expression: str, timezone: str, since: datetime, count: int = 5) -> list[datetime]:
    """The next fire times in the schedule's own time zone."""
    local = zone(timezone)
    return [at.astimezone(local) for at in islice(fire_times(expression, timezone, since), count)]


def newest(expression: str, timezone: str, first: datetime, until: datetime) -> datetime:
    """The newest fire time up to `until`; `first` is the oldest and one itself. In UTC."""
    for back in LOOKS_BACK:
        begin = max(first, until - back)
        times = list(takewhile(lambda at: at <= until, fire_times(expression, timezone, begin)))
        if times:
            return times[-1]
        if begin == first:
            return first
    times = list(takewhile(lambda at: at <= until, fire_times(expression, timezone, first)))
    return times[-1] if times else first


def _parsed(expression: str, start: datetime) -> CronSim:
    expression = NAMES.get(expression.strip().lower(), expression)
    if len(expression.split()) != 5:
        raise ValueError("use five fields: minute, hour, day of month, month, day of week, like '0 9 * * 1-5'")
    try:
        return CronSim(expression, start)
    except CronSimError as error:
        raise ValueError(f"{str(error)[:1].lower()}{str(error)[1:]}") from None
