"""Days at risk and hours of use by the generated train-models.py, beside a walk through every event of every user.

python hazards_reference.py <train-models.py> <columns of user_days, as SQL>  Prints one JSON document.
"""

import collections
import datetime
import json
import random
import sys

from evaluation_reference import load
from pyspark.sql import SparkSession

FIRST, END, USERS = datetime.date(2018, 10, 1), datetime.date(2018, 12, 1), 300
TRAILING = datetime.timedelta(minutes=30)
# (time, session, page)
Event = tuple[datetime.datetime, int, str]


def events_of(draw: random.Random) -> list[Event]:
    """Sessions on some days; a few change level, cancel, go on a little after that, also over midnight, or come back."""
    events: list[Event] = []
    day = FIRST + datetime.timedelta(days=draw.randrange(30))
    session = 0
    while day < END:
        session += 1
        time = datetime.datetime.combine(day, datetime.time(draw.randrange(24), draw.randrange(60)))
        last = time
        for page in draw.choices(["NextSong", "Submit Upgrade", "Submit Downgrade"], [12, 1, 1], k=3):
            events.append((last, session, page))
            last += datetime.timedelta(minutes=3)
        if draw.random() < 0.12:
            events.append((last, session, "Cancellation Confirmation"))
            if draw.random() < 0.5:
                events.append((last + datetime.timedelta(minutes=draw.randrange(5, 30)), session, "NextSong"))
            if draw.random() < 0.4:
                return events
            # Some of them come back on the same day.
            day = (last + datetime.timedelta(hours=draw.choice([2, 30, 300]))).date()
            earliest = last + datetime.timedelta(minutes=70)
            if day == earliest.date():
                session += 1
                events.append((earliest, session, "NextSong"))
                if draw.random() < 0.3:
                    events.append((earliest + datetime.timedelta(minutes=20), session, "Cancellation Confirmation"))
                    return events
            day += datetime.timedelta(days=1)
        else:
            day = last.date() + datetime.timedelta(days=draw.randrange(1, 12))
    return events


def day_rows(user: str, events: list[Event]) -> list[dict]:
    """The columns of user_days by which spells are found."""
    by_day = collections.defaultdict(list)
    for event in sorted(events):
        if event[0].date() < END:
            by_day[event[0].date()].append(event)
    rows = []
    for day, own in by_day.items():
        first, last = own[0], own[-1]
        times = {which: [time for time, session, _ in own if session == which[1]] for which in (first, last)}
        cancelled = [time for time, _, page in own if page == "Cancellation Confirmation"]
        rows.append(
            {
                "user_id": user,
                "day": day,
                "first_event_at": first[0],
                "last_event_at": last[0],
                "first_session_id": first[1],
                "first_session_started_at": times[first][0],
                "last_session_id": last[1],
                "last_session_started_at": times[last][0],
                "last_session_ended_at": times[last][-1],
                "last_cancelled_at": max(cancelled, default=None),
                "cancellations": len(cancelled),
                "upgrades": sum(page == "Submit Upgrade" for _, _, page in own),
                "downgrades": sum(page == "Submit Downgrade" for _, _, page in own),
                "sessions": len({session for _, session, _ in own}),
                "session_seconds": 0.0,
                "active_hours": sum(1 << hour for hour in {time.hour for time, _, _ in own}),
                "events": len(own),
            }
        )
    return rows


def band(days: int | None) -> str:
    """Days since the last change, in words."""
    if days is None:
        return "no change seen"
    limits = [(0, "same day"), (3, "1 to 3 days"), (7, "4 to 7 days"), (14, "8 to 14 days"), (28, "15 to 28 days")]
    return next((words for most, words in limits if days <= most), "29 days or more")


def walk(events: list[Event], found: dict, user: str) -> None:
    """Day after day, whether the user was there, and whether the user cancelled."""
    events = [event for event in sorted(events) if event[0].date() < END]
    is_there, left_at, changed = True, None, None
    day = events[0][0].date()
    while day < END:
        was_there, has_cancelled = is_there, False
        for time, _, page in (event for event in events if event[0].date() == day):
            if not is_there and left_at is not None and time > left_at + TRAILING:
                is_there = was_there = True
            if page.startswith("Submit"):
                changed = day
            if page == "Cancellation Confirmation":
                is_there, left_at, has_cancelled = False, time, True
        if was_there:
            for part in (("weekday", f"{day:%A}"), ("level_change", band((day - changed).days if changed else None))):
                users, counts = found[part]
                users.add(user)
                counts[0] += 1
                counts[1] += has_cancelled
        day += datetime.timedelta(days=1)


if __name__ == "__main__":
    step = load(sys.argv[1])
    draw = random.Random(5)
    of_users = {f"user-{number}": events_of(draw) for number in range(USERS)}
    found = collections.defaultdict(lambda: (set(), [0, 0]))
    for user, events in of_users.items():
        walk(events, found, user)
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", 1)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.timestampType", "TIMESTAMP_NTZ")
        .getOrCreate()
    )
    rows = [row for user, events in of_users.items() for row in day_rows(user, events)]
    # A day that is not known yet.
    late = [{**rows[0], "day": END}]
    explored = step.explore(spark, spark.createDataFrame(rows + late, sys.argv[2]), END)
    walked = [
        {"variable": variable, "value": value, "users": len(users), "days": days, "cancelled": cancelled}
        for (variable, value), (users, (days, cancelled)) in found.items()
    ]
    hours = {"churned": collections.Counter(), "stayed": collections.Counter()}
    for events in of_users.values():
        known = [(time, page) for time, _, page in events if time.date() < END]
        which = "churned" if any(page == "Cancellation Confirmation" for _, page in known) else "stayed"
        hours[which].update(hour for _, hour in {(time.date(), time.hour) for time, _ in known})
    used = {which: [counter[hour] / counter.total() for hour in range(24)] for which, counter in hours.items()}
    print(json.dumps({"stated": explored["hazards"], "walked": walked, "hours": explored["hours"], "used": used}))
