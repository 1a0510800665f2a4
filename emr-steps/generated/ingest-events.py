"""Ingests a batch of raw event files into the lake, exactly once.

Generated from emr-steps/ingest-events.ts and the files named below by `npm run generate`: change it there. Run by
spark-submit ingest-events.py --plan <uri of plan.json>
"""

import argparse
import collections
import datetime
import functools
import itertools
import json
import math
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal, DecimalException
from typing import Any, Literal, NamedTuple, NotRequired, Protocol, TypeAlias, TypedDict

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkContext, StorageLevel
from pyspark.errors.exceptions.captured import CapturedException
from pyspark.sql import Column, DataFrame, Observation, Row, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.readwriter import DataFrameWriterV2

# --- emr-steps/generated/types/plan.py ---


class EventFile(TypedDict):
    """An event file as it was listed."""

    uri: str
    etag: str
    bytes: int


class LeftOut(TypedDict):
    """How many files were left for the next run, and the first of them."""

    count: int
    first: list[str]


class IngestSettings(TypedDict):
    """Settings of ingest-events."""

    earliestEventMilliseconds: int
    latestEventMilliseconds: int
    maxQuarantineShare: float
    strict: NotRequired[bool]
    shufflePartitions: int
    slicesPerDay: int


class TrainingSettings(TypedDict):
    """Settings of build-features and train-models."""

    horizonDays: int
    minHistoryDays: int
    cutoffStepDays: int
    cutoffAnchor: str | None
    maxCutoffs: int
    minDailyShare: float
    observationEnd: str | None
    minCancellations: int
    folds: int
    seed: int
    boostingWorkers: int
    excludedFeatures: list[str]


class ModelInCharge(TypedDict):
    """The model in charge."""

    runId: str
    modelUri: str
    testCutoff: str


class PromotionSettings(TypedDict):
    """What the choice of a model goes by."""

    mode: Literal["automatic", "manual"]
    margin: float
    leakageAuc: float
    leakageInputAuc: float
    acceptedFeatures: list[str]
    maxQuarantineShare: float


class Rescoring(TypedDict):
    """From which run a run that only scores goes on."""

    runId: str
    training: str


class ScoringSettings(TypedDict):
    """Settings of score-users."""

    controlGroupShare: float
    controlGroupSalt: str


class ClusterSize(TypedDict):
    """How large the cluster is."""

    coreUnits: int
    taskUnits: int
    executors: int
    estimatedMinutes: float
    estimatedUsd: float


class Outputs(TypedDict):
    """Where each step writes its result or its error."""

    results: dict["StepName", str]
    errors: dict["StepName", str]
    ledger: str
    model: str
    choice: NotRequired[str]


StepName: TypeAlias = Literal["ingest-events", "build-features", "train-models", "score-users"]


class Batch(TypedDict):
    """The files that one run ingests together."""

    batchId: str
    ingestDate: str
    files: list[EventFile]


class Listing(TypedDict):
    """What was left out of the listing and of the batch."""

    since: str | None
    left: LeftOut


class Plan(TypedDict):
    """Everything the steps of a run need to know."""

    runId: str
    executionArn: str
    plannedAt: str
    release: str
    lakeRoot: str
    batch: Batch
    abandonedBatchIds: list[str]
    listing: NotRequired[Listing]
    ingest: IngestSettings
    training: TrainingSettings
    champion: ModelInCharge | None
    currentTag: str | None
    observedBefore: str | None
    promotion: PromotionSettings
    rescoring: Rescoring | None
    scoring: ScoringSettings
    cluster: ClusterSize
    outputs: Outputs


# --- emr-steps/fragments/jvm.ts ---


class StartingDriver:
    """The driver while its session is starting: its JVM is there, and files can be read and written."""

    def __init__(self) -> None:
        """Takes the JVM in which the session starts; to be made by the thread that starts it."""
        SparkContext._ensure_initialized()
        self._jvm = SparkContext._jvm


Driver: TypeAlias = SparkSession | StartingDriver


def java(spark: Driver) -> Any:
    """The packages of the driver's JVM."""
    return spark._jvm


def java_class(spark: Driver, name: str) -> Any:
    """A Java class, for methods that take one."""
    return java(spark).java.lang.Class.forName(name)


def spark_settings(spark: Driver) -> Any:
    """What spark-submit was given: org.apache.spark.SparkConf."""
    return java(spark).org.apache.spark.SparkConf()


def hadoop_configuration(spark: Driver) -> Any:
    """Hadoop's settings, among them Spark's own for Hadoop."""
    if isinstance(spark, SparkSession):
        return spark._jsc.hadoopConfiguration()
    return java(spark).org.apache.spark.deploy.SparkHadoopUtil.get().newConfiguration(spark_settings(spark))


class JavaStream(Protocol):
    """An open file: java.io.InputStream or OutputStream."""

    def write(self, content: bytes) -> None:
        """Writes to the file."""

    def close(self) -> None:
        """Closes the file."""


class HadoopPath(Protocol):
    """org.apache.hadoop.fs.Path."""

    def suffix(self, suffix: str) -> "HadoopPath":
        """The path with something after its name."""


class HadoopFileSystem(Protocol):
    """org.apache.hadoop.fs.FileSystem."""

    def setWriteChecksum(self, write: bool) -> None:
        """Whether a checksum file is written beside each file."""

    def exists(self, path: HadoopPath) -> bool:
        """Whether there is a file or folder."""

    def open(self, path: HadoopPath) -> JavaStream:
        """Opens a file to read it."""

    def create(self, path: HadoopPath, overwrite: bool) -> JavaStream:
        """Opens a file to write it."""

    def delete(self, path: HadoopPath, recursive: bool) -> bool:
        """Deletes a file; says whether there was one."""

    def rename(self, source: HadoopPath, target: HadoopPath) -> bool:
        """Moves a file; says whether it did."""


def hadoop_path(spark: Driver, uri: str) -> HadoopPath:
    """The path of a file or folder."""
    path: HadoopPath = java(spark).org.apache.hadoop.fs.Path(uri)
    return path


def hadoop_file_system(spark: Driver, uri: str) -> HadoopFileSystem:
    """The file system of a file or folder, with Spark's settings and credentials."""
    path = java(spark).org.apache.hadoop.fs.Path(uri)
    file_system: HadoopFileSystem = path.getFileSystem(hadoop_configuration(spark))
    # Checksum files beside the objects would go stale when another program rewrites them.
    file_system.setWriteChecksum(False)
    return file_system


def stream_text(spark: Driver, stream: JavaStream) -> str:
    """What is left to read of an open file."""
    return str(java(spark).org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))


def first_bytes(spark: SparkSession, uri: str, count: int) -> bytes:
    """The first bytes of a file, unpacked; fewer where the file is shorter."""
    commons = java(spark).org.apache.commons.io
    path = hadoop_path(spark, uri)
    codecs = java(spark).org.apache.hadoop.io.compress.CompressionCodecFactory(hadoop_configuration(spark))
    codec = codecs.getCodec(path)
    opened = hadoop_file_system(spark, uri).open(path)
    try:
        stream = opened if codec is None else codec.createInputStream(opened)
        return bytes(commons.IOUtils.toByteArray(commons.input.BoundedInputStream(stream, count)))
    finally:
        opened.close()


def path_of_rows(spark: SparkSession, uri: str) -> str:
    """The path of a file as Spark reports it for a row, whatever characters are in it."""
    return str(java(spark).org.apache.hadoop.fs.Path(uri).toUri().toString())


# What a query raises that fails in the JVM.
QUERY_ERRORS = (Py4JJavaError, CapturedException)
# A chain of causes that is longer is taken to be a circle.
MOST_CAUSES = 50
# By what an AWS client's exception says which HTTP status it was answered with: SDK 2, then SDK 1.
STATUS_METHODS = ("statusCode", "getStatusCode")


class JavaClass(Protocol):
    """java.lang.Class."""

    def getName(self) -> str:
        """Its full name."""

    def getSuperclass(self) -> "JavaClass | None":
        """The class that it extends."""


class JavaThrowable(Protocol):
    """java.lang.Throwable."""

    def getCause(self) -> "JavaThrowable | None":
        """What it was raised from."""

    def getClass(self) -> JavaClass:
        """Its class."""


def java_throwables(error: BaseException) -> list[JavaThrowable]:
    """Java's exceptions behind an error of Python and behind its causes, the outermost first."""
    throwables: list[JavaThrowable] = []
    raised: BaseException | None = error
    while raised is not None:
        throwable: JavaThrowable | None = None
        if isinstance(raised, Py4JJavaError):
            throwable = raised.java_exception
        elif isinstance(raised, CapturedException):
            throwable = raised._origin
        while throwable is not None and len(throwables) < MOST_CAUSES:
            throwables.append(throwable)
            throwable = throwable.getCause()
        raised = raised.__cause__
    return throwables


def class_names(throwable: JavaThrowable) -> list[str]:
    """Full names of its class and of those that this one extends."""
    names: list[str] = []
    java_class: JavaClass | None = throwable.getClass()
    while java_class is not None:
        names.append(java_class.getName())
        java_class = java_class.getSuperclass()
    return names


def http_status(throwable: JavaThrowable) -> int | None:
    """The HTTP status that an exception of an AWS client carries; None for any other exception."""
    for method in STATUS_METHODS:
        try:
            return int(getattr(throwable, method)())
        except Py4JError:
            continue
    return None


def lost_executors(spark: SparkSession) -> list[str]:
    """Why executors were lost, one text for each that was; none is known where Spark itself is gone."""
    try:
        executors = spark._jsc.sc().statusStore().executorList(False)
        reasons = [executors.apply(index).removeReason() for index in range(executors.size())]
        return [reason.get() for reason in reasons if reason.isDefined()]
    except Py4JError:
        return []


# Before an application runs, or ends.
WAITING_STATES = {"NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED"}
# By default Hadoop tries to connect for a quarter of an hour.
YARN_PATIENCE = {
    "yarn.resourcemanager.connect.max-wait.ms": 10_000,
    "yarn.resourcemanager.connect.retry-interval.ms": 2_000,
    "ipc.client.connect.max.retries": 1,
}


class YarnApplication(Protocol):
    """org.apache.hadoop.yarn.api.records.ApplicationReport."""

    def getApplicationId(self) -> Any:
        """Its id."""

    def getName(self) -> str:
        """The name that Spark gave it."""

    def getYarnApplicationState(self) -> Any:
        """Its state."""

    def getDiagnostics(self) -> str | None:
        """What YARN has to say about it: while it waits, what for."""


def runs_on_yarn(spark: Driver) -> bool:
    """Whether the session gets its executors from YARN."""
    return str(spark_settings(spark).get("spark.master", "")).startswith("yarn")


def yarn_client(spark: Driver) -> Any:
    """A client of YARN's ResourceManager: org.apache.hadoop.yarn.client.api.YarnClient."""
    configuration = java(spark).org.apache.hadoop.yarn.conf.YarnConfiguration(hadoop_configuration(spark))
    for name, limit in YARN_PATIENCE.items():
        configuration.setLong(name, limit)
    client = java(spark).org.apache.hadoop.yarn.client.api.YarnClient.createYarnClient()
    client.init(configuration)
    client.start()
    return client


def waiting_applications(client: Any, name: str) -> list[YarnApplication]:
    """Applications of a name that have not run yet."""
    found: list[YarnApplication] = [
        application
        for application in client.getApplications()
        if application.getName() == name and str(application.getYarnApplicationState()) in WAITING_STATES
    ]
    return found


class IcebergFile(Protocol):
    """org.apache.iceberg.ContentFile."""

    def partition(self) -> Any:
        """The values of its partition, by their place."""


class IcebergSnapshot(Protocol):
    """org.apache.iceberg.Snapshot."""

    def snapshotId(self) -> int:
        """Its number."""

    def parentId(self) -> int | None:
        """The number of the snapshot before it."""

    def summary(self) -> Mapping[str, str]:
        """Its properties."""

    def addedDataFiles(self, io: Any) -> Iterable[IcebergFile]:
        """Files of rows that it added."""

    def removedDataFiles(self, io: Any) -> Iterable[IcebergFile]:
        """Files of rows that it removed."""

    def addedDeleteFiles(self, io: Any) -> Iterable[IcebergFile]:
        """Files of deletions that it added."""

    def removedDeleteFiles(self, io: Any) -> Iterable[IcebergFile]:
        """Files of deletions that it removed."""


class IcebergTable(Protocol):
    """org.apache.iceberg.Table."""

    def refresh(self) -> None:
        """Reads its metadata again."""

    def io(self) -> Any:
        """What reads its files."""

    def currentSnapshot(self) -> IcebergSnapshot | None:
        """The snapshot that readers see."""

    def snapshot(self, reference: int | str) -> IcebergSnapshot | None:
        """A snapshot by its number or by its branch."""

    def snapshots(self) -> Iterable[IcebergSnapshot]:
        """All snapshots."""

    def expireSnapshots(self) -> Any:
        """Begins to remove snapshots."""


def iceberg_table(spark: SparkSession, table: str) -> IcebergTable:
    """The table as Iceberg itself knows it, up to date."""
    loader = java(spark).org.apache.iceberg.spark.Spark3Util
    loaded: IcebergTable = loader.loadIcebergTable(spark._jsparkSession, table)
    loaded.refresh()
    return loaded


def partition_numbers(spark: SparkSession, files: Iterable[IcebergFile]) -> set[int]:
    """The partitions of the files, of a table that is partitioned by one whole number."""
    integer = java_class(spark, "java.lang.Integer")
    return {file.partition().get(0, integer) for file in files}


def read_json(lines: DataFrame, schema: str, options: dict[str, str]) -> DataFrame:
    """The JSON documents of a column of text, one a row."""
    spark = lines.sparkSession
    # Encoders.STRING is the same, and loads Scala's reflection first.
    text = java(spark).org.apache.spark.sql.Encoders.bean(java_class(spark, "java.lang.String"))
    reader = spark.read.schema(schema).options(**options)
    return DataFrame(reader._jreader.json(getattr(lines._jdf, "as")(text)), spark)


