"""Makes point-in-time rows, one per user and cutoff, from the days of each user.

Generated from emr-steps/build-features: change it there. Run by
spark-submit build-features.py --plan <uri of plan.json>
"""

import argparse
import datetime
import json
import math
import statistics
import sys
import traceback

from pyspark.sql import DataFrame, SparkSession, functions

STEP = "build-features"
ERROR_LINES = 12


class StepError(Exception):
    """A failure that a person can act on."""

    def __init__(self, message: str, likely_cause: str, what_to_do: str) -> None:
        """Takes what went wrong, why that is likely, and the remedy."""
        super().__init__(message)
        self.likely_cause = likely_cause
        self.what_to_do = what_to_do


class Files:
    """Small text files, wherever Spark's file systems can reach."""

    def __init__(self, spark: SparkSession) -> None:
        """Uses the session's file systems and their credentials."""
        self._jvm = spark._jvm
        self._configuration = spark._jsc.hadoopConfiguration()

    def _path(self, uri: str):
        path = self._jvm.org.apache.hadoop.fs.Path(uri)
        file_system = path.getFileSystem(self._configuration)
        # Checksum files beside the objects would go stale when another program rewrites them.
        file_system.setWriteChecksum(False)
        return file_system, path

    def exists(self, uri: str) -> bool:
        """Says whether there is a file or folder."""
        file_system, path = self._path(uri)
        return file_system.exists(path)

    def read_text(self, uri: str) -> str:
        """Reads the whole file."""
        file_system, path = self._path(uri)
        stream = file_system.open(path)
        try:
            return self._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")
        finally:
            stream.close()

    def write_text(self, uri: str, text: str) -> None:
        """Writes the whole text or nothing: a reader never sees half of it."""
        file_system, path = self._path(uri)
        draft = path.suffix(".draft")
        stream = file_system.create(draft, True)
        try:
            stream.write(text.encode("utf-8"))
        finally:
            stream.close()
        file_system.delete(path, False)
        if not file_system.rename(draft, path):
            raise OSError(f"could not move {draft} to {path}")

    def read_json(self, uri: str) -> dict:
        """Reads one JSON document."""
        return json.loads(self.read_text(uri))

    def write_json(self, uri: str, value: dict) -> None:
        """Writes one JSON document, keys sorted; what is no number has no place in JSON."""
        self.write_text(uri, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def explain(error: Exception) -> dict:
    """Says what went wrong in the words of the person who is paged."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    message = "\n".join(lines[:ERROR_LINES]) or type(error).__name__
    if isinstance(error, StepError):
        cause, remedy = error.likely_cause, error.what_to_do
    elif "OutOfMemoryError" in message or "Container killed" in message:
        cause = "the data of one task did not fit into memory"
        remedy = "raise the cluster's size in the configuration and resume the run"
    elif "AccessDenied" in message or "403" in message:
        cause = "the cluster's role may not read or write what the message names"
        remedy = "grant it, then resume the run"
    else:
        cause = "unexpected: see the message and the step's log"
        remedy = "resume the run once the cause is mended; steps that succeeded are skipped"
    return {
        "step": STEP,
        "errorClass": type(error).__name__,
        "message": message,
        "likelyCause": cause,
        "whatToDo": remedy,
    }


def main() -> None:
    """Runs the step once for a plan; a result that stands is not made again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", required=True, help="URI of the run's plan.json")
    plan_uri = parser.parse_args().plan
    spark = SparkSession.builder.appName(f"churn {STEP}").getOrCreate()
    files = Files(spark)
    plan = files.read_json(plan_uri)
    outputs = plan["outputs"]
    try:
        if files.exists(outputs["results"][STEP]):
            print(f"{STEP}: the result of this plan stands, nothing to do", file=sys.stderr)
            return
        files.write_json(outputs["results"][STEP], run(spark, plan))
    except Exception as error:
        traceback.print_exc()
        files.write_json(outputs["errors"][STEP], explain(error))
        sys.exit(1)
    finally:
        spark.stop()


USER_DAYS = "lake.churn.user_days"
FEATURES = "lake.churn.features"
KEY_COLUMNS = 4
HISTORY_ROWS_PER_TASK = 200_000
CUTOFF_SCHEMA = "cutoff date, role string, first_day date, label_end date"

# Each user's days, with sessions that go on over midnight joined.
DAYS = """
WITH neighbours AS (
  SELECT
    *,
    COALESCE(first_session_id = LAG(last_session_id) OVER chronology, FALSE) AS continues_session,
    LAG(last_session_ended_at) OVER chronology AS previous_session_ended_at,
    DATEDIFF(day, LAG(day) OVER chronology) AS absence_days,
    MIN(IF(cancellations > 0, day, NULL)) OVER (PARTITION BY user_id) AS cancelled_on
  FROM user_days
  WINDOW chronology AS (PARTITION BY user_id ORDER BY day)
)
SELECT
  *,
  sessions - INT(continues_session) AS begun_sessions,
  session_seconds + IF(
    continues_session,
    TIMESTAMPDIFF(MILLISECOND, previous_session_ended_at, first_session_started_at) / 1000,
    0
  ) AS joined_session_seconds
FROM neighbours
"""

# Days known at each cutoff: whatever is computed from here cannot see the future.
HISTORY = """
SELECT /*+ BROADCAST(cutoffs) */
  days.*,
  cutoff,
  role,
  first_day,
  DATEDIFF(cutoff, day) AS age,
  IF(role = 'score', NULL, INT(COALESCE(cancelled_on < label_end, FALSE))) AS label
FROM days
JOIN cutoffs ON day >= first_day AND day < cutoff AND (cancelled_on IS NULL OR cancelled_on >= cutoff)
"""

# From the feature catalogue: what is summed over a user's history at a cutoff.
AGGREGATE = """
SELECT
  user_id,
  cutoff,
  role,
  label,
  DATEDIFF(cutoff, GREATEST(first_day, LEAST(MIN(day), DATE(MAX(registered_at))))) AS known_days,
  SUM(IF(age <= 3, events, 0)) AS events_3d,
  SUM(IF(age <= 7, events, 0)) AS events_7d,
  SUM(IF(age <= 14, events, 0)) AS events_14d,
  SUM(IF(age <= 28, events, 0)) AS events_28d,
  SUM(events) AS events_ever,
  SUM(IF(age <= 3, 1, 0)) AS active_days_3d,
  SUM(IF(age <= 7, 1, 0)) AS active_days_7d,
  SUM(IF(age <= 14, 1, 0)) AS active_days_14d,
  SUM(IF(age <= 28, 1, 0)) AS active_days_28d,
  SUM(1) AS active_days_ever,
  SUM(IF(age <= 3, begun_sessions, 0)) AS begun_sessions_3d,
  SUM(IF(age <= 7, begun_sessions, 0)) AS begun_sessions_7d,
  SUM(IF(age <= 14, begun_sessions, 0)) AS begun_sessions_14d,
  SUM(IF(age <= 28, begun_sessions, 0)) AS begun_sessions_28d,
  SUM(begun_sessions) AS begun_sessions_ever,
  SUM(IF(age <= 3, joined_session_seconds / 3600, 0)) AS session_hours_3d,
  SUM(IF(age <= 7, joined_session_seconds / 3600, 0)) AS session_hours_7d,
  SUM(IF(age <= 14, joined_session_seconds / 3600, 0)) AS session_hours_14d,
  SUM(IF(age <= 28, joined_session_seconds / 3600, 0)) AS session_hours_28d,
  SUM(joined_session_seconds / 3600) AS session_hours_ever,
  SUM(IF(age <= 3, songs, 0)) AS songs_3d,
  SUM(IF(age <= 7, songs, 0)) AS songs_7d,
  SUM(IF(age <= 14, songs, 0)) AS songs_14d,
  SUM(IF(age <= 28, songs, 0)) AS songs_28d,
  SUM(songs) AS songs_ever,
  SUM(IF(age <= 3, song_seconds / 3600, 0)) AS hours_listened_3d,
  SUM(IF(age <= 7, song_seconds / 3600, 0)) AS hours_listened_7d,
  SUM(IF(age <= 14, song_seconds / 3600, 0)) AS hours_listened_14d,
  SUM(IF(age <= 28, song_seconds / 3600, 0)) AS hours_listened_28d,
  SUM(song_seconds / 3600) AS hours_listened_ever,
  SUM(IF(age <= 7, home_visits, 0)) AS home_visits_7d,
  SUM(IF(age <= 28, home_visits, 0)) AS home_visits_28d,
  SUM(home_visits) AS home_visits_ever,
  SUM(IF(age <= 7, logouts, 0)) AS logouts_7d,
  SUM(IF(age <= 28, logouts, 0)) AS logouts_28d,
  SUM(logouts) AS logouts_ever,
  SUM(IF(age <= 3, thumbs_up, 0)) AS thumbs_up_3d,
  SUM(IF(age <= 7, thumbs_up, 0)) AS thumbs_up_7d,
  SUM(IF(age <= 14, thumbs_up, 0)) AS thumbs_up_14d,
  SUM(IF(age <= 28, thumbs_up, 0)) AS thumbs_up_28d,
  SUM(thumbs_up) AS thumbs_up_ever,
  SUM(IF(age <= 3, thumbs_down, 0)) AS thumbs_down_3d,
  SUM(IF(age <= 7, thumbs_down, 0)) AS thumbs_down_7d,
  SUM(IF(age <= 14, thumbs_down, 0)) AS thumbs_down_14d,
  SUM(IF(age <= 28, thumbs_down, 0)) AS thumbs_down_28d,
  SUM(thumbs_down) AS thumbs_down_ever,
  SUM(IF(age <= 3, playlist_adds, 0)) AS playlist_adds_3d,
  SUM(IF(age <= 7, playlist_adds, 0)) AS playlist_adds_7d,
  SUM(IF(age <= 14, playlist_adds, 0)) AS playlist_adds_14d,
  SUM(IF(age <= 28, playlist_adds, 0)) AS playlist_adds_28d,
  SUM(playlist_adds) AS playlist_adds_ever,
  SUM(IF(age <= 3, friend_adds, 0)) AS friend_adds_3d,
  SUM(IF(age <= 7, friend_adds, 0)) AS friend_adds_7d,
  SUM(IF(age <= 14, friend_adds, 0)) AS friend_adds_14d,
  SUM(IF(age <= 28, friend_adds, 0)) AS friend_adds_28d,
  SUM(friend_adds) AS friend_adds_ever,
  SUM(IF(age <= 3, adverts, 0)) AS adverts_3d,
  SUM(IF(age <= 7, adverts, 0)) AS adverts_7d,
  SUM(IF(age <= 14, adverts, 0)) AS adverts_14d,
  SUM(IF(age <= 28, adverts, 0)) AS adverts_28d,
  SUM(adverts) AS adverts_ever,
  SUM(IF(age <= 3, downgrade_visits, 0)) AS downgrade_visits_3d,
  SUM(IF(age <= 7, downgrade_visits, 0)) AS downgrade_visits_7d,
  SUM(IF(age <= 14, downgrade_visits, 0)) AS downgrade_visits_14d,
  SUM(IF(age <= 28, downgrade_visits, 0)) AS downgrade_visits_28d,
  SUM(downgrade_visits) AS downgrade_visits_ever,
  SUM(IF(age <= 3, settings_visits, 0)) AS settings_visits_3d,
  SUM(IF(age <= 7, settings_visits, 0)) AS settings_visits_7d,
  SUM(IF(age <= 14, settings_visits, 0)) AS settings_visits_14d,
  SUM(IF(age <= 28, settings_visits, 0)) AS settings_visits_28d,
  SUM(settings_visits) AS settings_visits_ever,
  SUM(IF(age <= 3, help_visits, 0)) AS help_visits_3d,
  SUM(IF(age <= 7, help_visits, 0)) AS help_visits_7d,
  SUM(IF(age <= 14, help_visits, 0)) AS help_visits_14d,
  SUM(IF(age <= 28, help_visits, 0)) AS help_visits_28d,
  SUM(help_visits) AS help_visits_ever,
  SUM(IF(age <= 3, errors, 0)) AS errors_3d,
  SUM(IF(age <= 7, errors, 0)) AS errors_7d,
  SUM(IF(age <= 14, errors, 0)) AS errors_14d,
  SUM(IF(age <= 28, errors, 0)) AS errors_28d,
  SUM(errors) AS errors_ever,
  SUM(IF(age <= 28, upgrade_visits, 0)) AS upgrade_visits_28d,
  SUM(upgrade_visits) AS upgrade_visits_ever,
  SUM(IF(age <= 28, upgrades + downgrades, 0)) AS level_changes_28d,
  SUM(upgrades + downgrades) AS level_changes_ever,
  SUM(IF(age <= 28, settings_saves, 0)) AS settings_saves_28d,
  SUM(settings_saves) AS settings_saves_ever,
  SUM(IF(age <= 28, about_visits, 0)) AS about_visits_28d,
  SUM(about_visits) AS about_visits_ever,
  SUM(IF(age <= 7, songs - paid_songs, 0)) AS free_songs_7d,
  SUM(IF(age <= 28, songs - paid_songs, 0)) AS free_songs_28d,
  SUM(songs - paid_songs) AS free_songs_ever,
  SUM(IF(age <= 7, paid_events, 0)) AS paid_events_7d,
  SUM(IF(age <= 28, paid_events, 0)) AS paid_events_28d,
  SUM(paid_events) AS paid_events_ever,
  MAX(last_event_at) AS last_event_at,
  MAX(absence_days) AS most_absence_days_ever,
  MAX(IF(age <= 28, songs, NULL)) AS most_songs_28d,
  HLL_UNION_AGG(IF(age <= 28, artist_sketch, NULL)) AS artist_sketch_28d,
  HLL_UNION_AGG(artist_sketch) AS artist_sketch_ever,
  MAX_BY(registered_at, IF(registered_at IS NULL, NULL, day)) AS latest_registered_at,
  MAX(IF(upgrades + downgrades > 0, last_event_at, NULL)) AS level_changed_at,
  MAX_BY(level, IF(level IS NULL, NULL, day)) AS latest_level,
  MAX_BY(gender, IF(gender IS NULL, NULL, day)) AS latest_gender,
  MAX_BY(location, IF(location IS NULL, NULL, day)) AS latest_location,
  MAX_BY(user_agent, IF(user_agent IS NULL, NULL, day)) AS latest_user_agent
FROM history
GROUP BY user_id, cutoff, role, label, first_day
"""

# From the feature catalogue: the columns of the table.
PROJECTION = """
SELECT
  user_id,
  cutoff,
  role,
  label,
  DOUBLE(events_3d) AS events_last_3_days,
  DOUBLE(events_7d) AS events_last_7_days,
  DOUBLE(events_14d) AS events_last_14_days,
  DOUBLE(events_28d) AS events_last_28_days,
  DOUBLE(events_ever / known_days) AS events_per_day,
  DOUBLE(active_days_3d) AS active_days_last_3_days,
  DOUBLE(active_days_7d) AS active_days_last_7_days,
  DOUBLE(active_days_14d) AS active_days_last_14_days,
  DOUBLE(active_days_28d) AS active_days_last_28_days,
  DOUBLE(active_days_ever / known_days) AS active_days_per_day,
  DOUBLE(begun_sessions_3d) AS begun_sessions_last_3_days,
  DOUBLE(begun_sessions_7d) AS begun_sessions_last_7_days,
  DOUBLE(begun_sessions_14d) AS begun_sessions_last_14_days,
  DOUBLE(begun_sessions_28d) AS begun_sessions_last_28_days,
  DOUBLE(begun_sessions_ever / known_days) AS begun_sessions_per_day,
  DOUBLE(session_hours_3d) AS session_hours_last_3_days,
  DOUBLE(session_hours_7d) AS session_hours_last_7_days,
  DOUBLE(session_hours_14d) AS session_hours_last_14_days,
  DOUBLE(session_hours_28d) AS session_hours_last_28_days,
  DOUBLE(session_hours_ever / known_days) AS session_hours_per_day,
  DOUBLE(songs_3d) AS songs_last_3_days,
  DOUBLE(songs_7d) AS songs_last_7_days,
  DOUBLE(songs_14d) AS songs_last_14_days,
  DOUBLE(songs_28d) AS songs_last_28_days,
  DOUBLE(songs_ever / known_days) AS songs_per_day,
  DOUBLE(hours_listened_3d) AS hours_listened_last_3_days,
  DOUBLE(hours_listened_7d) AS hours_listened_last_7_days,
  DOUBLE(hours_listened_14d) AS hours_listened_last_14_days,
  DOUBLE(hours_listened_28d) AS hours_listened_last_28_days,
  DOUBLE(hours_listened_ever / known_days) AS hours_listened_per_day,
  DOUBLE(home_visits_7d) AS home_visits_last_7_days,
  DOUBLE(home_visits_28d) AS home_visits_last_28_days,
  DOUBLE(home_visits_ever / known_days) AS home_visits_per_day,
  DOUBLE(logouts_7d) AS logouts_last_7_days,
  DOUBLE(logouts_28d) AS logouts_last_28_days,
  DOUBLE(logouts_ever / known_days) AS logouts_per_day,
  DOUBLE(thumbs_up_3d) AS thumbs_up_last_3_days,
  DOUBLE(thumbs_up_7d) AS thumbs_up_last_7_days,
  DOUBLE(thumbs_up_14d) AS thumbs_up_last_14_days,
  DOUBLE(thumbs_up_28d) AS thumbs_up_last_28_days,
  DOUBLE(thumbs_up_ever / known_days) AS thumbs_up_per_day,
  DOUBLE(thumbs_down_3d) AS thumbs_down_last_3_days,
  DOUBLE(thumbs_down_7d) AS thumbs_down_last_7_days,
  DOUBLE(thumbs_down_14d) AS thumbs_down_last_14_days,
  DOUBLE(thumbs_down_28d) AS thumbs_down_last_28_days,
  DOUBLE(thumbs_down_ever / known_days) AS thumbs_down_per_day,
  DOUBLE(playlist_adds_3d) AS playlist_adds_last_3_days,
  DOUBLE(playlist_adds_7d) AS playlist_adds_last_7_days,
  DOUBLE(playlist_adds_14d) AS playlist_adds_last_14_days,
  DOUBLE(playlist_adds_28d) AS playlist_adds_last_28_days,
  DOUBLE(playlist_adds_ever / known_days) AS playlist_adds_per_day,
  DOUBLE(friend_adds_3d) AS friend_adds_last_3_days,
  DOUBLE(friend_adds_7d) AS friend_adds_last_7_days,
  DOUBLE(friend_adds_14d) AS friend_adds_last_14_days,
  DOUBLE(friend_adds_28d) AS friend_adds_last_28_days,
  DOUBLE(friend_adds_ever / known_days) AS friend_adds_per_day,
  DOUBLE(adverts_3d) AS adverts_last_3_days,
  DOUBLE(adverts_7d) AS adverts_last_7_days,
  DOUBLE(adverts_14d) AS adverts_last_14_days,
  DOUBLE(adverts_28d) AS adverts_last_28_days,
  DOUBLE(adverts_ever / known_days) AS adverts_per_day,
  DOUBLE(downgrade_visits_3d) AS downgrade_visits_last_3_days,
  DOUBLE(downgrade_visits_7d) AS downgrade_visits_last_7_days,
  DOUBLE(downgrade_visits_14d) AS downgrade_visits_last_14_days,
  DOUBLE(downgrade_visits_28d) AS downgrade_visits_last_28_days,
  DOUBLE(downgrade_visits_ever / known_days) AS downgrade_visits_per_day,
  DOUBLE(settings_visits_3d) AS settings_visits_last_3_days,
  DOUBLE(settings_visits_7d) AS settings_visits_last_7_days,
  DOUBLE(settings_visits_14d) AS settings_visits_last_14_days,
  DOUBLE(settings_visits_28d) AS settings_visits_last_28_days,
  DOUBLE(settings_visits_ever / known_days) AS settings_visits_per_day,
  DOUBLE(help_visits_3d) AS help_visits_last_3_days,
  DOUBLE(help_visits_7d) AS help_visits_last_7_days,
  DOUBLE(help_visits_14d) AS help_visits_last_14_days,
  DOUBLE(help_visits_28d) AS help_visits_last_28_days,
  DOUBLE(help_visits_ever / known_days) AS help_visits_per_day,
  DOUBLE(errors_3d) AS errors_last_3_days,
  DOUBLE(errors_7d) AS errors_last_7_days,
  DOUBLE(errors_14d) AS errors_last_14_days,
  DOUBLE(errors_28d) AS errors_last_28_days,
  DOUBLE(errors_ever / known_days) AS errors_per_day,
  DOUBLE(upgrade_visits_28d) AS upgrade_visits_last_28_days,
  DOUBLE(upgrade_visits_ever / known_days) AS upgrade_visits_per_day,
  DOUBLE(level_changes_28d) AS level_changes_last_28_days,
  DOUBLE(level_changes_ever / known_days) AS level_changes_per_day,
  DOUBLE(settings_saves_28d) AS settings_saves_last_28_days,
  DOUBLE(settings_saves_ever / known_days) AS settings_saves_per_day,
  DOUBLE(about_visits_28d) AS about_visits_last_28_days,
  DOUBLE(about_visits_ever / known_days) AS about_visits_per_day,
  DOUBLE((thumbs_up_7d + 3) / (songs_7d + 60)) AS thumbs_up_per_song_last_7_days,
  DOUBLE((thumbs_up_28d + 3) / (songs_28d + 60)) AS thumbs_up_per_song_last_28_days,
  DOUBLE((thumbs_up_ever + 3) / (songs_ever + 60)) AS thumbs_up_per_song,
  DOUBLE((thumbs_down_7d + 1) / (songs_7d + 80)) AS thumbs_down_per_song_last_7_days,
  DOUBLE((thumbs_down_28d + 1) / (songs_28d + 80)) AS thumbs_down_per_song_last_28_days,
  DOUBLE((thumbs_down_ever + 1) / (songs_ever + 80)) AS thumbs_down_per_song,
  DOUBLE((playlist_adds_28d + 3) / (songs_28d + 100)) AS playlist_adds_per_song_last_28_days,
  DOUBLE((playlist_adds_ever + 3) / (songs_ever + 100)) AS playlist_adds_per_song,
  DOUBLE((friend_adds_28d + 2) / (songs_28d + 100)) AS friend_adds_per_song_last_28_days,
  DOUBLE((friend_adds_ever + 2) / (songs_ever + 100)) AS friend_adds_per_song,
  DOUBLE((adverts_7d + 2) / (free_songs_7d + 20)) AS adverts_per_free_song_last_7_days,
  DOUBLE((adverts_28d + 2) / (free_songs_28d + 20)) AS adverts_per_free_song_last_28_days,
  DOUBLE((adverts_ever + 2) / (free_songs_ever + 20)) AS adverts_per_free_song,
  DOUBLE((thumbs_down_28d + 1) / (thumbs_up_28d + 4)) AS thumbs_down_per_thumb_up_last_28_days,
  DOUBLE((thumbs_down_ever + 1) / (thumbs_up_ever + 4)) AS thumbs_down_per_thumb_up,
  DOUBLE((home_visits_28d + 1) / (events_28d + 100)) AS home_visits_per_event_last_28_days,
  DOUBLE((home_visits_ever + 1) / (events_ever + 100)) AS home_visits_per_event,
  DOUBLE((logouts_28d + 1) / (events_28d + 100)) AS logouts_per_event_last_28_days,
  DOUBLE((logouts_ever + 1) / (events_ever + 100)) AS logouts_per_event,
  DOUBLE((help_visits_28d + 1) / (events_28d + 100)) AS help_visits_per_event_last_28_days,
  DOUBLE((help_visits_ever + 1) / (events_ever + 100)) AS help_visits_per_event,
  DOUBLE((settings_visits_28d + 1) / (events_28d + 100)) AS settings_visits_per_event_last_28_days,
  DOUBLE((settings_visits_ever + 1) / (events_ever + 100)) AS settings_visits_per_event,
  DOUBLE((errors_28d + 1) / (events_28d + 100)) AS errors_per_event_last_28_days,
  DOUBLE((errors_ever + 1) / (events_ever + 100)) AS errors_per_event,
  DOUBLE((downgrade_visits_28d + 1) / (events_28d + 100)) AS downgrade_visits_per_event_last_28_days,
  DOUBLE((downgrade_visits_ever + 1) / (events_ever + 100)) AS downgrade_visits_per_event,
  DOUBLE((upgrade_visits_28d + 1) / (events_28d + 100)) AS upgrade_visits_per_event_last_28_days,
  DOUBLE((upgrade_visits_ever + 1) / (events_ever + 100)) AS upgrade_visits_per_event,
  DOUBLE(paid_events_7d / NULLIF(events_7d, 0)) AS paid_events_per_event_last_7_days,
  DOUBLE(paid_events_28d / NULLIF(events_28d, 0)) AS paid_events_per_event_last_28_days,
  DOUBLE(paid_events_ever / NULLIF(events_ever, 0)) AS paid_events_per_event,
  DOUBLE(songs_28d / NULLIF(events_28d, 0)) AS songs_per_event_last_28_days,
  DOUBLE(songs_ever / NULLIF(events_ever, 0)) AS songs_per_event,
  DOUBLE(events_28d / NULLIF(begun_sessions_28d, 0)) AS events_per_session_last_28_days,
  DOUBLE(events_ever / NULLIF(begun_sessions_ever, 0)) AS events_per_session,
  DOUBLE(session_hours_28d / NULLIF(begun_sessions_28d, 0)) AS session_hours_per_session_last_28_days,
  DOUBLE(session_hours_ever / NULLIF(begun_sessions_ever, 0)) AS session_hours_per_session,
  DOUBLE(songs_28d / NULLIF(active_days_28d, 0)) AS songs_per_active_day_last_28_days,
  DOUBLE(songs_ever / NULLIF(active_days_ever, 0)) AS songs_per_active_day,
  DOUBLE(events_7d / LEAST(known_days, 7) / NULLIF(events_28d / LEAST(known_days, 28), 0))
    AS events_trend,
  DOUBLE(active_days_7d / LEAST(known_days, 7) / NULLIF(active_days_28d / LEAST(known_days, 28), 0))
    AS active_days_trend,
  DOUBLE(begun_sessions_7d / LEAST(known_days, 7) / NULLIF(begun_sessions_28d / LEAST(known_days, 28), 0))
    AS begun_sessions_trend,
  DOUBLE(songs_7d / LEAST(known_days, 7) / NULLIF(songs_28d / LEAST(known_days, 28), 0))
    AS songs_trend,
  DOUBLE(thumbs_up_7d / LEAST(known_days, 7) / NULLIF(thumbs_up_28d / LEAST(known_days, 28), 0))
    AS thumbs_up_trend,
  DOUBLE(thumbs_down_7d / LEAST(known_days, 7) / NULLIF(thumbs_down_28d / LEAST(known_days, 28), 0))
    AS thumbs_down_trend,
  DOUBLE(adverts_7d / LEAST(known_days, 7) / NULLIF(adverts_28d / LEAST(known_days, 28), 0))
    AS adverts_trend,
  DOUBLE(IF(last_event_at >= cutoff, 0, TIMESTAMPDIFF(SECOND, last_event_at, cutoff) / 86400))
    AS days_since_last_seen,
  DOUBLE(most_absence_days_ever) AS longest_absence_days,
  DOUBLE(most_songs_28d) AS most_songs_in_a_day,
  DOUBLE(HLL_SKETCH_ESTIMATE(artist_sketch_28d)) AS artists_last_28_days,
  DOUBLE(HLL_SKETCH_ESTIMATE(artist_sketch_ever)) AS artists,
  DOUBLE(IF(latest_registered_at >= cutoff, 0, TIMESTAMPDIFF(SECOND, latest_registered_at, cutoff) / 86400))
    AS tenure_days,
  DOUBLE(known_days) AS observed_days,
  DOUBLE(IF(level_changed_at >= cutoff, 0, TIMESTAMPDIFF(SECOND, level_changed_at, cutoff) / 86400))
    AS days_since_level_change,
  DOUBLE(INT(latest_level = 'paid')) AS is_paid,
  DOUBLE(INT(latest_gender = 'F')) AS is_female,
  DOUBLE(INT(REGEXP_EXTRACT(latest_location, ', ([A-Z]{2})', 1) IN (
    'CT', 'MA', 'ME', 'NH', 'NJ', 'NY', 'PA', 'RI', 'VT'
  ))) AS in_northeast,
  DOUBLE(INT(REGEXP_EXTRACT(latest_location, ', ([A-Z]{2})', 1) IN (
    'IA', 'IL', 'IN', 'KS', 'MI', 'MN', 'MO', 'ND', 'NE', 'OH', 'SD', 'WI'
  ))) AS in_midwest,
  DOUBLE(INT(REGEXP_EXTRACT(latest_location, ', ([A-Z]{2})', 1) IN (
    'AL', 'AR', 'DC', 'DE', 'FL', 'GA', 'KY', 'LA', 'MD', 'MS', 'NC', 'OK', 'SC', 'TN', 'TX',
    'VA', 'WV'
  ))) AS in_south,
  DOUBLE(INT(REGEXP_EXTRACT(latest_location, ', ([A-Z]{2})', 1) IN (
    'AK', 'AZ', 'CA', 'CO', 'HI', 'ID', 'MT', 'NM', 'NV', 'OR', 'UT', 'WA', 'WY'
  ))) AS in_west,
  DOUBLE(INT(CONTAINS(latest_user_agent, 'Windows'))) AS on_windows,
  DOUBLE(INT(CONTAINS(latest_user_agent, 'Macintosh'))) AS on_mac,
  DOUBLE(INT(CONTAINS(latest_user_agent, 'Linux')
    AND NOT CONTAINS(latest_user_agent, 'Android'))) AS on_linux,
  DOUBLE(INT(CONTAINS(latest_user_agent, 'iPhone')
    OR CONTAINS(latest_user_agent, 'iPad')
    OR CONTAINS(latest_user_agent, 'Android')
    OR CONTAINS(latest_user_agent, 'Mobile'))) AS on_phone_or_tablet
FROM aggregated
"""

COMMENTS = {
    "user_id": "user",
    "cutoff": "only what happened before the start of this UTC day was known",
    "role": "what the row is for: train, test or score",
    "label": "1 when the user cancelled within the horizon after the cutoff, else 0; null when not yet known",
    "events_last_3_days": "Events in the last 3 days",
    "events_last_7_days": "Events in the last 7 days",
    "events_last_14_days": "Events in the last 14 days",
    "events_last_28_days": "Events in the last 28 days",
    "events_per_day": "Events per day on which the user was observed",
    "active_days_last_3_days": "Active days in the last 3 days",
    "active_days_last_7_days": "Active days in the last 7 days",
    "active_days_last_14_days": "Active days in the last 14 days",
    "active_days_last_28_days": "Active days in the last 28 days",
    "active_days_per_day": "Active days per day on which the user was observed",
    "begun_sessions_last_3_days": "Sessions in the last 3 days",
    "begun_sessions_last_7_days": "Sessions in the last 7 days",
    "begun_sessions_last_14_days": "Sessions in the last 14 days",
    "begun_sessions_last_28_days": "Sessions in the last 28 days",
    "begun_sessions_per_day": "Sessions per day on which the user was observed",
    "session_hours_last_3_days": "Hours in sessions in the last 3 days",
    "session_hours_last_7_days": "Hours in sessions in the last 7 days",
    "session_hours_last_14_days": "Hours in sessions in the last 14 days",
    "session_hours_last_28_days": "Hours in sessions in the last 28 days",
    "session_hours_per_day": "Hours in sessions per day on which the user was observed",
    "songs_last_3_days": "Songs in the last 3 days",
    "songs_last_7_days": "Songs in the last 7 days",
    "songs_last_14_days": "Songs in the last 14 days",
    "songs_last_28_days": "Songs in the last 28 days",
    "songs_per_day": "Songs per day on which the user was observed",
    "hours_listened_last_3_days": "Hours listened in the last 3 days",
    "hours_listened_last_7_days": "Hours listened in the last 7 days",
    "hours_listened_last_14_days": "Hours listened in the last 14 days",
    "hours_listened_last_28_days": "Hours listened in the last 28 days",
    "hours_listened_per_day": "Hours listened per day on which the user was observed",
    "home_visits_last_7_days": "Visits to Home in the last 7 days",
    "home_visits_last_28_days": "Visits to Home in the last 28 days",
    "home_visits_per_day": "Visits to Home per day on which the user was observed",
    "logouts_last_7_days": "Logouts in the last 7 days",
    "logouts_last_28_days": "Logouts in the last 28 days",
    "logouts_per_day": "Logouts per day on which the user was observed",
    "thumbs_up_last_3_days": "Thumbs up in the last 3 days",
    "thumbs_up_last_7_days": "Thumbs up in the last 7 days",
    "thumbs_up_last_14_days": "Thumbs up in the last 14 days",
    "thumbs_up_last_28_days": "Thumbs up in the last 28 days",
    "thumbs_up_per_day": "Thumbs up per day on which the user was observed",
    "thumbs_down_last_3_days": "Thumbs down in the last 3 days",
    "thumbs_down_last_7_days": "Thumbs down in the last 7 days",
    "thumbs_down_last_14_days": "Thumbs down in the last 14 days",
    "thumbs_down_last_28_days": "Thumbs down in the last 28 days",
    "thumbs_down_per_day": "Thumbs down per day on which the user was observed",
    "playlist_adds_last_3_days": "Playlist adds in the last 3 days",
    "playlist_adds_last_7_days": "Playlist adds in the last 7 days",
    "playlist_adds_last_14_days": "Playlist adds in the last 14 days",
    "playlist_adds_last_28_days": "Playlist adds in the last 28 days",
    "playlist_adds_per_day": "Playlist adds per day on which the user was observed",
    "friend_adds_last_3_days": "Friends added in the last 3 days",
    "friend_adds_last_7_days": "Friends added in the last 7 days",
    "friend_adds_last_14_days": "Friends added in the last 14 days",
    "friend_adds_last_28_days": "Friends added in the last 28 days",
    "friend_adds_per_day": "Friends added per day on which the user was observed",
    "adverts_last_3_days": "Adverts in the last 3 days",
    "adverts_last_7_days": "Adverts in the last 7 days",
    "adverts_last_14_days": "Adverts in the last 14 days",
    "adverts_last_28_days": "Adverts in the last 28 days",
    "adverts_per_day": "Adverts per day on which the user was observed",
    "downgrade_visits_last_3_days": "Visits to Downgrade in the last 3 days",
    "downgrade_visits_last_7_days": "Visits to Downgrade in the last 7 days",
    "downgrade_visits_last_14_days": "Visits to Downgrade in the last 14 days",
    "downgrade_visits_last_28_days": "Visits to Downgrade in the last 28 days",
    "downgrade_visits_per_day": "Visits to Downgrade per day on which the user was observed",
    "settings_visits_last_3_days": "Visits to Settings in the last 3 days",
    "settings_visits_last_7_days": "Visits to Settings in the last 7 days",
    "settings_visits_last_14_days": "Visits to Settings in the last 14 days",
    "settings_visits_last_28_days": "Visits to Settings in the last 28 days",
    "settings_visits_per_day": "Visits to Settings per day on which the user was observed",
    "help_visits_last_3_days": "Visits to Help in the last 3 days",
    "help_visits_last_7_days": "Visits to Help in the last 7 days",
    "help_visits_last_14_days": "Visits to Help in the last 14 days",
    "help_visits_last_28_days": "Visits to Help in the last 28 days",
    "help_visits_per_day": "Visits to Help per day on which the user was observed",
    "errors_last_3_days": "Errors in the last 3 days",
    "errors_last_7_days": "Errors in the last 7 days",
    "errors_last_14_days": "Errors in the last 14 days",
    "errors_last_28_days": "Errors in the last 28 days",
    "errors_per_day": "Errors per day on which the user was observed",
    "upgrade_visits_last_28_days": "Visits to Upgrade in the last 28 days",
    "upgrade_visits_per_day": "Visits to Upgrade per day on which the user was observed",
    "level_changes_last_28_days": "Changes of level in the last 28 days",
    "level_changes_per_day": "Changes of level per day on which the user was observed",
    "settings_saves_last_28_days": "Settings saved in the last 28 days",
    "settings_saves_per_day": "Settings saved per day on which the user was observed",
    "about_visits_last_28_days": "Visits to About in the last 28 days",
    "about_visits_per_day": "Visits to About per day on which the user was observed",
    "thumbs_up_per_song_last_7_days": "Thumbs up per song, last 7 days, from 3 in 60",
    "thumbs_up_per_song_last_28_days": "Thumbs up per song, last 28 days, from 3 in 60",
    "thumbs_up_per_song": "Thumbs up per song, ever, from 3 in 60",
    "thumbs_down_per_song_last_7_days": "Thumbs down per song, last 7 days, from 1 in 80",
    "thumbs_down_per_song_last_28_days": "Thumbs down per song, last 28 days, from 1 in 80",
    "thumbs_down_per_song": "Thumbs down per song, ever, from 1 in 80",
    "playlist_adds_per_song_last_28_days": "Playlist adds per song, last 28 days, from 3 in 100",
    "playlist_adds_per_song": "Playlist adds per song, ever, from 3 in 100",
    "friend_adds_per_song_last_28_days": "Friends added per song, last 28 days, from 2 in 100",
    "friend_adds_per_song": "Friends added per song, ever, from 2 in 100",
    "adverts_per_free_song_last_7_days": "Adverts per free song, last 7 days, from 2 in 20",
    "adverts_per_free_song_last_28_days": "Adverts per free song, last 28 days, from 2 in 20",
    "adverts_per_free_song": "Adverts per free song, ever, from 2 in 20",
    "thumbs_down_per_thumb_up_last_28_days": "Thumbs down per thumb up, last 28 days, from 1 in 4",
    "thumbs_down_per_thumb_up": "Thumbs down per thumb up, ever, from 1 in 4",
    "home_visits_per_event_last_28_days": "Visits to Home per event, last 28 days, from 1 in 100",
    "home_visits_per_event": "Visits to Home per event, ever, from 1 in 100",
    "logouts_per_event_last_28_days": "Logouts per event, last 28 days, from 1 in 100",
    "logouts_per_event": "Logouts per event, ever, from 1 in 100",
    "help_visits_per_event_last_28_days": "Visits to Help per event, last 28 days, from 1 in 100",
    "help_visits_per_event": "Visits to Help per event, ever, from 1 in 100",
    "settings_visits_per_event_last_28_days": "Visits to Settings per event, last 28 days, from 1 in 100",
    "settings_visits_per_event": "Visits to Settings per event, ever, from 1 in 100",
    "errors_per_event_last_28_days": "Errors per event, last 28 days, from 1 in 100",
    "errors_per_event": "Errors per event, ever, from 1 in 100",
    "downgrade_visits_per_event_last_28_days": "Visits to Downgrade per event, last 28 days, from 1 in 100",
    "downgrade_visits_per_event": "Visits to Downgrade per event, ever, from 1 in 100",
    "upgrade_visits_per_event_last_28_days": "Visits to Upgrade per event, last 28 days, from 1 in 100",
    "upgrade_visits_per_event": "Visits to Upgrade per event, ever, from 1 in 100",
    "paid_events_per_event_last_7_days": "Paid events per event, last 7 days",
    "paid_events_per_event_last_28_days": "Paid events per event, last 28 days",
    "paid_events_per_event": "Paid events per event, ever",
    "songs_per_event_last_28_days": "Songs per event, last 28 days",
    "songs_per_event": "Songs per event, ever",
    "events_per_session_last_28_days": "Events per session, last 28 days",
    "events_per_session": "Events per session, ever",
    "session_hours_per_session_last_28_days": "Hours in sessions per session, last 28 days",
    "session_hours_per_session": "Hours in sessions per session, ever",
    "songs_per_active_day_last_28_days": "Songs per active day, last 28 days",
    "songs_per_active_day": "Songs per active day, ever",
    "events_trend": "Events per day in the last 7 days, divided by that of the last 28",
    "active_days_trend": "Active days per day in the last 7 days, divided by that of the last 28",
    "begun_sessions_trend": "Sessions per day in the last 7 days, divided by that of the last 28",
    "songs_trend": "Songs per day in the last 7 days, divided by that of the last 28",
    "thumbs_up_trend": "Thumbs up per day in the last 7 days, divided by that of the last 28",
    "thumbs_down_trend": "Thumbs down per day in the last 7 days, divided by that of the last 28",
    "adverts_trend": "Adverts per day in the last 7 days, divided by that of the last 28",
    "days_since_last_seen": "Days from the last event to the cutoff",
    "longest_absence_days": "Most days between two neighbouring active days",
    "most_songs_in_a_day": "Most songs played on one day of the last 28",
    "artists_last_28_days": "Distinct artists played in the last 28 days, within about 4 %",
    "artists": "Distinct artists played so far, within about 4 %",
    "tenure_days": "Days from registration to the cutoff; 0 for a registration after it",
    "observed_days": "Days of log in which the user could have been seen: since its start, or since joining",
    "days_since_level_change": "Days from the last day with an upgrade or a downgrade to the cutoff",
    "is_paid": "1 when the latest level says so, else 0: paid subscription",
    "is_female": "1 when the latest gender says so, else 0: registered as female",
    "in_northeast": "1 when the latest location says so, else 0: lives in the northeast",
    "in_midwest": "1 when the latest location says so, else 0: lives in the midwest",
    "in_south": "1 when the latest location says so, else 0: lives in the south",
    "in_west": "1 when the latest location says so, else 0: lives in the west",
    "on_windows": "1 when the latest user agent says so, else 0: uses windows",
    "on_mac": "1 when the latest user agent says so, else 0: uses a mac",
    "on_linux": "1 when the latest user agent says so, else 0: uses linux",
    "on_phone_or_tablet": "1 when the latest user agent says so, else 0: uses a phone or tablet",
}


def iceberg_table(spark: SparkSession, table: str):
    """The table as Iceberg itself knows it, up to date: its metadata without a query."""
    loaded = spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, table)
    loaded.refresh()
    return loaded


