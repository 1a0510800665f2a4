"""The whole job as somebody with one machine would do it today: DuckDB, scikit-learn and XGBoost.

python one_machine.py <settings as JSON>  JSON event files become days of users, days become features at past cutoffs, two
kinds of model are compared and calibrated out of fold, and the better one scores today's users into scores.csv. Prints one
JSON document: what was found, and the processor seconds of each part.
"""

import json
import pathlib
import sys
import time

import duckdb
import numpy
import pandas
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

THREADS = 2
WINDOWS = [3, 7, 14, 28]
SUMS = ["song_seconds", "sessions", "session_seconds", "active"]
PER_SONG = ["thumbs_up", "thumbs_down", "playlist_adds", "friend_adds", "adverts"]
TREES = {
    "n_estimators": 250,
    "learning_rate": 0.03,
    "subsample": 0.7,
    "colsample_bytree": 0.3,
    "min_child_weight": 10,
    "reg_lambda": 5,
    "tree_method": "hist",
    "n_jobs": THREADS,
}
NOT_INPUTS = ["user_id", "cutoff", "label"]


class Clock:
    """Processor seconds of the parts of this process, one after another."""

    def __init__(self) -> None:
        """Begins with what Python and its packages needed to start."""
        self.parts = {"starting": time.process_time()}
        self.last = time.process_time()

    def end(self, part: str) -> None:
        """A part has ended; the next begins."""
        now = time.process_time()
        self.parts[part] = now - self.last
        self.last = now


def read_days(lake: duckdb.DuckDBPyConnection, settings: dict) -> None:
    """Reads every line once, without duplicates, into the table user_days."""
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in settings["columns"].items())
    counters = ", ".join(
        f"count(*) FILTER (page = '{page}') AS {column}" for column, page in settings["counters"].items()
    )
    lake.execute(f"""
        CREATE TABLE user_days AS
        WITH events AS (
            SELECT DISTINCT make_timestamp(ts * 1000) AS event_time, userId AS user_id, sessionId AS session_id,
                itemInSession, page, auth, level, method, status, artist, song, length, gender, location,
                userAgent, registration
            FROM read_json('{settings["events"]}', format = 'newline_delimited', columns = {{{columns}}})
            WHERE ts IS NOT NULL AND page IS NOT NULL AND auth IN ('Logged In', 'Cancelled')
        ), sessions AS (
            SELECT CAST(event_time AS DATE) AS day, user_id, session_id, epoch(max(event_time)) - epoch(min(event_time)) AS seconds
            FROM events GROUP BY ALL
        ), session_days AS (
            SELECT day, user_id, count(*) AS sessions, sum(seconds) AS session_seconds FROM sessions GROUP BY ALL
        ), event_days AS (
            SELECT CAST(event_time AS DATE) AS day, user_id, count(*) AS events, 1 AS active, {counters},
                count(*) FILTER (level = 'paid') AS paid_events, coalesce(sum(length), 0) AS song_seconds,
                max(event_time) AS last_at, max(event_time) FILTER (page = '{settings["cancellation"]}') AS cancelled_at,
                arg_max(level, event_time) AS level, arg_max(gender, event_time) AS gender, arg_max(userAgent, event_time) AS user_agent,
                arg_max(registration, event_time) AS registration
            FROM events GROUP BY ALL
        )
        SELECT * FROM event_days JOIN session_days USING (day, user_id)""")