# --- emr-steps/fragments/files.ts ---


class Files:
    """Small text files, wherever Spark's file systems can reach."""

    def __init__(self, spark: Driver) -> None:
        """Uses the driver's file systems and their credentials."""
        self._spark = spark

    def exists(self, uri: str) -> bool:
        """Whether there is a file or folder."""
        return hadoop_file_system(self._spark, uri).exists(hadoop_path(self._spark, uri))

    def read_text(self, uri: str) -> str:
        """Reads the whole file."""
        stream = hadoop_file_system(self._spark, uri).open(hadoop_path(self._spark, uri))
        try:
            return stream_text(self._spark, stream)
        finally:
            stream.close()

    def write_text(self, uri: str, text: str) -> None:
        """Writes the whole text or nothing: a reader never sees half of it."""
        file_system, path = hadoop_file_system(self._spark, uri), hadoop_path(self._spark, uri)
        draft = path.suffix(".draft")
        stream = file_system.create(draft, True)
        try:
            stream.write(text.encode("utf-8"))
        finally:
            stream.close()
        file_system.delete(path, False)
        if not file_system.rename(draft, path):
            raise OSError(f"could not move {draft} to {path}")

    def read_json(self, uri: str) -> Any:
        """Reads one JSON document."""
        return json.loads(self.read_text(uri))

    def write_json(self, uri: str, value: Mapping[str, object]) -> None:
        """Writes one JSON document, keys sorted; NaN and infinity, which JSON does not have, are refused."""
        self.write_text(uri, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


# --- emr-steps/generated/types/step_error.py ---


class StepFailure(TypedDict):
    """What a failing step leaves for the operator."""

    step: Literal["ingest-events", "build-features", "train-models", "score-users"]
    errorClass: str
    message: str
    likelyCause: str
    whatToDo: str


# --- emr-steps/fragments/step-error.ts ---


class StepError(Exception):
    """A failure that the operator can act on."""

    def __init__(self, message: str, likely_cause: str, what_to_do: str) -> None:
        """Takes what went wrong, why that is likely, and the remedy."""
        super().__init__(message)
        self.likely_cause = likely_cause
        self.what_to_do = what_to_do


# --- emr-steps/fragments/explanation.ts ---

ERROR_LINES = 12
# Its messages quote what it could not read, and that may name a person.
JSON_READER = "com.fasterxml.jackson."
OUT_OF_MEMORY = "java.lang.OutOfMemoryError"
# Of Java, of Hadoop, and of the AWS services that answer 400 to what they do not allow.
DENIALS = {"AccessDeniedException", "AccessControlException"}
DENIED_STATUSES = {401, 403}


def is_out_of_memory(error: BaseException, throwables: Sequence[JavaThrowable]) -> bool:
    """Whether Python or Java asked for more memory than there is."""
    is_java = any(OUT_OF_MEMORY in class_names(throwable) for throwable in throwables)
    return is_java or isinstance(error, MemoryError)


def is_access_denied(error: BaseException, throwables: Sequence[JavaThrowable]) -> bool:
    """Whether a file system or a service refused the cluster's role."""
    classes = {name.rpartition(".")[2] for throwable in throwables for name in class_names(throwable)}
    statuses = {http_status(throwable) for throwable in throwables}
    is_java = bool(classes & DENIALS or statuses & DENIED_STATUSES)
    return is_java or isinstance(error, PermissionError)


def diagnose(error: BaseException, lost: Sequence[str]) -> tuple[str, str]:
    """The likely cause of a failure, and what to do; takes why executors were lost, where some were."""
    throwables = java_throwables(error)
    if isinstance(error, StepError):
        return error.likely_cause, error.what_to_do
    if is_out_of_memory(error, throwables):
        return (
            "the data of one task did not fit into memory",
            "raise the cluster's size in the configuration and resume the run",
        )
    if is_access_denied(error, throwables):
        return (
            "the cluster's role may not read or write what the message names",
            "grant it, then resume the run",
        )
    if throwables and lost:
        return (
            "executors were lost: the data of one task did not fit into memory, or an instance was taken away; "
            f"the last one: {lost[-1]}",
            "raise the cluster's size in the configuration and resume the run",
        )
    return (
        "unexpected: see the message and the step's log",
        "resume the run once the cause is fixed; steps that succeeded are skipped",
    )


def message_lines(error: BaseException) -> list[str]:
    """The message of an error, without anything of the raw log: the step's own is whole, others are shortened."""
    classes = {name for throwable in java_throwables(error) for name in class_names(throwable)}
    quoting = sorted(name for name in classes if name.startswith(JSON_READER))
    if quoting:
        return [f"a text could not be read as JSON ({quoting[0].rpartition('.')[2]})"]
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines if isinstance(error, StepError) else lines[:ERROR_LINES]


def explain(step: StepName, error: BaseException, lost: Sequence[str] = ()) -> StepFailure:
    """What went wrong, in words for the operator who is paged."""
    lines = message_lines(error)
    cause, remedy = diagnose(error, lost)
    return {
        "step": step,
        "errorClass": type(error).__name__,
        "message": "\n".join(lines) or type(error).__name__,
        "likelyCause": cause,
        "whatToDo": remedy,
    }


# --- emr-steps/fragments/start-watch.ts ---

START_SECONDS = 600


def application_name(step: StepName) -> str:
    """Name of a step's Spark application."""
    return f"churn {step}"


def yarn_reports(waiting: Sequence[YarnApplication]) -> str:
    """What YARN says about applications that wait."""
    reports = [
        f"{application.getApplicationId()} is {application.getYarnApplicationState()}: "
        f"{(application.getDiagnostics() or '').strip() or 'no reason given'}"
        for application in waiting
    ]
    if not reports:
        return "YARN knows of no waiting application of this step"
    return f"YARN reports: {'; '.join(reports)}"


def not_started(seconds: float, cause: str) -> StepError:
    """The failure of a step that Spark did not start for."""
    return StepError(
        f"Spark did not start within {seconds / 60:g} minutes: YARN is not running its application",
        cause,
        "check that the cluster's core nodes are running and have the label CORE, or switch labels off "
        "(churn:nodeLabels=false) and deploy; then resume the run",
    )


def report_failed_start(driver: StartingDriver, step: StepName, plan_uri: str, error: BaseException) -> None:
    """Prints why a step could not start, and writes it, which takes no session."""
    failure = explain(step, error)
    print(json.dumps(failure, indent=2), file=sys.stderr, flush=True)
    files = Files(driver)
    plan: Plan = files.read_json(plan_uri)
    files.write_json(plan["outputs"]["errors"][step], failure)


def give_up(driver: StartingDriver, step: StepName, plan_uri: str, seconds: float) -> None:
    """Reports what YARN says of the application that waits, and cancels it."""
    try:
        client = yarn_client(driver)
        waiting = waiting_applications(client, application_name(step))
    except Exception as error:
        root = [error, *java_throwables(error)][-1]
        report_failed_start(driver, step, plan_uri, not_started(seconds, f"YARN does not answer: {root}"))
        return
    report_failed_start(driver, step, plan_uri, not_started(seconds, yarn_reports(waiting)))
    for application in waiting:
        client.killApplication(application.getApplicationId())


@contextmanager
def limited_start(driver: StartingDriver, step: StepName, plan_uri: str, seconds: float) -> Iterator[None]:
    """Ends the process when what is done within takes longer: only YARN lets Spark wait."""
    given_up = threading.Event()

    def end() -> None:
        given_up.set()
        try:
            give_up(driver, step, plan_uri, seconds)
        except Exception:
            traceback.print_exc()
        # The main thread waits in the JVM, where no exception of Python reaches it.
        sys.stderr.flush()
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    if runs_on_yarn(driver):
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if given_up.is_set():
            # What is raised now comes from giving up; the reason is being written.
            timer.join()


# --- emr-steps/fragments/main.ts ---


def start(step: StepName, plan_uri: str, seconds: float) -> SparkSession:
    """Spark's session, started in time; ends the step with a reason where that fails."""
    driver = StartingDriver()
    try:
        with limited_start(driver, step, plan_uri, seconds):
            return SparkSession.builder.appName(application_name(step)).getOrCreate()
    except Exception as error:
        traceback.print_exc()
        report_failed_start(driver, step, plan_uri, error)
        sys.exit(1)


def main(
    step: StepName,
    run: Callable[[SparkSession, Plan], Mapping[str, object]],
    start_seconds: float = START_SECONDS,
) -> None:
    """Runs the step once for a plan; a step that has a result is not run again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", required=True, help="URI of the run's plan.json")
    plan_uri: str = parser.parse_args().plan
    # On one machine several steps share an application, which none of them may end.
    is_own = SparkContext._active_spark_context is None
    spark = start(step, plan_uri, start_seconds)
    files = Files(spark)
    plan: Plan = files.read_json(plan_uri)
    outputs = plan["outputs"]
    try:
        if files.exists(outputs["results"][step]):
            print(f"{step}: this plan has a result already, nothing to do", file=sys.stderr)
            return
        files.write_json(outputs["results"][step], run(spark, plan))
    except Exception as error:
        traceback.print_exc()
        files.write_json(outputs["errors"][step], explain(step, error, lost_executors(spark)))
        sys.exit(1)
    finally:
        if is_own:
            spark.stop()


# --- emr-steps/generated/types/ingest_result.py ---


class RowCounts(TypedDict):
    """Rows by outcome."""

    read: int
    accepted: int
    quarantined: int
    duplicates: int


RefusalCode: TypeAlias = Literal[
    "forgotten_user",
    "malformed_json",
    "two_spellings",
    "wrong_type",
    "missing_ts",
    "ts_in_seconds",
    "ts_out_of_range",
    "unknown_auth",
    "missing_user_id",
    "missing_page",
    "unknown_page",
    "unknown_level",
    "impossible_length",
]


class RefusedExample(TypedDict):
    """A refused row as the operator sees it."""

    reason: RefusalCode
    file: str
    line: str


class Finding(TypedDict):
    """What was found in refused rows."""

    reason: RefusalCode
    column: str
    found: Literal[
        "not_json",
        "not_utf8",
        "more_than_one",
        "line_array",
        "no_object",
        "two_spellings",
        "other_case",
        "nearly",
        "absent",
        "whole_fraction",
        "quoted_number",
        "lossy",
        "fraction",
        "too_large",
        "text",
        "boolean",
        "object",
        "array",
        "unknown_word",
        "unknown_column",
    ]
    word: str | None
    rows: int
    files: int


class HeldRows(TypedDict):
    """Rows of the batch that the tables hold."""

    events: int
    quarantined: int


Adaptation: TypeAlias = Literal["whole_fraction", "quoted_number", "other_case", "cut_out"]


class IngestSnapshots(TypedDict):
    """Snapshots of the tables after the batch."""

    events: str | None
    user_days: str | None


class AdaptedRows(TypedDict):
    """Rows that were adapted in one way."""

    adaptation: Adaptation
    rows: int
    files: int


class Adapted(TypedDict):
    """Rows that were adapted."""

    rows: int
    files: int
    by: list[AdaptedRows]


class IngestResult(TypedDict):
    """Result of ingest-events."""

    counts: RowCounts
    refused: dict[RefusalCode, int]
    examples: list[RefusedExample]
    findings: NotRequired[list[Finding]]
    held: HeldRows
    adapted: NotRequired[Adapted]
    filesRead: int
    bytesRead: int
    firstDay: str | None
    lastDay: str | None
    daysRecomputed: int
    snapshots: IngestSnapshots


# --- emr-steps/fragments/snapshots.ts ---


def newest_snapshot(spark: SparkSession, table: str) -> str | None:
    """The snapshot that readers see, as text: its number exceeds what JSON readers hold exactly."""
    snapshot = iceberg_table(spark, table).currentSnapshot()
    return None if snapshot is None else str(snapshot.snapshotId())


SNAPSHOT_RETENTION_DAYS = 90


def expire_snapshots(spark: SparkSession, plan: Plan, tables: list[str], days: int) -> None:
    """Removes snapshots that are so many days old, with the files that only they use.

    A snapshot that a branch points at stays, so an unfinished batch loses nothing.
    """
    planned_at = datetime.datetime.fromisoformat(plan["plannedAt"])
    oldest = planned_at - datetime.timedelta(days=days)
    for table in tables:
        iceberg_table(spark, table).expireSnapshots().expireOlderThan(int(oldest.timestamp() * 1000)).commit()


def snapshots_since(
    table: IcebergTable, head: IcebergSnapshot | None, known: str | None
) -> list[IcebergSnapshot] | None:
    """The snapshots that led from a known one to the head, or all when none is known.

    None when some of them are missing: snapshots expire.
    """
    since: list[IcebergSnapshot] = []
    snapshot = head
    while snapshot is not None and str(snapshot.snapshotId()) != known:
        since.append(snapshot)
        parent = snapshot.parentId()
        if parent is None:
            return since if known is None else None
        snapshot = table.snapshot(parent)
    return None if snapshot is None else since


def days_changed(spark: SparkSession, table: IcebergTable, snapshot: IcebergSnapshot) -> set[datetime.date]:
    """The days to which a snapshot added files, or from which it removed some: of rows, or of their deletions."""
    io = table.io()
    files = itertools.chain(
        snapshot.addedDataFiles(io),
        snapshot.removedDataFiles(io),
        snapshot.addedDeleteFiles(io),
        snapshot.removedDeleteFiles(io),
    )
    numbers = partition_numbers(spark, files)
    return {datetime.date(1970, 1, 1) + datetime.timedelta(days=number) for number in numbers}


# --- emr-steps/fragments/json-text.ts ---

PLAIN_DIGITS = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
# Up to here every whole number is a double of its own.
MOST_WHOLE = 2**53
# A number is not written with more characters.
LONGEST_NUMBER = 64


class NumberText(str):
    """A number as it is written."""

    __slots__ = ()


class JsonObject(list[tuple[str, object]]):
    """The names of an object as they are spelt, in order, with their values."""


def refuse_constant(name: str) -> object:
    """NaN and infinity are no JSON, though Python takes them."""
    raise ValueError(name)


def json_decoder() -> json.JSONDecoder:
    """Reads JSON as it is written; raises ValueError, or RecursionError where it is nested too deep."""
    return json.JSONDecoder(
        object_pairs_hook=JsonObject,
        parse_int=NumberText,
        parse_float=NumberText,
        parse_constant=refuse_constant,
    )


def whole_number(text: str) -> int | None:
    """The whole number that a JSON number with a fraction or an exponent stands for; None if digits may be lost."""
    if len(text) > LONGEST_NUMBER or JSON_NUMBER.fullmatch(text) is None:
        return None
    try:
        number = Decimal(text)
        if abs(number) > MOST_WHOLE or number != number.to_integral_value():
            return None
    except DecimalException:
        return None
    return int(number)


# --- emr-steps/fragments/spelling.ts ---

COLUMN_TYPES = {
    "artist": "string",
    "auth": "string",
    "firstName": "string",
    "gender": "string",
    "itemInSession": "integer",
    "lastName": "string",
    "length": "number",
    "level": "string",
    "location": "string",
    "method": "string",
    "page": "string",
    "registration": "integer",
    "sessionId": "integer",
    "song": "string",
    "status": "integer",
    "ts": "integer",
    "userAgent": "string",
    "userId": "string",
}
# Each column in any case and in snake case, as a pattern.
SPELLINGS = {
    "artist": "artist",
    "auth": "auth",
    "firstName": "first_?name",
    "gender": "gender",
    "itemInSession": "item_?in_?session",
    "lastName": "last_?name",
    "length": "length",
    "level": "level",
    "location": "location",
    "method": "method",
    "page": "page",
    "registration": "registration",
    "sessionId": "session_?id",
    "song": "song",
    "status": "status",
    "ts": "ts",
    "userAgent": "user_?agent",
    "userId": "user_?id",
}
NAMED_SPELLINGS = [f"(?P<{column}>{spelling})" for column, spelling in SPELLINGS.items()]
SPELLING = re.compile("|".join(NAMED_SPELLINGS), re.I | re.A)
# So many letters may be wrong in a name that is spelt nearly like a column's.
NEAR = 2
# What is written of a user id that became a double on its way: 41.0, and 1.2345678E7 as Java does.
WHOLE_USER_ID = re.compile(r"-?(?:0|[1-9][0-9]*)\.0+|-?[1-9]\.[0-9]+[eE]\+?[0-9]{1,2}")


def column_of(name: str) -> str | None:
    """The column that a name can only mean."""
    if name in COLUMN_TYPES:
        return name
    match = SPELLING.fullmatch(name)
    return None if match is None else match.lastgroup


def nearest_column(name: str) -> str | None:
    """The column whose name differs from this one by signs, or by a few letters."""
    bare = re.sub(r"[^a-z0-9]", "", name.lower())
    for column in COLUMN_TYPES if 1 < len(name) <= LONGEST_NUMBER else []:
        known = column.lower()
        wrong = NEAR if len(known) > 5 else 1 if len(known) > 3 else 0
        if abs(len(bare) - len(known)) <= wrong and letters_wrong(bare, known) <= wrong:
            return column
    return None


def letters_wrong(one: str, other: str) -> int:
    """Letters to be added, left out or replaced to make one of the other."""
    costs = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        row = [place]
        for index, known in enumerate(other, 1):
            row.append(min(costs[index] + 1, row[-1] + 1, costs[index - 1] + (letter != known)))
        costs = row
    return costs[-1]


def whole_user_id(text: str) -> int | None:
    """The whole number that a user id in quotes stands for; None where it is an id as it is."""
    return whole_number(text) if WHOLE_USER_ID.fullmatch(text) else None


# --- emr-steps/fragments/plain-lines.ts ---

PLAIN_COLUMNS = [
    "artist",
    "auth",
    "gender",
    "itemInSession",
    "length",
    "level",
    "location",
    "method",
    "page",
    "registration",
    "sessionId",
    "song",
    "status",
    "ts",
    "userAgent",
    "userId",
]
# The adaptations of a row are a set of bits.
ADAPTATIONS: list[Adaptation] = ["whole_fraction", "quoted_number", "other_case", "cut_out"]
WHOLE_FRACTION = 1
QUOTED_NUMBER = 2
OTHER_CASE = 4
CUT_OUT = 8
# All that are counted, and an empty text where a number belongs, which is an absent value and is not.
COUNTED = 2 ** len(ADAPTATIONS)
EMPTY_TEXT = COUNTED
ABSENT = "null"
PLAIN_LINE = "STRUCT<line: STRING, changes: INT, is_ambiguous: BOOLEAN>"


class PlainLine(NamedTuple):
    """A line in its plain form (None where it is no object), what was adapted, and whether it means two things."""

    line: str | None
    changes: int
    is_ambiguous: bool


def plain_value(column: str, value: object) -> tuple[str, int]:
    """A value as our reader takes it, as JSON, and how it was adapted. What means nothing else stays as it is."""
    if value is None:
        return ABSENT, 0
    if isinstance(value, bool):
        return json.dumps(value), 0
    if isinstance(value, JsonObject):
        return "{}", 0
    if isinstance(value, list):
        return "[]", 0
    text, kind = str(value), COLUMN_TYPES[column]
    if isinstance(value, NumberText):
        is_whole = kind == "integer" or column == "userId"
        whole = None if not is_whole or PLAIN_DIGITS.fullmatch(text) else whole_number(text)
        return (text, 0) if whole is None else (str(whole), WHOLE_FRACTION)
    if kind == "string":
        whole = whole_user_id(text) if column == "userId" else None
        return (json.dumps(text), 0) if whole is None else (json.dumps(str(whole)), WHOLE_FRACTION)
    if text == "":
        return ABSENT, EMPTY_TEXT
    if JSON_NUMBER.fullmatch(text) is not None:
        if kind == "number" or PLAIN_DIGITS.fullmatch(text):
            return text, QUOTED_NUMBER
        whole = whole_number(text)
        if whole is not None:
            return str(whole), WHOLE_FRACTION
    return json.dumps(text), 0


def plain_line(line: str) -> PlainLine:
    """The plain form of a line: the columns that are read, in the order in which they are written."""
    try:
        fields = json_decoder().decode(line)
    except (ValueError, RecursionError):
        return PlainLine(None, 0, False)
    if not isinstance(fields, JsonObject):
        return PlainLine(None, 0, False)
    written: list[str] = []
    spelt: dict[str, tuple[str, str]] = {}
    changes = 0
    for name, value in fields:
        column = column_of(name)
        if column is None:
            continue
        text, change = plain_value(column, value)
        spelling, known = spelt.setdefault(column, (name, text))
        if spelling != name and known not in (text, ABSENT) and text != ABSENT:
            return PlainLine(None, OTHER_CASE, True)
        if known == ABSENT != text:
            spelt[column] = (spelling, text)
        changes |= change | (OTHER_CASE if name != column else 0)
        if column in PLAIN_COLUMNS and (spelling == name or text != ABSENT):
            written.append(f'"{column}":{text}')
    return PlainLine("{" + ",".join(written) + "}", changes, False)


def changes_of(line: str) -> int:
    """What would be adapted in a line."""
    return plain_line(line).changes


# --- emr-steps/fragments/raw-lines.ts ---

READ_COLUMNS = [
    "artist",
    "auth",
    "gender",
    "itemInSession",
    "length",
    "level",
    "location",
    "method",
    "page",
    "registration",
    "sessionId",
    "song",
    "status",
    "ts",
    "userAgent",
    "userId",
]
# Where Spark puts a line that it could not read whole.
UNREADABLE = "unreadable"
RAW_SCHEMA = """
artist string,
auth string,
gender string,
itemInSession bigint,
length double,
level string,
location string,
method string,
page string,
registration bigint,
sessionId bigint,
song string,
status bigint,
ts bigint,
userAgent string,
userId string,
unreadable string
"""
# How a line is made to begin that is not one JSON object.
MARK = '{"ts":"not one object",'
# How one is made to begin that has an object or an array where text belongs: Spark would take it as its text.
NESTED_MARK = '{"ts":"nested",'
NESTED_TEXT = '"(artist|auth|gender|level|location|method|page|song|userAgent|userId)"\\s*:\\s*[\\[{]'

BEST_LINE = "IF(is_utf8, COALESCE(plain.line, line), line)"

# Strict: Spark by itself accepts single quotes, and a length of NaN, which would spoil every sum that it enters.
JSON_OPTIONS = {
    "columnNameOfCorruptRecord": UNREADABLE,
    "allowNonNumericNumbers": "false",
    "allowSingleQuotes": "false",
}


def literal_path(uri: str) -> str:
    """The URI for a reader that takes patterns: a file's name is not one, whatever characters are in it."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", uri)


def parse_lines(lines: DataFrame) -> DataFrame:
    """The fields of each line as "raw", and the path of its file.

    By Spark's reader of JSON, which is faster than its function: that decodes each line through a stream of its own.
    """
    fields = read_json(lines.select(marked_line()), RAW_SCHEMA, JSON_OPTIONS)
    return fields.select(F.struct("*").alias("raw"), F.input_file_name().alias("file_path"))


def parse_lines_kept(lines: DataFrame) -> DataFrame:
    """The same, and the line: the reader does not return it."""
    return lines.select(
        F.from_json(marked_line(), RAW_SCHEMA, JSON_OPTIONS).alias("raw"),
        F.input_file_name().alias("file_path"),
        F.col("value").alias("line"),
        (~is_not_utf8()).alias("is_utf8"),
    )


def parse_plain_lines(lines: DataFrame) -> DataFrame:
    """The fields of lines in their plain form, and what was adapted; takes "file_path", "value" and "adapted"."""
    plain = F.udf(plain_line, PLAIN_LINE)
    seen = lines.withColumns({"is_utf8": ~is_not_utf8(), "plain": plain("value")})
    in_place = seen.withColumnRenamed("value", "line").withColumn("value", F.expr(BEST_LINE))
    return in_place.select(
        F.from_json(marked_line(), RAW_SCHEMA, JSON_OPTIONS).alias("raw"),
        "file_path",
        "line",
        "is_utf8",
        F.col("plain.changes").bitwiseOR(F.col("adapted")).alias("adapted"),
        "plain.is_ambiguous",
    )


def marked_line() -> Column:
    """The line, marked where it is anything but one JSON object, or nested where it must not be.

    A marked line shows when it is parsed, by a ts of the wrong type. What else can be read of it still is: whose
    it was decides what may be kept.
    """
    is_object = "STARTSWITH(value, '{') OR value RLIKE '^\\\\s*[{]'"
    is_broken = ~F.expr(is_object) | has_trailing_text() | is_not_utf8()
    begin = r"^\s*[{]?"
    marked = F.when(is_broken, F.regexp_replace("value", begin, MARK))
    nested = F.regexp_replace("value", begin, NESTED_MARK)
    return marked.when(has_nested_text(), nested).otherwise(F.col("value"))


def is_marked(raw: Column) -> Column:
    """Whether the line was marked."""
    return raw[UNREADABLE].startswith(MARK)


def is_bare(raw: Column) -> Column:
    """Whether nothing at all could be read of a line: its JSON is broken, or no field is of its type."""
    values = F.coalesce(*[raw[column].cast("string") for column in READ_COLUMNS])
    return raw[UNREADABLE].isNotNull() & ~raw[UNREADABLE].startswith(NESTED_MARK) & values.isNull()


def has_trailing_text() -> Column:
    """Whether the line holds more than an object: Spark would lose the rest silently.

    Such a line cannot be read as the only element of an array and as the value of a member both: what ends the one
    early does not end the other. That is tried where a brace closes before the last byte, or does not close there.
    """
    all_but_last = "STRING(SUBSTR(BINARY(value), 1, OCTET_LENGTH(value) - 1))"
    suspicious = f"NOT ENDSWITH(value, '}}') OR CONTAINS({all_but_last}, '}}')"
    elements = "SIZE(FROM_JSON(CONCAT('[', value, ']'), 'ARRAY<STRUCT<ts: STRING>>'))"
    member = """FROM_JSON(CONCAT('{"row":', value, '}'), 'row STRUCT<ts: STRING>').row"""
    return F.expr(f"IF({suspicious}, COALESCE({elements}, 0) <> 1 OR {member} IS NULL, FALSE)")


def has_nested_text() -> Column:
    """Whether a column of text holds an object or an array, whose text could be anybody's."""
    may_nest = "CONTAINS(value, '[') OR CONTAINS(SUBSTR(value, 2), '{')"
    return F.expr(may_nest) & F.col("value").rlike(NESTED_TEXT)


def is_not_utf8() -> Column:
    """Whether the line holds bytes that are not text: decoding replaces them."""
    return F.expr("ENCODE(value, 'UTF-8') <> BINARY(value)")


# --- emr-steps/fragments/events-table.ts ---

EVENTS = "lake.churn.events"


def rows_of_batch(spark: SparkSession, table: str, batch_id: str) -> list[Row]:
    """The batch's events in the table or on the branch, counted again: rows by day and file."""
    of_batch = spark.table(table).where(F.col("batch_id") == batch_id)
    return of_batch.groupBy("event_date", "source_file").agg(F.count("*").alias("rows")).collect()


def forget_files(spark: SparkSession, table: str, batch_id: str, uris: list[str]) -> None:
    """Deletes the batch's rows of these files."""
    spark.createDataFrame([(uri,) for uri in uris], "uri string").createOrReplaceTempView("files_to_forget")
    of_file = "source_file IN (SELECT uri FROM files_to_forget)"
    spark.sql(f"DELETE FROM {table} WHERE batch_id = '{batch_id}' AND {of_file}")  # noqa: S608


def forget_batches(spark: SparkSession, table: str, batch_ids: list[str]) -> None:
    """Deletes the rows of batches that were begun and not finished."""
    literals = ", ".join(f"'{batch_id}'" for batch_id in sorted(set(batch_ids)))
    if literals and spark.table(table).where(f"batch_id IN ({literals})").limit(1).count() > 0:
        spark.sql(f"DELETE FROM {table} WHERE batch_id IN ({literals})")  # noqa: S608


# --- emr-steps/fragments/file-numbers.ts ---


def number_files(batch: Batch) -> dict[int, str]:
    """The batch's files, numbered in the order of their names."""
    return dict(enumerate(sorted(file["uri"] for file in batch["files"])))


def numbered_paths(spark: SparkSession, files: dict[int, str]) -> DataFrame:
    """The number of each file, by its path as Spark reports it; Spark makes it from a literal sooner than from rows."""
    known = [{"file_path": path_of_rows(spark, uri), "file_number": number} for number, uri in files.items()]
    rows = F.from_json(F.lit(json.dumps(known)), "ARRAY<STRUCT<file_path: STRING, file_number: INT>>")
    return spark.sql("SELECT 1").select(F.inline(rows))


def names_by_number(files: dict[int, str]) -> Column:
    """The name of a row's file: looked up where it is stored, so that no shuffle carries it."""
    names = F.array(*[F.lit(files.get(number)) for number in range(max(files) + 1)])
    return names[F.col("file_number")].alias("source_file")


# --- emr-steps/fragments/staging.ts ---

STAGED_EVENTS = "lake.churn.events.branch_staging"
CREATE_EVENTS = """
CREATE TABLE IF NOT EXISTS lake.churn.events (
  event_date date COMMENT 'UTC day of the event',
  event_time timestamp_ntz COMMENT 'time of the event, UTC',
  user_id string COMMENT 'user; empty when no user is signed in',
  session_id bigint COMMENT 'session; unique only together with the user',
  item_in_session int COMMENT 'position of the event in its session',
  page string COMMENT 'page that was visited',
  auth string COMMENT 'whether a user was signed in',
  level string COMMENT 'subscription at the time: free or paid',
  method string COMMENT 'HTTP method; null if it is none',
  status int COMMENT 'HTTP status',
  artist string COMMENT 'artist of the song played',
  song string COMMENT 'title of the song played',
  length_seconds double COMMENT 'length of the song played',
  gender string COMMENT 'gender the user registered with; null if it is no word for one',
  location string COMMENT 'metropolitan area and state',
  user_agent string COMMENT 'the browser\\'s user agent',
  registered_at timestamp_ntz COMMENT 'when the user registered, UTC',
  source_file string COMMENT 'file the row was read from',
  batch_id string COMMENT 'batch that the row belongs to'
) USING iceberg
PARTITIONED BY (event_date)
COMMENT 'event, typed, de-duplicated, without names of people'
TBLPROPERTIES (
  'format-version' = '2',
  'write.distribution-mode' = 'none',
  'write.metadata.delete-after-commit.enabled' = 'true',
  'write.parquet.dict-size-bytes' = '2048'
)
"""
OPEN_STAGING = "ALTER TABLE lake.churn.events CREATE BRANCH staging"
PUBLISH = "CALL lake.system.fast_forward('churn.events', 'main', 'staging')"
STAGING = "staging"
CLOSE_STAGING = "ALTER TABLE lake.churn.events DROP BRANCH IF EXISTS staging"

# Property of a snapshot of events: the batch that it was written for.
WRITTEN_FOR = "written-for-batch"

EVENT_NAMES = [
    "event_date",
    "event_time",
    "user_id",
    "session_id",
    "item_in_session",
    "page",
    "auth",
    "level",
    "method",
    "status",
    "artist",
    "song",
    "length_seconds",
    "gender",
    "location",
    "user_agent",
    "registered_at",
    "source_file",
    "batch_id",
]


def open_staging(spark: SparkSession, plan: Plan) -> None:
    """Opens the branch on what readers see now, without the rows of unfinished batches and of earlier tries."""
    batch_id = plan["batch"]["batchId"]
    spark.sql(CREATE_EVENTS)
    snapshots = iceberg_table(spark, EVENTS).snapshots()
    tried = any(snapshot.summary().get(WRITTEN_FOR) == batch_id for snapshot in snapshots)
    unfinished = plan["abandonedBatchIds"] + ([batch_id] if tried else [])
    # A branch cannot be replaced while readers see no snapshot: a first try that published nothing has left it.
    spark.sql(CLOSE_STAGING)
    spark.sql(OPEN_STAGING)
    forget_batches(spark, STAGED_EVENTS, unfinished)


def by_day(rows: DataFrame, tasks: int, slices: int) -> DataFrame:
    """Brings the rows of a day into one task; of a large day, those of each slice of its users."""
    sliced = rows.withColumn("slice", F.expr(f"PMOD(HASH(user_id), {slices})") if slices > 1 else F.lit(0))
    return sliced.repartition(tasks, "event_date", *(["slice"] if slices > 1 else []))


def write_staged(rows: DataFrame, plan: Plan) -> DataFrameWriterV2:
    """A writer of the branch. A task that holds several days meets them by user: a file stays open for each."""
    writer = rows.select(*EVENT_NAMES).writeTo(STAGED_EVENTS).option("fanout-enabled", "true")
    return writer.option(f"snapshot-property.{WRITTEN_FOR}", plan["batch"]["batchId"])


def stage_new_rows(events: DataFrame, plan: Plan, files: dict[int, str]) -> None:
    """Appends the batch's events to the branch, duplicates included: they are rare, and looked for once all are stored."""
    sizes = plan["ingest"]
    # The user first: Spark sorts by the first eight bytes of the first column, and compares rows only where these tie.
    days = by_day(events, sizes["shufflePartitions"], sizes["slicesPerDay"])
    ordered = days.sortWithinPartitions("user_id", "event_time", "item_in_session")
    batch_id = F.lit(plan["batch"]["batchId"])
    named = ordered.withColumns({"source_file": names_by_number(files), "batch_id": batch_id})
    write_staged(named, plan).append()


def days_just_staged(spark: SparkSession) -> list[datetime.date]:
    """The days whose files any snapshot of the branch has changed since it left what readers see."""
    table = iceberg_table(spark, EVENTS)
    seen = table.currentSnapshot()
    since = snapshots_since(table, table.snapshot(STAGING), None if seen is None else str(seen.snapshotId()))
    return sorted({day for snapshot in since or [] for day in days_changed(spark, table, snapshot)})


# --- emr-steps/fragments/cut-objects.ts ---

LARGEST_CUT_BYTES = 268435456
PACKED_BYTES_FACTOR = 6
PACKED_ENDINGS = (".gz", ".bz2")
BLANKS = re.compile(r"[ \t\r\n]*")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# In a file of lines one ends within so many bytes, nearly always the first number.
FIRST_BYTES = (65_536, 16_777_216)
CUT_ROW = "file_path STRING, content BINARY"


def objects_in(content: bytes) -> Iterator[bytes]:
    """The objects of an array, or of a sequence, as they are written; raises ValueError where it is neither.

    The bytes are read as Latin 1: what structures JSON is ASCII, which no other character of UTF-8 contains.
    """
    text = content.removeprefix(BYTE_ORDER_MARK).decode("latin-1")
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=refuse_constant)

    def after_blanks(place: int) -> int:
        match = BLANKS.match(text, place)
        return place if match is None else match.end()

    place = after_blanks(0)
    is_array = text.startswith("[", place)
    place = after_blanks(place + 1) if is_array else place
    while place < len(text) and not (is_array and text.startswith("]", place)):
        if not is_array and not text.startswith("{", place):
            raise ValueError(place)
        _, end = decoder.raw_decode(text, place)
        yield text[place:end].encode("latin-1")
        place = after_blanks(end)
        if is_array and text.startswith(",", place):
            place = after_blanks(place + 1)
            if text.startswith("]", place):
                raise ValueError(place)
        elif is_array and not text.startswith("]", place):
            raise ValueError(place)
    if is_array and (place == len(text) or after_blanks(place + 1) < len(text)):
        raise ValueError(place)