def newest_snapshot(spark: SparkSession, table: str) -> str | None:
    """The snapshot that readers see, as text: its number exceeds what JSON readers hold exactly."""
    snapshot = iceberg_table(spark, table).currentSnapshot()
    return None if snapshot is None else str(snapshot.snapshotId())


def current_snapshot(spark: SparkSession, table: str) -> str:
    """The snapshot that readers see; a table without one was never filled."""
    snapshot = newest_snapshot(spark, table)
    if snapshot is None:
        raise StepError(
            f"the table {table} has no snapshot",
            "the step that fills it has not run, or found nothing to write",
            "run the pipeline from its first step",
        )
    return snapshot


def read_snapshot(spark: SparkSession, table: str, snapshot: str) -> DataFrame:
    """The table's rows as of one snapshot."""
    return spark.read.option("snapshot-id", snapshot).table(table)


SNAPSHOT_RETENTION_DAYS = 90


def expire_snapshots(spark: SparkSession, plan: dict, tables: list[str], days: int) -> None:
    """Removes snapshots that are so many days old, with the files that only they use.

    What a branch points at stays, so a batch that is under way loses nothing.
    """
    planned_at = datetime.datetime.fromisoformat(plan["plannedAt"])
    oldest = planned_at - datetime.timedelta(days=days)
    for table in tables:
        iceberg_table(spark, table).expireSnapshots().expireOlderThan(int(oldest.timestamp() * 1000)).commit()