def make_rows(lake: duckdb.DuckDBPyConnection, settings: dict) -> None:
    """A row for each user and cutoff in the table features; the label is empty at the scoring cutoff."""
    step, horizon, history = (settings[name] for name in ("cutoffStepDays", "horizonDays", "minHistoryDays"))
    lake.execute(f"""
        CREATE TABLE cutoffs AS
        WITH log AS (SELECT min(day) AS first, max(day) + 1 AS observation_end FROM user_days)
        SELECT observation_end AS cutoff FROM log
        UNION ALL
        SELECT cutoff FROM (
            SELECT first, observation_end - {horizon} - n * {step} AS cutoff, n
            FROM log, (SELECT range::INTEGER AS n FROM range({settings["maxCutoffs"]}))
        )
        -- The newest is the test; a training row's label was known by then.
        WHERE cutoff - {history} >= first AND (n = 0 OR n * {step} >= {horizon})""")
    names = ["events", "paid_events", *settings["counters"], *SUMS]
    sums = ", ".join(
        f"sum({name}) FILTER (day >= cutoff - {days}) AS {name}_{days}" for name in names for days in WINDOWS
    )
    rates = ", ".join(f"sum({name}) / greatest(1, cutoff - min(day)) AS {name}_rate" for name in names)
    ratios = ", ".join(
        f"(1 + sum({name})) / (20 + sum(songs)) AS {name}_per_song, "
        f"(1 + coalesce({name}_28, 0)) / (20 + coalesce(songs_28, 0)) AS {name}_per_song_28"
        for name in PER_SONG
    )
    lake.execute(f"""
        CREATE TABLE features AS
        WITH cancellations AS (SELECT user_id, cancelled_at FROM user_days WHERE cancelled_at IS NOT NULL)
        SELECT user_id, cutoff, {sums}, {rates}, {ratios},
            epoch(cutoff::TIMESTAMP) - epoch(max(last_at)) AS seconds_since_seen,
            epoch(cutoff::TIMESTAMP) - max(registration) / 1000 AS tenure_seconds,
            (arg_max(level, day) = 'paid')::INTEGER AS is_paid, (arg_max(gender, day) = 'F')::INTEGER AS is_female,
            (arg_max(user_agent, day) LIKE '%Mobile%')::INTEGER AS is_mobile,
            CASE WHEN cutoff < (SELECT max(cutoff) FROM cutoffs) THEN EXISTS (
                SELECT 1 FROM cancellations
                WHERE cancellations.user_id = user_days.user_id AND cancelled_at >= cutoff
                  AND cancelled_at < cutoff + {horizon}
            ) END::INTEGER AS label
        FROM user_days JOIN cutoffs ON day < cutoff
        GROUP BY user_id, cutoff
        HAVING count(cancelled_at) = 0""")


def inputs(rows: pandas.DataFrame) -> numpy.ndarray:
    """What the models read: amounts on a logarithmic scale."""
    return numpy.log1p(rows.drop(columns=NOT_INPUTS).fillna(0).to_numpy(float).clip(min=0))


def candidates() -> dict:
    """The models that are compared, unfitted."""
    regressions = {
        f"logistic regression, C = {strength}": make_pipeline(
            StandardScaler(), LogisticRegression(C=strength, max_iter=1000)
        )
        for strength in (0.001, 0.01, 0.1)
    }
    trees = {f"XGBoost, depth {depth}": XGBClassifier(max_depth=depth, **TREES) for depth in (3, 5)}
    return {**regressions, **trees}


def log_odds(model, rows: numpy.ndarray) -> numpy.ndarray:
    """The score of a model."""
    probabilities = model.predict_proba(rows)[:, 1].clip(1e-9, 1 - 1e-9)
    return numpy.log(probabilities / (1 - probabilities))


def out_of_fold(model, rows: numpy.ndarray, labels: numpy.ndarray, users: numpy.ndarray) -> numpy.ndarray:
    """Scores by models that have not seen the user."""
    scores = numpy.zeros(len(labels))
    for known, unseen in GroupKFold(5).split(rows, labels, users):
        scores[unseen] = log_odds(model.fit(rows[known], labels[known]), rows[unseen])
    return scores


def main() -> None:
    """Does the job."""
    clock = Clock()
    settings = json.loads(sys.argv[1])
    folder = pathlib.Path(settings["outputFolder"])
    folder.mkdir(parents=True, exist_ok=True)
    lake = duckdb.connect(config={"threads": THREADS, "memory_limit": "4GB", "temp_directory": str(folder)})
    read_days(lake, settings)
    clock.end("reading")
    make_rows(lake, settings)
    rows = lake.execute("SELECT * FROM features ORDER BY user_id, cutoff").df()
    clock.end("features")
    past = rows[rows["label"].notna()]
    is_test = past["cutoff"] == past["cutoff"].max()
    train, test, today = past[~is_test], past[is_test], rows[rows["label"].isna()]
    known, labels = inputs(train), train["label"].to_numpy(int)
    found = {
        name: out_of_fold(model, known, labels, train["user_id"].to_numpy())
        for name, model in candidates().items()
    }
    best = max(found, key=lambda name: average_precision_score(labels, found[name]))
    model = candidates()[best].fit(known, labels)
    calibration = LogisticRegression(C=1e6).fit(found[best][:, None], labels)
    clock.end("training")
    tested = log_odds(model, inputs(test))
    probabilities = calibration.predict_proba(log_odds(model, inputs(today))[:, None])[:, 1]
    scores = pandas.DataFrame({"user_id": today["user_id"], "probability": probabilities})
    scores.sort_values("probability", ascending=False).to_csv(folder / "scores.csv", index=False)
    clock.end("scoring")
    print(
        json.dumps(
            {
                "model": best,
                "trainingRows": len(train),
                "auc": float(roc_auc_score(test["label"].astype(int), tested)),
                "scored": len(scores),
                "parts": clock.parts,
            }
        )
    )


if __name__ == "__main__":
    main()