def count_objects(content: bytes) -> int:
    """How many objects a file can be cut into; -1 where it is neither an array nor objects one after another."""
    if len(content) > LARGEST_CUT_BYTES:
        return -1
    try:
        return sum(1 for _ in objects_in(bytes(content)))
    except (ValueError, RecursionError):
        return -1


def whole_files(spark: SparkSession, files: dict[int, str]) -> DataFrame:
    """Each file as one row: its path and its bytes."""
    paths = [literal_path(uri) for uri in files.values()]
    whole = spark.read.text(paths, wholetext=True)
    return whole.select(F.input_file_name().alias("file_path"), F.expr("BINARY(value)").alias("content"))


def files_to_cut(spark: SparkSession, files: dict[int, str], sizes: dict[str, int]) -> set[int]:
    """Those of the files that can be cut into objects."""
    limit = LARGEST_CUT_BYTES
    small = {number: uri for number, uri in files.items() if unpacked_bytes(uri, sizes[uri]) <= limit}
    if not small:
        return set()
    count = F.udf(count_objects, "BIGINT")
    counted = whole_files(spark, small).select("file_path", count("content").alias("objects"))
    paths = {row.file_path for row in counted.where("objects >= 0").collect()}
    return {number for number, uri in small.items() if path_of_rows(spark, uri) in paths}