def daily_rows(user_days: DataFrame) -> list[dict]:
    """Events and rows of each day that has any, in order."""
    counts = user_days.groupBy("day").agg(
        functions.sum("events").alias("events"), functions.count(functions.lit(1)).alias("user_days")
    )
    return [row.asDict() for row in counts.orderBy("day").collect()]


def find_period(days: list[dict], settings: dict) -> dict:
    """First day of the log and the midnight that ends it; stray rows before and after do not count."""
    if not days:
        raise StepError(
            "no signed-in user has an event",
            "the log is empty, or all of its rows were signed out or refused",
            "check the userId and auth columns of the log and the refused rows of this run",
        )
    least = settings["minDailyShare"] * statistics.median(day["events"] for day in days)
    busy = [day["day"] for day in days if day["events"] >= least]
    day_after_last = days[-1]["day"] + datetime.timedelta(days=1)
    observation_end = busy[-1] + datetime.timedelta(days=1)
    if settings["observationEnd"] is not None:
        observation_end = datetime.date.fromisoformat(settings["observationEnd"])
    if not busy[0] < observation_end <= day_after_last:
        raise StepError(
            f"observationEnd {observation_end} lies outside the log ({busy[0]} to {days[-1]['day']})",
            "the run was asked for an end that the log does not cover",
            f"ask for an observationEnd up to {day_after_last}, or leave it out",
        )
    return {"first_day": busy[0], "observation_end": observation_end}


