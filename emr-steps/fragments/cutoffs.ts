/** Which period the log covers, and its cutoffs. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { stepError } from './step-error.ts';
import { planTypes } from './types.ts';

/** Training cutoffs that an earlier cutoff must have to be tested. */
export const LEAST_TRAINING_CUTOFFS = 2;

export const period = fragment({
  file: import.meta.url,
  needs: [planTypes, stepError],
  imports: [
    'import datetime',
    'import statistics',
    'from typing import NamedTuple',
    'from pyspark.sql import DataFrame',
    'from pyspark.sql import functions as F',
  ],
  code: python`
    class DayRows(NamedTuple):
        """A day with events, the number of these, and the number of users who have any."""

        day: datetime.date
        events: int
        user_days: int


    class Period(NamedTuple):
        """First day of the log, and the midnight that ends it."""

        first_day: datetime.date
        observation_end: datetime.date


    def daily_rows(user_days: DataFrame) -> list[DayRows]:
        """Events and rows of each day that has any, in order."""
        counts = user_days.groupBy("day").agg(
            F.sum("events").alias("events"), F.count(F.lit(1)).alias("user_days")
        )
        return [DayRows(*row) for row in counts.orderBy("day").collect()]


    def find_period(days: list[DayRows], settings: TrainingSettings) -> Period:
        """The period that the log covers; stray rows before and after do not count."""
        if not days:
            raise StepError(
                "no signed-in user has an event",
                "the log is empty, or all of its rows were signed out or refused",
                "check the userId and auth columns of the log and the refused rows of this run",
            )
        least = settings["minDailyShare"] * statistics.median(day.events for day in days)
        busy = [day.day for day in days if day.events >= least]
        day_after_last = days[-1].day + datetime.timedelta(days=1)
        observation_end = busy[-1] + datetime.timedelta(days=1)
        if settings["observationEnd"] is not None:
            observation_end = datetime.date.fromisoformat(settings["observationEnd"])
        if not busy[0] < observation_end <= day_after_last:
            raise StepError(
                f"observationEnd {observation_end} is outside the log ({busy[0]} to {days[-1].day})",
                "the run was asked for an end that the log does not cover",
                f"ask for an observationEnd up to {day_after_last}, or leave it out",
            )
        return Period(busy[0], observation_end)
  `,
});

export const cutoffs = fragment({
  file: import.meta.url,
  needs: [planTypes, stepError, period],
  imports: ['import datetime', 'from typing import Literal, NamedTuple, NoReturn'],
  constants: python`
    # A cutoff can be tested for the record over time where so many training cutoffs had ended by it.
    LEAST_TRAINING_CUTOFFS = ${LEAST_TRAINING_CUTOFFS}
  `,
  code: python`
    class Cutoff(NamedTuple):
        """A cutoff, what its rows are for, and the days between which history and label are looked for."""

        cutoff: datetime.date
        role: Literal["train", "past", "test", "score"]
        first_day: datetime.date
        label_end: datetime.date


    def grid_anchor(period: Period, settings: TrainingSettings) -> datetime.date:
        """A day of the grid: the one that the lake keeps, or the first one that this log makes."""
        if settings["cutoffAnchor"] is not None:
            return datetime.date.fromisoformat(settings["cutoffAnchor"])
        return period.observation_end - datetime.timedelta(days=settings["horizonDays"])


    def training_cutoffs(
        newest: datetime.date, period: Period, settings: TrainingSettings
    ) -> list[datetime.date]:
        """Training cutoffs from the newest backwards that have enough history, as many as the settings allow."""
        step = datetime.timedelta(days=settings["cutoffStepDays"])
        earliest = period.first_day + datetime.timedelta(days=settings["minHistoryDays"])
        candidates = (newest - step * back for back in range(settings["maxCutoffs"] - 1))
        return [cutoff for cutoff in candidates if cutoff >= earliest]


    def plan_cutoffs(period: Period, settings: TrainingSettings) -> list[Cutoff]:
        """Cutoffs with their roles, oldest first: training, past, the one test cutoff, the scoring cutoff.

        Training and test cutoffs are on the grid that the lake keeps, so that a past cutoff stays the same from run to
        run. The newest one whose labels are known is the test. Training cutoffs are those whose label window had ended
        by then; those between are tested for the record over time only, as their labels were not yet known. A log with
        no training cutoff on the grid counts its cutoffs from its end.
        """
        horizon = datetime.timedelta(days=settings["horizonDays"])
        step = datetime.timedelta(days=settings["cutoffStepDays"])
        newest = period.observation_end - horizon
        anchor = grid_anchor(period, settings)
        test = newest - (newest - anchor) % step
        training = training_cutoffs(test - horizon - (test - horizon - anchor) % step, period, settings)
        if not training:
            test = newest
            training = training_cutoffs(test - horizon, period, settings)
        if not training:
            refuse_short_log(period, settings)

        def planned(cutoff: datetime.date, role: Literal["train", "past", "test", "score"]) -> Cutoff:
            return Cutoff(cutoff, role, period.first_day, cutoff + horizon)

        return [
            *(planned(cutoff, "train") for cutoff in reversed(training)),
            *(planned(cutoff, "past") for cutoff in past_cutoffs_between(training, test, settings)),
            planned(test, "test"),
            planned(period.observation_end, "score"),
        ]


    def past_cutoffs_between(
        training: list[datetime.date], test: datetime.date, settings: TrainingSettings
    ) -> list[datetime.date]:
        """Cutoffs of the grid between training and test that a run of their time could have been tested on.

        @param training newest first
        """
        horizon = datetime.timedelta(days=settings["horizonDays"])
        step = datetime.timedelta(days=settings["cutoffStepDays"])
        oldest_two = training[-LEAST_TRAINING_CUTOFFS:]
        if len(oldest_two) < LEAST_TRAINING_CUTOFFS:
            return []
        between = (test - step * back for back in range(1, (test - training[0]) // step + 1))
        return [cutoff for cutoff in between if max(training[0] + step, oldest_two[0] + horizon) <= cutoff][::-1]


    def refuse_short_log(period: Period, settings: TrainingSettings) -> NoReturn:
        """Says how long the log must be to hold one training and one test cutoff."""
        horizon = settings["horizonDays"]
        needed = settings["minHistoryDays"] + 2 * horizon
        observed = (period.observation_end - period.first_day).days
        raise StepError(
            f"the log is too short to train on: it needs {needed} days and has {observed} "
            f"({period.first_day} to {period.observation_end}, the end not included)",
            f"{settings['minHistoryDays']} days of history must fit before two windows of {horizon} days, "
            "one to learn from and one to test on",
            "add older or newer event files, or ask for a shorter horizonDays",
        )
  `,
});