def cut_lines(spark: SparkSession, files: dict[int, str]) -> DataFrame:
    """The objects of the files, each as a line."""

    def of_file(file: Row) -> Iterator[tuple[str, bytes]]:
        return ((file.file_path, one) for one in objects_in(bytes(file.content)))

    cut = spark.createDataFrame(whole_files(spark, files).rdd.flatMap(of_file), CUT_ROW)
    return cut.select("file_path", F.col("content").cast("string").alias("value"))


def unpacked_bytes(uri: str, size: int) -> int:
    """About how large a file is once it is unpacked."""
    return size * PACKED_BYTES_FACTOR if uri.lower().endswith(PACKED_ENDINGS) else size


def check_cut_sizes(spark: SparkSession, batch: Batch) -> None:
    """Refuses files that are no lines and too large to be cut, before their one line is read."""
    for file in batch["files"]:
        uri = file["uri"]
        if unpacked_bytes(uri, file["bytes"]) <= LARGEST_CUT_BYTES:
            continue
        read = (first_bytes(spark, uri, size) for size in FIRST_BYTES)
        begins = (text.removeprefix(BYTE_ORDER_MARK).lstrip() for text in read)
        begin = next((text for text in begins if text.startswith(b"[") or b"\n" in text), b"")
        is_array = begin.startswith(b"[")
        if begin and not is_array:
            continue
        kind = "a JSON array: its first line begins with [" if is_array else "a single line"
        pick = "jq -cn --stream 'fromstream(1|truncate_stream(inputs))'" if is_array else "jq -c ."
        raise StepError(
            f"{uri} is {kind}, and with {file['bytes']:,} bytes too large to be cut into its objects",
            f"the log has one JSON object a line; other files are read up to {LARGEST_CUT_BYTES:,} bytes",
            f"convert it and deliver it instead: {pick} file.json > file.jsonl (unpack it first if it is packed)",
        )


# --- emr-steps/fragments/forgotten-users.ts ---

FORGOTTEN_USERS = "forgotten-users.json"


class ForgottenUsers(TypedDict):
    """The users who asked to be forgotten, by salted hashes of their ids."""

    salt: str
    hashes: list[str]


def forgotten_users(files: Files, lake_root: str) -> ForgottenUsers | None:
    """The list of users who asked to be forgotten, as it is now."""
    uri = f"{lake_root}/{FORGOTTEN_USERS}"
    if not files.exists(uri):
        return None
    forgotten: ForgottenUsers = files.read_json(uri)
    return forgotten


def is_forgotten(forgotten: ForgottenUsers | None) -> Column:
    """Whether the row's user is on the list."""
    if forgotten is None:
        return F.lit(False)
    return F.sha2(F.concat(F.lit(forgotten["salt"]), "raw.userId"), 256).isin(forgotten["hashes"])


# --- emr-steps/fragments/event-rows.ts ---

REFUSAL_REASONS = [
    "forgotten_user",
    "malformed_json",
    "two_spellings",
    "wrong_type",
    "missing_ts",
    "ts_in_seconds",
    "ts_out_of_range",
    "unknown_auth",
    "missing_user_id",
    "missing_page",
    "unknown_page",
    "unknown_level",
    "impossible_length",
]

# 0 is an accepted row, n the nth of REFUSAL_REASONS: the first that holds.
OUTCOME = """
CASE
  WHEN is_forgotten THEN 1
  WHEN is_malformed THEN 2
  WHEN is_ambiguous THEN 3
  WHEN raw.unreadable IS NOT NULL OR is_no_user_id OR is_refused THEN 4
  WHEN raw.ts IS NULL THEN 5
  WHEN raw.ts > 0 AND raw.ts < 100000000000 THEN 6
  WHEN raw.ts < {earliest} OR raw.ts >= {latest} THEN 7
  WHEN raw.auth IS NULL OR raw.auth NOT IN ('Logged In', 'Logged Out', 'Guest', 'Cancelled') THEN 8
  WHEN raw.auth IN ('Logged In', 'Cancelled') AND COALESCE(raw.userId, '') = '' THEN 9
  WHEN NULLIF(raw.page, '') IS NULL THEN 10
  WHEN raw.page NOT IN (
    'NextSong',
    'Home',
    'Thumbs Up',
    'Thumbs Down',
    'Add to Playlist',
    'Add Friend',
    'Roll Advert',
    'Login',
    'Logout',
    'Downgrade',
    'Submit Downgrade',
    'Upgrade',
    'Submit Upgrade',
    'Help',
    'Settings',
    'Save Settings',
    'About',
    'Error',
    'Cancel',
    'Cancellation Confirmation',
    'Register',
    'Submit Registration'
  ) THEN 11
  WHEN NULLIF(raw.level, '') NOT IN ('free', 'paid') THEN 12
  WHEN raw.length < 0 OR raw.length = DOUBLE('Infinity') THEN 13
  ELSE 0
END
"""
# After them, accepted rows that lack what another spelling may hold: they are counted apart.
INCOMPLETE = 14
OUTCOMES = 15
COUNTED_AS = "IF(outcome = 0 AND (raw.sessionId IS NULL OR raw.itemInSession IS NULL), 14, outcome)"
MALFORMED = 2
FORGOTTEN = 1
KNOWN_FILE = "COALESCE(file_number, RAISE_ERROR(CONCAT('no such file in the batch: ', file_path)))"