def plan_cutoffs(period: dict, settings: dict) -> list[dict]:
    """Cutoffs with their roles, oldest first: training, then the one test cutoff, then the scoring cutoff.

    The newest cutoff whose labels are known is the test. Training cutoffs are those whose label window had
    ended by then; the ones between are left out, as their labels were not yet known.
    """
    horizon = datetime.timedelta(days=settings["horizonDays"])
    step = datetime.timedelta(days=settings["cutoffStepDays"])
    earliest = period["first_day"] + datetime.timedelta(days=settings["minHistoryDays"])
    test = period["observation_end"] - horizon
    known = [test - step * back for back in range(settings["maxCutoffs"])]
    training = [cutoff for cutoff in known if earliest <= cutoff <= test - horizon]
    if not training:
        refuse_short_log(period, settings)
    roles = [*((cutoff, "train") for cutoff in reversed(training)), (test, "test")]
    roles.append((period["observation_end"], "score"))
    return [
        {
            "cutoff": cutoff,
            "role": role,
            "first_day": period["first_day"],
            "label_end": cutoff + horizon,
        }
        for cutoff, role in roles
    ]


def refuse_short_log(period: dict, settings: dict) -> None:
    """Says how long the log must be to hold one training and one test cutoff."""
    horizon, step = settings["horizonDays"], settings["cutoffStepDays"]
    steps_to_training = math.ceil(horizon / step)
    if settings["maxCutoffs"] <= steps_to_training:
        raise StepError(
            f"with cutoffs every {step} days, the newest {settings['maxCutoffs']} hold no training cutoff",
            f"a training cutoff lies at least {horizon} days before the test cutoff",
            f"raise maxCutoffs to {steps_to_training + 1} or more",
        )
    needed = settings["minHistoryDays"] + horizon + steps_to_training * step
    observed = (period["observation_end"] - period["first_day"]).days
    raise StepError(
        f"the log is too short to train on: it needs {needed} days and has {observed} "
        f"({period['first_day']} to {period['observation_end']}, the end not included)",
        f"{settings['minHistoryDays']} days of history must fit before two windows of {horizon} days, "
        "one to learn from and one to test on",
        "add older or newer event files, or ask for a shorter horizonDays",
    )


