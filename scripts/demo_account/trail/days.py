"""The days of the year, and chance that is the same on every run."""

import datetime
import random

from .events import SEED

FIRST = datetime.date(2025, 11, 16)
LAST = datetime.date(2026, 11, 16)
END = datetime.datetime(2026, 11, 16, 6, tzinfo=datetime.timezone.utc)
HOLIDAYS = (
    (datetime.date(2025, 12, 22), datetime.date(2026, 1, 4)),
    (datetime.date(2026, 8, 8), datetime.date(2026, 8, 23)),
)


def days():
    day = FIRST
    while day <= LAST:
        yield day
        day += datetime.timedelta(days=1)


def is_holiday(day):
    return any(first <= day <= last for first, last in HOLIDAYS)


def works(day):
    return day.weekday() < 5 and not is_holiday(day)


def at(day, hour, minute=0, second=0):
    return datetime.datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=datetime.timezone.utc)


def chance(*parts):
    """A source of its own for every part and day: what is added to one doesn't move another."""
    return random.Random("|".join(map(str, (SEED, *parts))))


def later(when, seconds):
    return when + datetime.timedelta(seconds=seconds)


def months_in(day):
    """Months since the year began, for versions that grow."""
    return (day.year - FIRST.year) * 12 + day.month - FIRST.month