EVENT_COLUMNS = [
    "DATE_FROM_UNIX_DATE(INT(raw.ts DIV 86400000)) AS event_date",
    "CAST(TIMESTAMP_MILLIS(raw.ts) AS TIMESTAMP_NTZ) AS event_time",
    "COALESCE(raw.userId, '') AS user_id",
    "raw.sessionId AS session_id",
    "TRY_CAST(raw.itemInSession AS INT) AS item_in_session",
    "NULLIF(raw.page, '') AS page",
    "NULLIF(raw.auth, '') AS auth",
    "NULLIF(raw.level, '') AS level",
    "IF(raw.method IN ('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'), raw.method, NULL) AS method",
    "TRY_CAST(raw.status AS INT) AS status",
    "NULLIF(raw.artist, '') AS artist",
    "NULLIF(raw.song, '') AS song",
    "raw.length AS length_seconds",
    "IF(raw.gender IN ('M', 'F', 'X', 'male', 'female', 'other', 'Male', 'Female', 'Other'), raw.gender, NULL) AS gender",
    "NULLIF(raw.location, '') AS location",
    "NULLIF(raw.userAgent, '') AS user_agent",
    "CAST(TIMESTAMP_MILLIS(IF(raw.registration BETWEEN 0 AND 1E14, raw.registration, NULL)) AS TIMESTAMP_NTZ) AS registered_at",
]


def read_rows(
    spark: SparkSession,
    plan: Plan,
    files: dict[int, str],
    forgotten: ForgottenUsers | None,
    *,
    keep_line: bool = False,
) -> DataFrame:
    """One row a line that is not blank: its fields, its file's number, and its "outcome".

    The line itself is carried on only when it is asked for: it is larger than all its fields.
    """
    lines = text_lines(spark, files)
    parsed = parse_lines_kept(lines) if keep_line else parse_lines(lines)
    plain = parsed.withColumns({"is_ambiguous": F.lit(False), "is_refused": F.lit(False)})
    return with_outcomes(spark, plan, plain, files, forgotten)


def text_lines(spark: SparkSession, files: dict[int, str]) -> DataFrame:
    """The lines of the files that are not blank."""
    paths = [literal_path(uri) for uri in files.values()]
    # The pattern settles the few lines that do not begin as an object does.
    return spark.read.text(paths).where("STARTSWITH(value, '{') OR value RLIKE '\\\\S'")


def read_adapted_rows(
    spark: SparkSession, plan: Plan, files: dict[int, str], cut: set[int], forgotten: ForgottenUsers | None
) -> DataFrame:
    """The rows of files that are read tolerantly, some of them cut into their objects first, with what was adapted.

    In a strict run a row that would have to be adapted is refused.
    """
    whole = {number: uri for number, uri in files.items() if number in cut}
    by_line = {number: uri for number, uri in files.items() if number not in cut}
    lines: list[DataFrame] = []
    if by_line:
        read = text_lines(spark, by_line).select(F.input_file_name().alias("file_path"), "value")
        lines.append(read.withColumn("adapted", F.lit(0)))
    if whole:
        lines.append(cut_lines(spark, whole).withColumn("adapted", F.lit(CUT_OUT)))
    parsed = parse_plain_lines(functools.reduce(DataFrame.unionByName, lines))
    is_strict = plan["ingest"].get("strict", False)
    is_refused = (F.col("adapted") % COUNTED > 0) if is_strict else F.lit(False)
    return with_outcomes(spark, plan, parsed.withColumn("is_refused", is_refused), files, forgotten)


def with_outcomes(
    spark: SparkSession,
    plan: Plan,
    parsed: DataFrame,
    files: dict[int, str],
    forgotten: ForgottenUsers | None,
) -> DataFrame:
    """Parsed lines with the number of their file in place of its path, and their outcome."""
    kept = [column for column in parsed.columns if column not in ("raw", "file_path")]
    numbered = parsed.join(F.broadcast(numbered_paths(spark, files)), "file_path", "left").select(
        F.expr(f"{KNOWN_FILE} AS file_number"),
        "raw",
        (is_bare(F.col("raw")) | is_marked(F.col("raw"))).alias("is_malformed"),
        *kept,
    )
    bounds = {
        "earliest": plan["ingest"]["earliestEventMilliseconds"],
        "latest": plan["ingest"]["latestEventMilliseconds"],
    }
    return (
        numbered.withColumns({"is_forgotten": is_forgotten(forgotten), "is_no_user_id": is_no_user_id()})
        .withColumn("outcome", F.expr(OUTCOME.format(**bounds)))
        .drop("is_malformed", "is_forgotten", "is_no_user_id", "is_ambiguous", "is_refused")
    )


def is_no_user_id() -> Column:
    """Whether userId was another JSON value than a string or a whole number: Spark makes text of any.

    A number with a fraction or an exponent is what some exporters make of ids when one is missing: it would be another
    user. The second look at its file takes it as its whole number, if it is one.
    """
    user = F.col("raw.userId")
    fraction = user.contains(".") & user.rlike(r"^-?\d+\.\d+([eE][+-]?\d+)?$")
    return user.startswith("{") | user.startswith("[") | user.isin("true", "false") | fraction


# --- emr-steps/fragments/second-look.ts ---

# An accepted row that lacks its session may have it under one of these names.
INCOMPLETE_SPELLING = f'(?i)"({SPELLINGS["sessionId"]}|{SPELLINGS["itemInSession"]})"'


class Outcomes(NamedTuple):
    """Rows read, by file, rows refused, by file and outcome, and the files with rows that lack their session."""

    read: collections.Counter[int]
    refused: dict[int, dict[int, int]]
    incomplete: set[int]

    @property
    def defects(self) -> int:
        """Rows that were refused for a defect of theirs."""
        return sum(
            count
            for of_file in self.refused.values()
            for outcome, count in of_file.items()
            if outcome != FORGOTTEN
        )

    @property
    def flagged(self) -> set[int]:
        """The files that are worth a second look."""
        defective = {number for number, of_file in self.refused.items() if of_file.keys() - {FORGOTTEN}}
        return defective | self.incomplete

    def take(self, counts: collections.Counter[int]) -> None:
        """Takes in the counts of one pass over some files, in place of those of an earlier one."""
        by_file: dict[int, collections.Counter[int]] = collections.defaultdict(collections.Counter)
        for code, rows in counts.items():
            number, outcome = divmod(code, OUTCOMES)
            by_file[number][outcome] += rows
        for number, outcomes in by_file.items():
            self.read[number] = outcomes.total()
            if outcomes[INCOMPLETE]:
                self.incomplete.add(number)
            refused = {outcome: rows for outcome, rows in outcomes.items() if outcome not in (0, INCOMPLETE)}
            if refused:
                self.refused[number] = refused
            else:
                self.refused.pop(number, None)


class Tolerated(NamedTuple):
    """The files that are read tolerantly, those of them that are cut into their objects, and what was adapted in each."""

    files: dict[int, str]
    cut: set[int]
    adapted: dict[int, collections.Counter[str]]


def second_look(
    spark: SparkSession,
    plan: Plan,
    files: dict[int, str],
    outcomes: Outcomes,
    forgotten: ForgottenUsers | None,
) -> Tolerated:
    """Which of the files are to be read tolerantly."""
    flagged = {number: files[number] for number in sorted(outcomes.flagged)}
    if not flagged:
        return Tolerated({}, set(), {})
    malformed = {
        number: uri for number, uri in flagged.items() if MALFORMED in outcomes.refused.get(number, {})
    }
    sizes = {file["uri"]: file["bytes"] for file in plan["batch"]["files"]}
    cut = set() if plan["ingest"].get("strict", False) else files_to_cut(spark, malformed, sizes)
    by_line = {number: uri for number, uri in flagged.items() if number not in cut}
    changing = set()
    if by_line:
        rows = read_rows(spark, plan, by_line, forgotten, keep_line=True).where("is_utf8")
        worth = F.expr(f"outcome NOT IN (0, {FORGOTTEN})") | F.col("line").rlike(INCOMPLETE_SPELLING)
        changes = F.udf(changes_of, "INT")
        changed = rows.where(worth).where(changes("line") > 0).select("file_number").distinct()
        changing = {row.file_number for row in changed.collect()}
    tolerant = {number: uri for number, uri in flagged.items() if number in cut | changing}
    return Tolerated(tolerant, cut, {})


def adaptations_of(bits: int) -> list[Adaptation]:
    """The adaptations in a set."""
    return [code for place, code in enumerate(ADAPTATIONS) if bits & 2**place]


# --- emr-steps/fragments/refused-lines.ts ---

KEPT_COLUMNS = [
    "ts",
    "page",
    "auth",
    "level",
    "method",
    "status",
    "sessionId",
    "itemInSession",
    "userId",
]
REQUIRED_COLUMNS = ["auth", "page", "ts"]
WORDS: dict[str, list[str]] = {
    "auth": ["Logged In", "Logged Out", "Guest", "Cancelled"],
    "level": ["free", "paid"],
    "method": ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"],
    "page": [
        "NextSong",
        "Home",
        "Thumbs Up",
        "Thumbs Down",
        "Add to Playlist",
        "Add Friend",
        "Roll Advert",
        "Login",
        "Logout",
        "Downgrade",
        "Submit Downgrade",
        "Upgrade",
        "Submit Upgrade",
        "Help",
        "Settings",
        "Save Settings",
        "About",
        "Error",
        "Cancel",
        "Cancellation Confirmation",
        "Register",
        "Submit Registration",
    ],
}
KEPT_VALUE_BYTES = 64
SHOWN_WORD_ROWS = 10
SHOWN_WORD_USERS = 3
# A user id that cannot be a name: digits, perhaps behind one or two letters, or a UUID.
NUMBERED = r"(?:[A-Za-z]{1,2}[-_]?)?[0-9][0-9_-]*"
UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
ID_OF_NO_NAME = re.compile(f"{NUMBERED}|{UUID}")
LONG = 2**63

FOUND = "ARRAY<STRUCT<column: STRING, found: STRING, bytes: BIGINT, at: BIGINT, word: STRING>>"
SEEN = f"STRUCT<kept: STRING, found: {FOUND}, user: STRING>"


class Found(NamedTuple):
    """Something found in a refused line."""

    column: str
    found: str
    bytes: int | None = None
    at: int | None = None
    # Not to be shown unless many rows have it.
    word: str | None = None


class Seen(NamedTuple):
    """What a refused line comes to: the values that are kept as JSON, what was found, and whose line it is."""

    kept: str
    found: list[Found]
    user: str | None


def bytes_of(text: str) -> int:
    """Its length as it was written."""
    return len(text.encode("utf-8", "surrogatepass"))


def unlike(column: str, value: object) -> str | None:
    """How a value differs from what its column holds; None if it does not, or is absent."""
    kind = COLUMN_TYPES[column]
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean" if kind != "string" or column == "userId" else None
    if isinstance(value, JsonObject):
        return "object"
    if isinstance(value, list):
        return "array"
    text = str(value)
    is_plain = PLAIN_DIGITS.fullmatch(text) is not None
    if isinstance(value, NumberText):
        if kind == "number" or (kind == "string" and (column != "userId" or is_plain)):
            return None
        if is_plain:
            return None if len(text) < KEPT_VALUE_BYTES and -LONG <= int(text) < LONG else "too_large"
        return unlike_whole(text)
    if kind == "string":
        return "whole_fraction" if column == "userId" and whole_user_id(text) is not None else None
    if text == "":
        return None
    if JSON_NUMBER.fullmatch(text) is None:
        return "text"
    return "quoted_number" if is_plain or kind == "number" else unlike_whole(text)


def unlike_whole(text: str) -> str:
    """How a number that is not written with plain digits differs from a whole number."""
    if whole_number(text) is not None:
        return "whole_fraction"
    fraction = text.partition(".")[2]
    return "lossy" if "e" in text.lower() or not fraction.strip("0") else "fraction"


def kept_value(column: str, value: object) -> object:
    """The value of a refused line that may be kept, or None."""
    text = str(value)
    if column not in KEPT_COLUMNS or value in (None, "") or bytes_of(text) > KEPT_VALUE_BYTES:
        return None
    if column == "userId":
        return text if ID_OF_NO_NAME.fullmatch(text) else None
    if column in WORDS:
        return text if text in WORDS[column] else None
    return int(text)


def seen_in_object(fields: JsonObject) -> Seen:
    """What is kept of an object and what was found in it."""
    kept: dict[str, object] = {}
    found: list[Found] = []
    spelt: dict[str, str] = {}
    for name, value in fields:
        column = column_of(name)
        if column is None:
            nearest = nearest_column(name)
            code = "unknown_column" if nearest is None else "nearly"
            found.append(Found(nearest or "", code, bytes_of(name), word=name))
            continue
        if spelt.setdefault(column, name) != name:
            found.append(Found(column, "two_spellings"))
            continue
        if name != column:
            found.append(Found(column, "other_case", word=name))
        difference = unlike(column, value)
        if difference is not None:
            written = None if isinstance(value, (JsonObject, list)) else bytes_of(str(value))
            found.append(Found(column, difference, written))
        elif column in WORDS and value not in (None, "") and str(value) not in WORDS[column]:
            found.append(Found(column, "unknown_word", bytes_of(str(value)), word=str(value)))
        else:
            safe = kept_value(column, value)
            if safe is not None:
                kept[column] = safe
    present = {column_of(name) for name, value in fields if value not in (None, "")}
    found += [Found(column, "absent") for column in REQUIRED_COLUMNS if column not in present]
    ordered = {column: kept[column] for column in KEPT_COLUMNS if column in kept}
    whose = [value for name, value in fields if column_of(name) in ("userId", "sessionId")]
    return Seen(json.dumps(ordered), found, json.dumps([str(value) for value in whose]))