def point_in_time_rows(spark: SparkSession, user_days: DataFrame, cutoffs: list[dict]) -> DataFrame:
    """One row per user and cutoff: label and features, all cutoffs in one pass over the days."""
    user_days.createOrReplaceTempView("user_days")
    spark.createDataFrame(cutoffs, CUTOFF_SCHEMA).createOrReplaceTempView("cutoffs")
    spark.sql(DAYS).createOrReplaceTempView("days")
    spark.sql(HISTORY).createOrReplaceTempView("history")
    spark.sql(AGGREGATE).createOrReplaceTempView("aggregated")
    return spark.sql(PROJECTION)


def write_features(rows: DataFrame) -> None:
    """Replaces the table in one commit; its columns follow the catalogue."""
    described = [functions.col(name).alias(name, metadata={"comment": COMMENTS[name]}) for name in COMMENTS]
    (
        rows.select(*described)
        .writeTo(FEATURES)
        .using("iceberg")
        .partitionedBy(functions.col("cutoff"))
        .tableProperty("format-version", "2")
        .tableProperty("write.distribution-mode", "none")
        .tableProperty("write.spark.fanout.enabled", "true")
        .createOrReplace()
    )


def counted_cutoffs(features: DataFrame, cutoffs: list[dict]) -> list[dict]:
    """Rows and cancellations of each cutoff, counted in the table that was written."""
    counts = {
        row.cutoff: row
        for row in features.groupBy("cutoff")
        .agg(functions.count(functions.lit(1)).alias("rows"), functions.sum("label").alias("cancellations"))
        .collect()
    }
    empty = [str(cutoff["cutoff"]) for cutoff in cutoffs if cutoff["cutoff"] not in counts]
    if empty:
        raise StepError(
            f"no living user has an event before {', '.join(empty)}",
            "every user of the log cancelled early, or the log has no signed-in users",
            "check that the log's auth and userId columns are filled",
        )
    return [
        {
            "cutoff": str(cutoff["cutoff"]),
            "role": cutoff["role"],
            "rows": counts[cutoff["cutoff"]].rows,
            "cancellations": counts[cutoff["cutoff"]].cancellations,
        }
        for cutoff in cutoffs
    ]