def seen_in_line(line: str, is_utf8: bool) -> Seen:
    """What is kept of a refused line: of one that is no JSON object only its length, and where reading it ended."""
    text = line.strip(" \t\r\n")
    size = bytes_of(line)
    if not is_utf8:
        return Seen("{}", [Found("", "not_utf8", size)], None)
    try:
        value, end = json_decoder().raw_decode(text)
    except json.JSONDecodeError as error:
        code = "line_array" if text.startswith("[") else "not_json"
        return Seen("{}", [Found("", code, size, error.pos)], None)
    except (ValueError, RecursionError):
        return Seen("{}", [Found("", "not_json", size)], None)
    if end < len(text):
        return Seen("{}", [Found("", "more_than_one", size, end)], None)
    if isinstance(value, JsonObject):
        return seen_in_object(value)
    code = "line_array" if isinstance(value, list) else "no_object"
    return Seen("{}", [Found("", code, size)], None)


def kept_lines(refused: DataFrame) -> DataFrame:
    """The rows with what is kept of each line in its place; takes "line" and "is_utf8"."""
    see = F.udf(seen_in_line, SEEN)
    seen = refused.withColumn("seen", see("line", "is_utf8")).drop("line", "is_utf8")
    # The words are counted before they are written, or not.
    seen.persist(StorageLevel.MEMORY_AND_DISK)
    words = seen.select(F.col("seen.user").alias("user"), F.explode("seen.found").alias("found"))
    counted = words.where("found.word IS NOT NULL").groupBy("found.column", "found.found", "found.word")
    spread = counted.agg(F.count("*").alias("rows"), F.countDistinct("user").alias("users"))
    shown = spread.where(f"rows >= {SHOWN_WORD_ROWS} AND users >= {SHOWN_WORD_USERS}")
    known = [F.lit("\n".join(row)) for row in shown.select("column", "found", "word").collect()]
    is_shown = functools.partial(is_among, known)

    def without_rare(found: Column) -> Column:
        word = F.when(is_shown(found), found["word"]).alias("word")
        return F.struct(*[found[field] for field in ("column", "found", "bytes", "at")], word)

    found = F.to_json(F.transform("seen.found", without_rare))
    line = F.concat(F.lit('{"kept":'), "seen.kept", F.lit(',"found":'), found, F.lit("}"))
    return seen.withColumn("line", line)


def is_among(known: list[Column], found: Column) -> Column:
    """Whether what was found is one of the words that are shown."""
    if not known:
        return F.lit(False)
    sought = F.concat_ws("\n", found["column"], found["found"], found["word"])
    return F.array_contains(F.array(*known), sought)


# --- emr-steps/fragments/quarantine.ts ---

QUARANTINE = "lake.churn.quarantined_events"
CREATE_QUARANTINE = """
CREATE TABLE IF NOT EXISTS lake.churn.quarantined_events (
  ingest_date date COMMENT 'UTC day on which the batch was first planned',
  reason string COMMENT 'why it was refused',
  source_file string COMMENT 'file the row was read from',
  line string COMMENT 'what is kept of the line: values from a list, and what was found, as JSON; empty for a forgotten user',
  batch_id string COMMENT 'batch that the row belongs to'
) USING iceberg
PARTITIONED BY (ingest_date)
COMMENT 'refused row'
TBLPROPERTIES (
  'format-version' = '2',
  'write.distribution-mode' = 'none',
  'write.metadata.delete-after-commit.enabled' = 'true'
)
"""

RETENTION_DAYS = 30
MOST_EXAMPLES = 3
MOST_FINDINGS = 60


def forget_old_refusals(spark: SparkSession, plan: Plan) -> None:
    """Deletes refused rows that have been kept for as long as they may be."""
    planned_at = datetime.datetime.fromisoformat(plan["plannedAt"])
    oldest = (planned_at - datetime.timedelta(days=RETENTION_DAYS)).date()
    held = spark.table(f"{QUARANTINE}.partitions")
    if held.where(F.col("partition.ingest_date") < F.lit(oldest)).limit(1).count() > 0:
        spark.sql(f"DELETE FROM {QUARANTINE} WHERE ingest_date < DATE '{oldest}'")  # noqa: S608


def quarantine_rows(
    spark: SparkSession,
    plan: Plan,
    files: dict[int, str],
    refused: dict[int, dict[int, int]],
    forgotten: ForgottenUsers | None,
    tolerated: Tolerated,
) -> None:
    """Replaces what the quarantine holds of this batch, reading again only the files with defective rows.

    Nothing is kept of forgotten users' lines, so their rows are written from the counts.
    """
    batch = plan["batch"]
    spark.sql(CREATE_QUARANTINE)
    if newest_snapshot(spark, QUARANTINE) is not None:
        forget_old_refusals(spark, plan)
        forget_batches(spark, QUARANTINE, [batch["batchId"], *plan["abandonedBatchIds"]])
    reasons = F.array(*[F.lit(reason) for reason in REFUSAL_REASONS])

    def keep(rows: DataFrame) -> None:
        of_batch = rows.select(
            F.lit(batch["ingestDate"]).cast("date").alias("ingest_date"),
            F.element_at(reasons, F.col("outcome")).alias("reason"),
            names_by_number(files),
            "line",
            F.lit(batch["batchId"]).alias("batch_id"),
        )
        # One file; a shuffle, for without it one task would do all that leads here as well.
        of_batch.repartition(1).writeTo(QUARANTINE).append()

    defective = {number: files[number] for number in sorted(refused) if refused[number].keys() - {FORGOTTEN}}
    readings: list[DataFrame] = []
    adapted = {number: uri for number, uri in defective.items() if number in tolerated.files}
    if adapted:
        readings.append(read_adapted_rows(spark, plan, adapted, tolerated.cut, forgotten))
    plain = {number: uri for number, uri in defective.items() if number not in adapted}
    if plain:
        readings.append(read_rows(spark, plan, plain, forgotten, keep_line=True))
    for rows in readings:
        defects = rows.where(f"outcome NOT IN (0, {FORGOTTEN})")
        keep(kept_lines(defects.select("file_number", "outcome", "line", "is_utf8")))
    counts = [(number, of_file[FORGOTTEN]) for number, of_file in refused.items() if FORGOTTEN in of_file]
    if counts:
        rows = spark.createDataFrame(counts, "file_number int, rows int")
        repeated = rows.select("file_number", F.explode(F.sequence(F.lit(1), "rows")))
        keep(repeated.select("file_number", F.lit(FORGOTTEN).alias("outcome"), F.lit("").alias("line")))


class Refusals(NamedTuple):
    """Refused rows of a batch by reason, an example of each of the most frequent reasons, and what was found."""

    reasons: dict[RefusalCode, int]
    examples: list[RefusedExample]
    findings: list[Finding]


def findings_of(refused: DataFrame) -> list[Finding]:
    """What was found in refused rows of the quarantine, each once with its rows and files, the most frequent first."""
    lines = refused.where("line <> ''").select(
        "reason", "source_file", F.from_json("line", f"found {FOUND}")["found"].alias("found")
    )
    each = lines.select("reason", "source_file", F.explode("found").alias("found"))
    counted = each.groupBy("reason", "found.column", "found.found", "found.word").agg(
        F.count("*").alias("rows"), F.countDistinct("source_file").alias("files")
    )
    frequent = counted.orderBy(F.desc("rows"), "reason", "column", "found", "word").limit(MOST_FINDINGS)
    return [
        {
            "reason": row.reason,
            "column": row["column"] or "",
            "found": row.found,
            "word": row.word,
            "rows": row["rows"],
            "files": row.files,
        }
        for row in frequent.collect()
    ]


def quarantined(spark: SparkSession, batch_id: str) -> Refusals:
    """The refused rows of the batch, as the quarantine holds them."""
    if newest_snapshot(spark, QUARANTINE) is None:
        return Refusals({}, [], [])
    of_batch = spark.table(QUARANTINE).where(F.col("batch_id") == batch_id)
    rows = (
        of_batch.groupBy("reason")
        .agg(F.count("*").alias("rows"), F.min(F.struct("source_file", "line")).alias("example"))
        .orderBy(F.desc("rows"), "reason")
        .collect()
    )
    examples: list[RefusedExample] = [
        {"reason": row.reason, "file": row.example.source_file, "line": row.example.line}
        for row in rows
        if row.reason != REFUSAL_REASONS[FORGOTTEN - 1]
    ]
    reasons = {row.reason: row["rows"] for row in rows}
    return Refusals(reasons, examples[:MOST_EXAMPLES], findings_of(of_batch) if examples else [])


# --- emr-steps/fragments/ledger.ts ---


class LedgerRow(TypedDict):
    """A row of ingest_files."""

    uri: str
    etag: str
    bytes: int
    batch_id: str
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_duplicate: int
    rows_adapted: int
    adapted: str


def adapted_rows(ledger: list[LedgerRow]) -> Adapted:
    """The rows of a batch that were adapted, and the files they came in, by adaptation."""
    by_file = [json.loads(row.get("adapted") or "{}") for row in ledger]
    held: list[AdaptedRows] = [
        {
            "adaptation": code,
            "rows": sum(of_file.get(code, 0) for of_file in by_file),
            "files": sum(code in of_file for of_file in by_file),
        }
        for code in ADAPTATIONS
    ]
    return {
        "rows": sum(row.get("rows_adapted") or 0 for row in ledger),
        "files": sum(1 for of_file in by_file if of_file),
        "by": [one for one in held if one["rows"] > 0],
    }


# --- emr-steps/fragments/findings.ts ---

FINDINGS: dict[str, str] = {
    "not_json": "no JSON",
    "not_utf8": "not in UTF-8",
    "more_than_one": "a JSON value with something behind it",
    "line_array": "a JSON array: it begins with [",
    "no_object": "a JSON value that is no object",
    "two_spellings": "there in two spellings",
    "other_case": "spelt in another case or in snake case",
    "nearly": "spelt nearly, but not quite so",
    "absent": "absent",
    "whole_fraction": "a whole number written with a fraction or an exponent",
    "quoted_number": "a number in quotes",
    "lossy": "a whole number beyond 2^53 written with a fraction or an exponent, so that digits may be lost",
    "fraction": "a number with a fraction",
    "too_large": "a whole number beyond 64 bits",
    "text": "text",
    "boolean": "true or false",
    "object": "an object",
    "array": "an array",
    "unknown_word": "a word that is not known",
    "unknown_column": "not a column of the log",
}
CHANGES: dict[str, str] = {
    "not_json": "look for truncated uploads and for other texts in the file",
    "not_utf8": "write the file in UTF-8",
    "more_than_one": "write one JSON object a line",
    "line_array": "write one JSON object a line, for instance with jq -c '.[]'",
    "no_object": "write one JSON object a line",
    "two_spellings": "write {column} once, spelt just so",
    "other_case": "write {column} just so, or run without strict",
    "nearly": "write {column} just so",
    "absent": "write {column} in every row",
    "whole_fraction": "write {column} as {expected}, or run without strict",
    "quoted_number": "write {column} as {expected}, or run without strict",
    "lossy": "write all its digits, without fraction and exponent",
    "fraction": "write {column} as {expected}",
    "too_large": "write {column} as {expected}",
    "text": "write {column} as {expected}",
    "boolean": "write {column} as {expected}",
    "object": "write {column} as {expected}",
    "array": "write {column} as {expected}",
    "unknown_word": "correct the exporter, or add the word in domain/events.ts",
    "unknown_column": "nothing, unless it should be one of ours: other columns are not read",
}
EXPECTED: dict[str, str] = {
    "": "one of our columns",
    "artist": "text",
    "auth": "text",
    "firstName": "text",
    "gender": "text",
    "itemInSession": "a whole number without quotes",
    "lastName": "text",
    "length": "a number without quotes",
    "level": "text",
    "location": "text",
    "method": "text",
    "page": "text",
    "registration": "a whole number without quotes",
    "sessionId": "a whole number without quotes",
    "song": "text",
    "status": "a whole number without quotes",
    "ts": "a whole number without quotes",
    "userAgent": "text",
    "userId": "text or a whole number",
}
UNKNOWN_COLUMN = "unknown_column"


def finding_lines(findings: list[Finding]) -> list[str]:
    """Each finding once, whatever the rows were refused for: what, how many, and what to change."""
    counts: dict[tuple[str, str], dict[str | None, tuple[int, int]]] = {}
    for one in findings:
        words = counts.setdefault((one["column"], one["found"]), {})
        rows, files = words.get(one["word"], (0, 0))
        words[one["word"]] = (rows + one["rows"], max(files, one["files"]))
    lines: list[str] = []
    for (column, found), words in counts.items():
        subject = column or ("a name" if found == UNKNOWN_COLUMN else "the line")
        listed = ", ".join(
            f"{amount(rows, 'row')} in {amount(files, 'file')}"
            if word is None and len(words) == 1
            else f"{'others' if word is None else word} ({amount(rows, 'row')} in {amount(files, 'file')})"
            for word, (rows, files) in words.items()
        )
        change = CHANGES[found].format(column=column, expected=EXPECTED[column])
        lines.append(f"{subject} is {FINDINGS[found]}: {listed}; {change}")
    return lines