def run(spark: SparkSession, plan: dict) -> dict:
    """Fills the table of features and says what is in it."""
    settings = plan["training"]
    user_days_snapshot = current_snapshot(spark, USER_DAYS)
    user_days = read_snapshot(spark, USER_DAYS, user_days_snapshot)
    days = daily_rows(user_days)
    period = find_period(days, settings)
    cutoffs = plan_cutoffs(period, settings)

    history_rows = sum(day["user_days"] for day in days) * len(cutoffs)
    tasks = max(spark.sparkContext.defaultParallelism, math.ceil(history_rows / HISTORY_ROWS_PER_TASK))
    spark.conf.set("spark.sql.shuffle.partitions", tasks)
    write_features(point_in_time_rows(spark, user_days, cutoffs))
    expire_snapshots(spark, plan, [FEATURES], SNAPSHOT_RETENTION_DAYS)

    features_snapshot = current_snapshot(spark, FEATURES)
    features = read_snapshot(spark, FEATURES, features_snapshot)
    cancelled = functions.when(functions.col("cancellations") > 0, functions.col("user_id"))
    users = user_days.agg(
        functions.countDistinct("user_id").alias("users"),
        functions.countDistinct(cancelled).alias("cancellations"),
    ).first()
    return {
        "firstDay": str(period["first_day"]),
        "observationEnd": str(period["observation_end"]),
        "observedDays": (period["observation_end"] - period["first_day"]).days,
        "cutoffs": counted_cutoffs(features, cutoffs),
        "users": users.users,
        "cancellations": users.cancellations,
        "featureCount": len(features.columns) - KEY_COLUMNS,
        "snapshots": {"user_days": user_days_snapshot, "features": features_snapshot},
    }


if __name__ == "__main__":
    main()