def amount(number: int, thing: str) -> str:
    """So many things."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


# --- emr-steps/fragments/ledger.ts ---


def check_refused_share(spark: SparkSession, plan: Plan, refused: int, read: int) -> None:
    """Fails a run most of whose log is not as it should be, before it costs more."""
    limit = plan["ingest"]["maxQuarantineShare"]
    if refused <= limit * read:
        return
    reasons, examples, findings = quarantined(spark, plan["batch"]["batchId"])
    listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
    found = [f"- {line}" for line in finding_lines(findings)]
    shown = [f"{example['reason']} in {example['file']}: {example['line']}" for example in examples]
    details = "\n".join([*found, *shown])
    raise StepError(
        f"{refused:,} of {read:,} rows were refused, more than the {limit:.1%} allowed: {listed}\n{details}",
        "the exporter of the log has changed, or the files are not event files",
        f"correct the files, or allow a larger maxQuarantineShare; all refused rows are in {QUARANTINE}",
    )


def check_accounts(ledger: list[LedgerRow], quarantined_rows: int) -> None:
    """Every row read must be accepted, refused or a duplicate: four counts, each taken separately."""
    for file in ledger:
        parts = file["rows_accepted"] + file["rows_quarantined"] + file["rows_duplicate"]
        if file["rows_read"] != parts:
            raise StepError(
                f"{file['uri']}: {file['rows_read']:,} rows were read, but "
                f"{file['rows_accepted']:,} accepted, "
                f"{file['rows_quarantined']:,} refused and {file['rows_duplicate']:,} duplicates",
                "a stage of the job was run twice, or the file changed while it was read",
                "resume the run: nothing was published, and the batch is ingested again",
            )
    refused = sum(file["rows_quarantined"] for file in ledger)
    if refused != quarantined_rows:
        raise StepError(
            f"{refused:,} rows were refused, but the quarantine holds {quarantined_rows:,} of this batch",
            "a file changed between its two readings",
            "resume the run: nothing was published, and the batch is ingested again",
        )


# --- emr-steps/fragments/tally.ts ---


def tally(numbers: str, bins: int) -> Column:
    """Counts rows by a whole number within an observation, as JSON.

    Spark observes plain aggregates only; a histogram that has a bin for every value counts exactly. Where it joins
    equal values of several tasks, their mean can be off in the last digit: so it is given fractions, which it
    does not cut off, and is rounded when it is read.
    """
    return F.to_json(F.expr(f"HISTOGRAM_NUMERIC(DOUBLE({numbers}), {max(bins, 2)})"))


def counts_of(histogram: str | None) -> collections.Counter[int]:
    """Reads a tally; a value can be in several bins."""
    counts: collections.Counter[int] = collections.Counter()
    for bin in json.loads(histogram or "[]"):
        counts[round(bin["x"])] += round(bin["y"])
    return counts


# --- emr-steps/fragments/duplicates.ts ---

# Of a day that is larger, the users are spread over several tasks and files.
ROWS_PER_TASK = 500000

EVENT_KEY = ["event_time", "session_id", "item_in_session", "page"]
TIE_BREAKERS = [
    "is_new",
    "file_number",
    "song",
    "artist",
    "length_seconds",
    "status",
    "level",
    "auth",
]


def days_with_duplicates(
    spark: SparkSession, days: list[datetime.date], *, are_large: bool
) -> dict[datetime.date, int]:
    """Those of the days that hold an event twice on the branch, with their rows.

    Events are compared by a hash: where two different ones share it, their day is written again for nothing.
    """
    # One task reads a whole day, if that is not too large: what is counted by day then needs no shuffle.
    spark.conf.set("spark.sql.sources.v2.bucketing.enabled", "true")
    spark.conf.set("spark.sql.iceberg.planning.preserve-data-grouping", str(not are_large).lower())
    different = F.countDistinct(F.xxhash64("user_id", *EVENT_KEY))
    of_days = spark.table(STAGED_EVENTS).where(F.col("event_date").isin(days)).groupBy("event_date")
    counted = of_days.agg(F.count("*").alias("rows"), different.alias("different"))
    found = {row.event_date: row["rows"] for row in counted.where("rows > different").collect()}
    spark.conf.set("spark.sql.iceberg.planning.preserve-data-grouping", "false")
    return found


def drop_duplicates(
    spark: SparkSession, plan: Plan, days: dict[datetime.date, int], numbers: dict[str, int]
) -> collections.Counter[int]:
    """Writes such days again, each event once; returns the duplicates by file."""
    if not days:
        return collections.Counter()
    # The days may be far larger than the batch for which the run was planned.
    slices = max(plan["ingest"]["slicesPerDay"], math.ceil(max(days.values()) / ROWS_PER_TASK))
    tasks = max(plan["ingest"]["shufflePartitions"], math.ceil(sum(days.values()) / ROWS_PER_TASK))
    files = spark.createDataFrame(list(numbers.items()), "source_file string, file_number int")
    staged = spark.table(STAGED_EVENTS).where(F.col("event_date").isin(list(days)))
    numbered = staged.join(F.broadcast(files), "source_file", "left")
    rows = numbered.withColumn("is_new", F.col("batch_id") == plan["batch"]["batchId"])
    order = Window.partitionBy("user_id", "event_date", "slice").orderBy(*EVENT_KEY, *TIE_BREAKERS)
    # No event lacks its time, so the first of a user's day is not a duplicate.
    same = [F.col(column).eqNullSafe(F.lag(column).over(order)) for column in EVENT_KEY]
    marked = by_day(rows, tasks, slices).withColumn("is_repeat", functools.reduce(Column.__and__, same))
    repeats = Observation("repeats")
    by_file = tally("IF(is_repeat, file_number, NULL)", len(numbers)).alias("by_file")
    write_staged(marked.observe(repeats, by_file).where("NOT is_repeat"), plan).overwritePartitions()
    return counts_of(repeats.get["by_file"])


# --- emr-steps/fragments/batch.ts ---


def stage_accepted(
    spark: SparkSession, plan: Plan, files: dict[int, str], forgotten: ForgottenUsers | None
) -> Outcomes:
    """Reads the files once: accepted rows go to the branch, all outcomes are counted."""
    outcomes = Outcomes(collections.Counter(), {}, set())
    observation = Observation("outcomes")
    rows = read_rows(spark, plan, files, forgotten)
    by_file_and_outcome = tally(f"file_number * {OUTCOMES} + {COUNTED_AS}", len(files) * OUTCOMES)
    accepted: DataFrame = (
        rows.observe(observation, by_file_and_outcome.alias("by_file_and_outcome"))
        .where("outcome = 0")
        .selectExpr(*EVENT_COLUMNS, "file_number")
    )
    open_staging(spark, plan)
    stage_new_rows(accepted, plan, files)
    outcomes.take(counts_of(observation.get["by_file_and_outcome"]))
    return outcomes


def stage_adapted(
    spark: SparkSession,
    plan: Plan,
    files: dict[int, str],
    outcomes: Outcomes,
    forgotten: ForgottenUsers | None,
) -> Tolerated:
    """Reads files again in which adapting changes anything: what was staged of them is replaced, and counted anew."""
    tolerated = second_look(spark, plan, files, outcomes, forgotten)
    if not tolerated.files:
        return tolerated
    forget_files(spark, STAGED_EVENTS, plan["batch"]["batchId"], list(tolerated.files.values()))
    observation = Observation("adapted")
    bins = len(tolerated.files)
    by_outcome = tally(f"file_number * {OUTCOMES} + {COUNTED_AS}", bins * OUTCOMES)
    adaptations = f"IF(outcome = 0, file_number * {COUNTED} + adapted % {COUNTED}, NULL)"
    by_adaptation = tally(adaptations, bins * COUNTED)
    rows = read_adapted_rows(spark, plan, tolerated.files, tolerated.cut, forgotten)
    accepted = (
        rows.observe(observation, by_outcome.alias("by_outcome"), by_adaptation.alias("by_adaptation"))
        .where("outcome = 0")
        .selectExpr(*EVENT_COLUMNS, "file_number")
    )
    stage_new_rows(accepted, plan, files)
    for number in tolerated.files:
        outcomes.read[number] = 0
        outcomes.refused.pop(number, None)
    outcomes.take(counts_of(observation.get["by_outcome"]))
    for code, count in counts_of(observation.get["by_adaptation"]).items():
        number, bits = divmod(code, COUNTED)
        of_file = tolerated.adapted.setdefault(number, collections.Counter())
        of_file["rows"] += count if bits else 0
        of_file.update(dict.fromkeys(adaptations_of(bits), count))
    return tolerated


def stage_batch(spark: SparkSession, plan: Plan) -> tuple[list[LedgerRow], list[Row]]:
    """Brings the batch onto the branch and into the quarantine; returns the ledger's rows, and events by day and file."""
    batch = plan["batch"]
    batch_id = batch["batchId"]
    files = number_files(batch)
    numbers = {uri: number for number, uri in files.items()}
    forgotten = forgotten_users(Files(spark), plan["lakeRoot"])
    check_cut_sizes(spark, batch)
    outcomes = stage_accepted(spark, plan, files, forgotten)
    tolerated = stage_adapted(spark, plan, files, outcomes, forgotten)
    quarantine_rows(spark, plan, files, outcomes.refused, forgotten, tolerated)
    check_refused_share(spark, plan, outcomes.defects, sum(outcomes.read.values()))

    events = rows_of_batch(spark, STAGED_EVENTS, batch_id)
    are_large = plan["ingest"]["slicesPerDay"] > 1
    days = days_with_duplicates(spark, days_just_staged(spark), are_large=are_large)
    duplicates = drop_duplicates(spark, plan, days, numbers)
    if duplicates:
        events = rows_of_batch(spark, STAGED_EVENTS, batch_id)
    staged: collections.Counter[int] = collections.Counter()
    for row in events:
        staged[numbers[row.source_file]] += row["rows"]
    ledger: list[LedgerRow] = [
        {
            "uri": file["uri"],
            "etag": file["etag"],
            "bytes": file["bytes"],
            "batch_id": batch_id,
            "rows_read": outcomes.read[number],
            "rows_accepted": staged[number],
            "rows_quarantined": sum(outcomes.refused.get(number, {}).values()),
            "rows_duplicate": duplicates[number],
            "rows_adapted": adapted["rows"],
            "adapted": json.dumps({code: adapted[code] for code in ADAPTATIONS if adapted[code]}),
        }
        for file in batch["files"]
        for number in [numbers[file["uri"]]]
        for adapted in [tolerated.adapted.get(number, collections.Counter())]
    ]
    return ledger, events


# --- emr-steps/fragments/user-days.ts ---

USER_DAYS = "lake.churn.user_days"
CREATE_USER_DAYS = """
CREATE TABLE IF NOT EXISTS lake.churn.user_days (
  day date COMMENT 'UTC day',
  user_id string COMMENT 'user',
  events bigint COMMENT 'events of the user on the day',
  songs bigint COMMENT 'events on page NextSong',
  home_visits bigint COMMENT 'events on page Home',
  thumbs_up bigint COMMENT 'events on page Thumbs Up',
  thumbs_down bigint COMMENT 'events on page Thumbs Down',
  playlist_adds bigint COMMENT 'events on page Add to Playlist',
  friend_adds bigint COMMENT 'events on page Add Friend',
  adverts bigint COMMENT 'events on page Roll Advert',
  logouts bigint COMMENT 'events on page Logout',
  downgrade_visits bigint COMMENT 'events on page Downgrade',
  downgrades bigint COMMENT 'events on page Submit Downgrade',
  upgrade_visits bigint COMMENT 'events on page Upgrade',
  upgrades bigint COMMENT 'events on page Submit Upgrade',
  help_visits bigint COMMENT 'events on page Help',
  settings_visits bigint COMMENT 'events on page Settings',
  settings_saves bigint COMMENT 'events on page Save Settings',
  about_visits bigint COMMENT 'events on page About',
  errors bigint COMMENT 'events on page Error',
  cancel_visits bigint COMMENT 'events on page Cancel',
  cancellations bigint COMMENT 'events on page Cancellation Confirmation',
  paid_events bigint COMMENT 'events while the subscription was paid',
  paid_songs bigint COMMENT 'songs played while the subscription was paid',
  paid_thumbs_up bigint COMMENT 'thumbs up while the subscription was paid',
  paid_thumbs_down bigint COMMENT 'thumbs down while the subscription was paid',
  paid_adverts bigint COMMENT 'adverts while the subscription was paid',
  song_seconds double COMMENT 'sum of the lengths of the songs played',
  sessions bigint COMMENT 'sessions with an event on the day (including one that began the day before)',
  session_seconds double COMMENT 'time between first and last event of each session, within the day',
  artist_sketch binary COMMENT 'HyperLogLog sketch of the artists played (Apache DataSketches)',
  last_cancelled_at timestamp_ntz COMMENT 'last cancellation of the day; null if there was none',
  first_event_at timestamp_ntz COMMENT 'first event of the day',
  last_event_at timestamp_ntz COMMENT 'last event of the day',
  first_session_id bigint COMMENT 'session of the first event',
  first_session_started_at timestamp_ntz COMMENT 'the first session\\'s first event on the day',
  first_session_ended_at timestamp_ntz COMMENT 'the first session\\'s last event on the day',
  last_session_id bigint COMMENT 'session of the last event',
  last_session_started_at timestamp_ntz COMMENT 'the last session\\'s first event on the day',
  last_session_ended_at timestamp_ntz COMMENT 'the last session\\'s last event on the day',
  level string COMMENT 'subscription at the latest event',
  gender string COMMENT 'gender at the latest event',
  location string COMMENT 'metropolitan area and state at the latest event',
  user_agent string COMMENT 'user agent at the latest event',
  registered_at timestamp_ntz COMMENT 'registration at the latest event'
) USING iceberg
PARTITIONED BY (day)
COMMENT 'user x UTC day'
TBLPROPERTIES (
  'format-version' = '2',
  'write.distribution-mode' = 'none',
  'write.metadata.delete-after-commit.enabled' = 'true'
)
"""

SESSION_DAYS = """
SELECT
  event_date,
  user_id,
  session_id,
  COUNT(*) AS events,
  COUNT_IF(page = 'NextSong') AS songs,
  COUNT_IF(page = 'Home') AS home_visits,
  COUNT_IF(page = 'Thumbs Up') AS thumbs_up,
  COUNT_IF(page = 'Thumbs Down') AS thumbs_down,
  COUNT_IF(page = 'Add to Playlist') AS playlist_adds,
  COUNT_IF(page = 'Add Friend') AS friend_adds,
  COUNT_IF(page = 'Roll Advert') AS adverts,
  COUNT_IF(page = 'Logout') AS logouts,
  COUNT_IF(page = 'Downgrade') AS downgrade_visits,
  COUNT_IF(page = 'Submit Downgrade') AS downgrades,
  COUNT_IF(page = 'Upgrade') AS upgrade_visits,
  COUNT_IF(page = 'Submit Upgrade') AS upgrades,
  COUNT_IF(page = 'Help') AS help_visits,
  COUNT_IF(page = 'Settings') AS settings_visits,
  COUNT_IF(page = 'Save Settings') AS settings_saves,
  COUNT_IF(page = 'About') AS about_visits,
  COUNT_IF(page = 'Error') AS errors,
  COUNT_IF(page = 'Cancel') AS cancel_visits,
  COUNT_IF(page = 'Cancellation Confirmation') AS cancellations,
  COUNT_IF(level = 'paid') AS paid_events,
  COUNT_IF(level = 'paid' AND page = 'NextSong') AS paid_songs,
  COUNT_IF(level = 'paid' AND page = 'Thumbs Up') AS paid_thumbs_up,
  COUNT_IF(level = 'paid' AND page = 'Thumbs Down') AS paid_thumbs_down,
  COUNT_IF(level = 'paid' AND page = 'Roll Advert') AS paid_adverts,
  MAX(IF(page = 'Cancellation Confirmation', event_time, NULL)) AS last_cancelled_at,
  COALESCE(SUM(length_seconds), 0D) AS song_seconds,
  MIN(event_time) AS started_at,
  MAX(event_time) AS ended_at
FROM {events}
WHERE event_date IN ({days}) AND auth IN ('Logged In', 'Cancelled')
GROUP BY event_date, user_id, session_id
"""

DAY_ATTRIBUTES = """
SELECT
  event_date,
  user_id,
  HLL_SKETCH_AGG(artist, 9) AS artist_sketch,
  MAX(STRUCT(event_time, item_in_session, level, gender, location, user_agent, registered_at)) AS latest
FROM {events}
WHERE event_date IN ({days}) AND auth IN ('Logged In', 'Cancelled')
GROUP BY event_date, user_id
"""

ROLL_UP = """
SELECT
  event_date AS day,
  user_id,
  SUM(events) AS events,
  SUM(paid_events) AS paid_events,
  SUM(songs) AS songs,
  SUM(home_visits) AS home_visits,
  SUM(thumbs_up) AS thumbs_up,
  SUM(thumbs_down) AS thumbs_down,
  SUM(playlist_adds) AS playlist_adds,
  SUM(friend_adds) AS friend_adds,
  SUM(adverts) AS adverts,
  SUM(logouts) AS logouts,
  SUM(downgrade_visits) AS downgrade_visits,
  SUM(downgrades) AS downgrades,
  SUM(upgrade_visits) AS upgrade_visits,
  SUM(upgrades) AS upgrades,
  SUM(help_visits) AS help_visits,
  SUM(settings_visits) AS settings_visits,
  SUM(settings_saves) AS settings_saves,
  SUM(about_visits) AS about_visits,
  SUM(errors) AS errors,
  SUM(cancel_visits) AS cancel_visits,
  SUM(cancellations) AS cancellations,
  SUM(paid_songs) AS paid_songs,
  SUM(paid_thumbs_up) AS paid_thumbs_up,
  SUM(paid_thumbs_down) AS paid_thumbs_down,
  SUM(paid_adverts) AS paid_adverts,
  ROUND(SUM(song_seconds), 6) AS song_seconds,
  MAX(last_cancelled_at) AS last_cancelled_at,
  COUNT(*) AS sessions,
  SUM(TIMESTAMPDIFF(MILLISECOND, started_at, ended_at)) / 1000D AS session_seconds,
  MIN(STRUCT(started_at, ended_at, session_id)) AS first_session,
  MAX(STRUCT(ended_at, started_at, session_id)) AS last_session
FROM session_days
GROUP BY event_date, user_id
"""

USER_DAY_COLUMNS = [
    "day",
    "user_id",
    "events",
    "songs",
    "home_visits",
    "thumbs_up",
    "thumbs_down",
    "playlist_adds",
    "friend_adds",
    "adverts",
    "logouts",
    "downgrade_visits",
    "downgrades",
    "upgrade_visits",
    "upgrades",
    "help_visits",
    "settings_visits",
    "settings_saves",
    "about_visits",
    "errors",
    "cancel_visits",
    "cancellations",
    "paid_events",
    "paid_songs",
    "paid_thumbs_up",
    "paid_thumbs_down",
    "paid_adverts",
    "song_seconds",
    "sessions",
    "session_seconds",
    "artist_sketch",
    "last_cancelled_at",
    "first_session.started_at AS first_event_at",
    "last_session.ended_at AS last_event_at",
    "first_session.session_id AS first_session_id",
    "first_session.started_at AS first_session_started_at",
    "first_session.ended_at AS first_session_ended_at",
    "last_session.session_id AS last_session_id",
    "last_session.started_at AS last_session_started_at",
    "last_session.ended_at AS last_session_ended_at",
    "latest.level AS level",
    "latest.gender AS gender",
    "latest.location AS location",
    "latest.user_agent AS user_agent",
    "latest.registered_at AS registered_at",
]

# Types by column: a lake of an earlier version is given the columns that it lacks.
USER_DAYS_TYPES = {
    "day": "date",
    "user_id": "string",
    "events": "bigint",
    "songs": "bigint",
    "home_visits": "bigint",
    "thumbs_up": "bigint",
    "thumbs_down": "bigint",
    "playlist_adds": "bigint",
    "friend_adds": "bigint",
    "adverts": "bigint",
    "logouts": "bigint",
    "downgrade_visits": "bigint",
    "downgrades": "bigint",
    "upgrade_visits": "bigint",
    "upgrades": "bigint",
    "help_visits": "bigint",
    "settings_visits": "bigint",
    "settings_saves": "bigint",
    "about_visits": "bigint",
    "errors": "bigint",
    "cancel_visits": "bigint",
    "cancellations": "bigint",
    "paid_events": "bigint",
    "paid_songs": "bigint",
    "paid_thumbs_up": "bigint",
    "paid_thumbs_down": "bigint",
    "paid_adverts": "bigint",
    "song_seconds": "double",
    "sessions": "bigint",
    "session_seconds": "double",
    "artist_sketch": "binary",
    "last_cancelled_at": "timestamp_ntz",
    "first_event_at": "timestamp_ntz",
    "last_event_at": "timestamp_ntz",
    "first_session_id": "bigint",
    "first_session_started_at": "timestamp_ntz",
    "first_session_ended_at": "timestamp_ntz",
    "last_session_id": "bigint",
    "last_session_started_at": "timestamp_ntz",
    "last_session_ended_at": "timestamp_ntz",
    "level": "string",
    "gender": "string",
    "location": "string",
    "user_agent": "string",
    "registered_at": "timestamp_ntz",
}

# Properties of a snapshot of user_days: the snapshot of events that it was computed from, and the roll-up.
COMPUTED_FROM = "computed-from-events-snapshot"
COMPUTED_BY = "computed-by-roll-up"
ROLL_UP_HASH = "5337f6848b1b4250"


def changed_days(spark: SparkSession) -> set[datetime.date]:
    """Days of events that have changed since user_days were computed.

    Found in the lineage of snapshots, not in what this run did: so whatever an interrupted run left is found
    as well, and a second try finds the same.
    """
    events = iceberg_table(spark, EVENTS)
    since = snapshots_since(events, events.currentSnapshot(), computed_from(spark))
    if since is not None:
        return {day for snapshot in since for day in days_changed(spark, events, snapshot)}
    held = spark.table(EVENTS).select("event_date")
    known = spark.table(USER_DAYS).select("day")
    return {row.event_date for row in held.union(known).distinct().collect()}


def computed_from(spark: SparkSession) -> str | None:
    """The snapshot of events that the current user_days were computed from; none if by another roll-up."""
    current = iceberg_table(spark, USER_DAYS).currentSnapshot()
    if current is None or current.summary().get(COMPUTED_BY) != ROLL_UP_HASH:
        return None
    return current.summary().get(COMPUTED_FROM)


def add_missing_columns(spark: SparkSession) -> None:
    """Gives the table of an earlier version the columns that it lacks; all its days are then computed again."""
    known = spark.table(USER_DAYS).columns
    for name, column_type in USER_DAYS_TYPES.items():
        if name not in known:
            spark.sql(f"ALTER TABLE {USER_DAYS} ADD COLUMN {name} {column_type}")


def refresh_user_days(spark: SparkSession) -> int:
    """Recomputes the days of user_days whose events have changed; returns how many."""
    spark.sql(CREATE_USER_DAYS)
    add_missing_columns(spark)
    source = newest_snapshot(spark, EVENTS)
    if source is None:
        return 0
    days = changed_days(spark)
    if not days:
        return 0
    literals = ", ".join(f"DATE '{day}'" for day in sorted(days))
    spark.sql(SESSION_DAYS.format(events=EVENTS, days=literals)).createOrReplaceTempView("session_days")
    attributes = spark.sql(DAY_ATTRIBUTES.format(events=EVENTS, days=literals))
    (
        spark.sql(ROLL_UP)
        .join(attributes.withColumnRenamed("event_date", "day"), ["day", "user_id"])
        .selectExpr(*USER_DAY_COLUMNS)
        .repartition("day")
        .sortWithinPartitions("day", "user_id")
        .writeTo(USER_DAYS)
        .option(f"snapshot-property.{COMPUTED_FROM}", source)
        .option(f"snapshot-property.{COMPUTED_BY}", ROLL_UP_HASH)
        .overwrite(F.expr(f"day IN ({literals})"))
    )
    return len(days)


# --- emr-steps/ingest-events.ts ---

STEP: StepName = "ingest-events"


class Ingested(NamedTuple):
    """The ledger's rows, the batch's events by day and file, and its refused rows."""

    ledger: list[LedgerRow]
    events: list[Row]
    refusals: Refusals


def unreadable_file(spark: SparkSession, batch: Batch) -> str | None:
    """The first file that cannot be read to its end: Spark's own error does not name it."""
    for file in batch["files"]:
        try:
            spark.read.text(literal_path(file["uri"])).count()
        except QUERY_ERRORS:
            return file["uri"]
    return None


def ingest_batch(spark: SparkSession, plan: Plan, files: Files) -> Ingested:
    """Publishes the batch, unless the ledger says that it was ingested already."""
    batch_id, ledger_uri = plan["batch"]["batchId"], plan["outputs"]["ledger"]
    if files.exists(ledger_uri):
        ledger: list[LedgerRow] = [json.loads(line) for line in files.read_text(ledger_uri).splitlines()]
        # Since then, users may have been forgotten: what is there is counted, and may be less.
        return Ingested(ledger, rows_of_batch(spark, EVENTS, batch_id), quarantined(spark, batch_id))
    try:
        ledger, events = stage_batch(spark, plan)
    except QUERY_ERRORS as error:
        culprit = unreadable_file(spark, plan["batch"])
        if culprit is None:
            raise
        raise StepError(
            f"{culprit} cannot be read to its end",
            "the upload was cut short, the file is not the gzip its name says, or it was removed meanwhile",
            "deliver the whole file again, then start a new run; nothing of this batch was published",
        ) from error
    refusals = quarantined(spark, batch_id)
    check_accounts(ledger, sum(refusals.reasons.values()))
    spark.sql(PUBLISH).collect()
    return Ingested(ledger, events, refusals)


def run(spark: SparkSession, plan: Plan) -> IngestResult:
    """Ingests the batch, brings user_days up to date and enters the batch in the ledger."""
    # A stage without rows would otherwise be replaced by nothing, and its observation never arrive.
    spark.conf.set(
        "spark.sql.adaptive.optimizer.excludedRules",
        "org.apache.spark.sql.execution.adaptive.AQEPropagateEmptyRelation",
    )
    # Sketches are kept in a hash map; the default gives up after 128 users a task and sorts all events again.
    spark.conf.set("spark.sql.objectHashAggregate.sortBased.fallbackThreshold", "100000")
    spark.conf.set("spark.sql.shuffle.partitions", str(plan["ingest"]["shufflePartitions"]))
    files = Files(spark)
    ledger, events, (reasons, examples, findings) = ingest_batch(spark, plan, files)
    recomputed = refresh_user_days(spark)
    files.write_text(plan["outputs"]["ledger"], "".join(json.dumps(row) + "\n" for row in ledger))
    spark.sql(CLOSE_STAGING)
    expire_snapshots(spark, plan, [EVENTS, USER_DAYS], SNAPSHOT_RETENTION_DAYS)
    # What is deleted from the quarantine is deleted for good: no model was trained on it.
    expire_snapshots(spark, plan, [QUARANTINE], 1)

    days = [row.event_date for row in events]
    return {
        "counts": {
            "read": sum(row["rows_read"] for row in ledger),
            "accepted": sum(row["rows_accepted"] for row in ledger),
            "quarantined": sum(row["rows_quarantined"] for row in ledger),
            "duplicates": sum(row["rows_duplicate"] for row in ledger),
        },
        "refused": reasons,
        "examples": examples,
        "findings": findings,
        "adapted": adapted_rows(ledger),
        "filesRead": len(ledger),
        "bytesRead": sum(row["bytes"] for row in ledger),
        "held": {"events": sum(row["rows"] for row in events), "quarantined": sum(reasons.values())},
        "firstDay": str(min(days)) if days else None,
        "lastDay": str(max(days)) if days else None,
        "daysRecomputed": recomputed,
        "snapshots": {
            "events": newest_snapshot(spark, EVENTS),
            "user_days": newest_snapshot(spark, USER_DAYS),
        },
    }


if __name__ == "__main__":
    main(STEP, run)
