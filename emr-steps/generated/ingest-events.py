"""Ingests a batch of raw event files into the lake, exactly once.

Generated from emr-steps/ingest-events.ts and the files named below by `npm run generate`: change it there. Run by
spark-submit ingest-events.py --plan <uri of plan.json>
"""

import argparse
import bz2
import collections
import datetime
import functools
import gzip
import itertools
import json
import math
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal, DecimalException
from typing import Any, Literal, NamedTuple, NotRequired, Protocol, TypeAlias, TypedDict

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import RDD, SparkContext, StorageLevel
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
    unsure: NotRequired[bool]


class HeldFile(TypedDict):
    """A version of a file that the lake holds."""

    uri: str
    batchId: str


class LeftOut(TypedDict):
    """How many files were left for the next run, and the first of them."""

    count: int
    first: list[str]


class GoneFiles(TypedDict):
    """Files that the lake holds and the log no longer has."""

    count: int
    new: LeftOut


UnreadReason: TypeAlias = Literal[
    "empty",
    "marker",
    "hidden",
    "zip",
    "zstd",
    "snappy",
    "other_compression",
    "capital_compression",
    "columnar",
    "table",
    "unknown_ending",
    "no_events",
    "unnamed_compression",
]


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
    retrospective: bool


class ModelInCharge(TypedDict):
    """The model in charge."""

    runId: str
    modelUri: str
    testCutoff: str
    withheld: NotRequired[bool]


class PromotionSettings(TypedDict):
    """What the choice of a model goes by."""

    mode: Literal["automatic", "manual"]
    margin: float
    leakageAuc: float
    leakageInputAuc: float
    acceptedFeatures: list[str]
    maxQuarantineShare: float


class TrainSettings(TypedDict):
    """Whether the run trains."""

    mode: Literal["always", "when-new", "never"]
    askedBy: Literal["request", "force", "setting", "rescoring"]
    fingerprint: str


class Terms(TypedDict):
    """What a contact costs and saves."""

    customerValue: float
    offerCost: float
    contactCost: float
    acceptance: float


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
    campaign: NotRequired[str]
    trainingDecision: NotRequired[str]


StepName: TypeAlias = Literal["ingest-events", "build-features", "train-models", "score-users"]


class Batch(TypedDict):
    """The files that one run ingests together."""

    batchId: str
    ingestDate: str
    files: list[EventFile]
    replaced: NotRequired[list[HeldFile]]
    takenOut: NotRequired[list[HeldFile]]


class UnreadFiles(TypedDict):
    """Files that are not read, for one reason."""

    reason: UnreadReason
    count: int
    first: list[str]


class ScoringSettings(TypedDict):
    """Settings of score-users."""

    controlGroupShare: float
    controlGroupSalt: str
    terms: Terms
    campaignDays: int


class Listing(TypedDict):
    """What was left out of the listing and of the batch."""

    since: str | None
    left: LeftOut
    gone: NotRequired[GoneFiles]
    passedOver: NotRequired[list[UnreadFiles]]
    oneTask: NotRequired[LeftOut]


class Plan(TypedDict):
    """Everything the steps of a run need to know."""

    runId: str
    executionArn: str
    plannedAt: str
    release: str
    lakeRoot: str
    database: str
    batch: Batch
    abandonedBatchIds: list[str]
    listing: NotRequired[Listing]
    ingest: IngestSettings
    training: TrainingSettings
    champion: ModelInCharge | None
    currentTag: str | None
    observedBefore: str | None
    promotion: PromotionSettings
    train: TrainSettings
    verifies: NotRequired[str]
    rescoring: NotRequired[dict[str, str] | None]
    scoring: ScoringSettings
    expiredRuns: list[str]
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


class HadoopFileStatus(Protocol):
    """org.apache.hadoop.fs.FileStatus."""

    def getPath(self) -> Any:
        """The path of a file or folder."""


class HadoopFileSystem(Protocol):
    """org.apache.hadoop.fs.FileSystem."""

    def setVerifyChecksum(self, verify: bool) -> None:
        """Whether checksum files are looked for when files are read."""

    def setWriteChecksum(self, write: bool) -> None:
        """Whether a checksum file is written beside each file."""

    def exists(self, path: HadoopPath) -> bool:
        """Whether there is a file or folder."""

    def listStatus(self, path: HadoopPath) -> Iterable[HadoopFileStatus]:
        """What is in a folder that exists."""

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
    # Nor are any looked for: there is no valid name of one beside a file with a colon in its name. Hadoop keeps one
    # file system for all of this process, so this holds for Spark's readers, too.
    file_system.setVerifyChecksum(False)
    return file_system


def stream_text(spark: Driver, stream: JavaStream) -> str:
    """What is left to read of an open file."""
    return str(java(spark).org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))


class Beginnings:
    """Reads the first bytes of files. What of the JVM is needed is looked up once: each name is a question to it."""

    def __init__(self, spark: SparkSession, uri: str) -> None:
        """Takes one of the files: the others are in the same file system."""
        packages = java(spark)
        self._system = hadoop_file_system(spark, uri)
        self._path = packages.org.apache.hadoop.fs.Path
        self._to_bytes = packages.org.apache.commons.io.IOUtils.toByteArray
        self._bounded = packages.org.apache.commons.io.input.BoundedInputStream
        codecs = packages.org.apache.hadoop.io.compress.CompressionCodecFactory
        self._codecs = codecs(hadoop_configuration(spark))

    def read(self, uri: str, count: int) -> bytes:
        """The first bytes of a file, unpacked by its ending in any case; fewer where the file is shorter."""
        codec = self._codecs.getCodec(self._path(uri.lower()))
        opened = self._system.open(self._path(uri))
        try:
            stream = opened if codec is None else codec.createInputStream(opened)
            return bytes(self._to_bytes(self._bounded(stream, count)))
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

    def location(self) -> str:
        """Its address."""


class IcebergSnapshot(Protocol):
    """org.apache.iceberg.Snapshot."""

    def snapshotId(self) -> int:
        """Its number."""

    def parentId(self) -> int | None:
        """The number of the snapshot before it."""

    def summary(self) -> Mapping[str, str]:
        """Its properties."""

    def operation(self) -> str | None:
        """What was done: append, overwrite, delete, or replace, which changes no rows."""

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

    def location(self) -> str:
        """The folder of its files."""

    def currentSnapshot(self) -> IcebergSnapshot | None:
        """The snapshot that readers see."""

    def snapshot(self, reference: int | str) -> IcebergSnapshot | None:
        """A snapshot by its number or by its branch."""

    def snapshots(self) -> Iterable[IcebergSnapshot]:
        """All snapshots."""

    def expireSnapshots(self) -> Any:
        """Begins to remove snapshots."""

    def newDelete(self) -> Any:
        """Begins to delete files of rows."""


def iceberg_table(spark: SparkSession, table: str) -> IcebergTable:
    """The table as Iceberg itself knows it, up to date."""
    loader = java(spark).org.apache.iceberg.spark.Spark3Util
    loaded: IcebergTable = loader.loadIcebergTable(spark._jsparkSession, table)
    loaded.refresh()
    return loaded


def partition_numbers(spark: SparkSession, files: Iterable[IcebergFile]) -> list[int]:
    """The partition of each file, of a table that is partitioned by one whole number."""
    integer = java_class(spark, "java.lang.Integer")
    return [file.partition().get(0, integer) for file in files]


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

    def names(self, uri: str) -> list[str]:
        """The names of what is in a folder; none where there is no folder."""
        if not self.exists(uri):
            return []
        file_system = hadoop_file_system(self._spark, uri)
        return [str(one.getPath().getName()) for one in file_system.listStatus(hadoop_path(self._spark, uri))]

    def read_text(self, uri: str) -> str:
        """Reads the whole file."""
        stream = hadoop_file_system(self._spark, uri).open(hadoop_path(self._spark, uri))
        try:
            return stream_text(self._spark, stream)
        finally:
            stream.close()

    def write_text(self, uri: str, text: str) -> None:
        """Writes the whole text or nothing: a reader never sees half of it."""
        self.write_parts(uri, [text])

    def write_parts(self, uri: str, parts: Iterable[str]) -> None:
        """The same of a text that is not held as a whole."""
        file_system, path = hadoop_file_system(self._spark, uri), hadoop_path(self._spark, uri)
        draft = path.suffix(".draft")
        stream = file_system.create(draft, True)
        try:
            for part in parts:
                stream.write(part.encode("utf-8"))
        except Exception:
            stream.close()
            file_system.delete(draft, False)
            raise
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
THIS_USER = "this user"
CLUSTER_ROLE = "the cluster's role"
LARGER_CLUSTER = "raise the cluster's size in the configuration and resume the run"
MORE_MEMORY_HERE = (
    "give the container or the machine more memory (Java's heap is half of it, up to 2.5 GB), or read fewer files at "
    "once (--events with a folder of some of them), and resume the run"
)
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


def diagnose(error: BaseException, lost: Sequence[str], *, is_local: bool) -> tuple[str, str]:
    """The likely cause of a failure, and what to do; takes why executors were lost, where some were."""
    throwables = java_throwables(error)
    if isinstance(error, StepError):
        return error.likely_cause, error.what_to_do
    if is_out_of_memory(error, throwables):
        return (
            "the data of one task did not fit into memory",
            MORE_MEMORY_HERE if is_local else LARGER_CLUSTER,
        )
    if is_access_denied(error, throwables):
        return (
            f"{THIS_USER if is_local else CLUSTER_ROLE} may not read or write what the message names",
            "grant it, then resume the run",
        )
    if throwables and lost:
        return (
            "executors were lost: the data of one task did not fit into memory, or an instance was taken away; "
            f"the last one: {lost[-1]}",
            LARGER_CLUSTER,
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


def explain(
    step: StepName, error: BaseException, lost: Sequence[str] = (), *, is_local: bool = False
) -> StepFailure:
    """What went wrong, in words for the operator who is paged, or for the user of this machine."""
    lines = message_lines(error)
    cause, remedy = diagnose(error, lost, is_local=is_local)
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
    is_local = not runs_on_yarn(spark)
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
        failure = explain(step, error, lost_executors(spark), is_local=is_local)
        files.write_json(outputs["errors"][step], failure)
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


class RefusedLine(TypedDict):
    """A refused row of a file."""

    reason: RefusalCode
    line: str


class Finding(TypedDict):
    """What was found in refused rows."""

    reason: RefusalCode
    column: str
    found: Literal[
        "not_json",
        "single_quotes",
        "utf16",
        "not_utf8",
        "more_than_one",
        "line_array",
        "no_object",
        "two_spellings",
        "other_case",
        "nearly",
        "absent",
        "not_a_number",
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


class EventChanges(TypedDict):
    """How a batch changed the lake."""

    before: int
    takenAway: int
    returned: int
    after: int


class LakeAfter(TypedDict):
    """The lake as the step left it."""

    events: int


Adaptation: TypeAlias = Literal["whole_fraction", "quoted_number", "other_case", "cut_out"]


PassedOverReason: TypeAlias = Literal[
    "empty",
    "marker",
    "hidden",
    "zip",
    "zstd",
    "snappy",
    "other_compression",
    "capital_compression",
    "columnar",
    "table",
    "unknown_ending",
    "no_events",
    "unnamed_compression",
]


class FilesWithoutEvents(TypedDict):
    """Files that gave no event, and the first of them."""

    count: int
    first: list[str]


class Upkeep(TypedDict):
    """What was done for the tables."""

    filesCompacted: int
    filesWritten: int
    orphansRemoved: int


class IngestSnapshots(TypedDict):
    """Snapshots of the tables after the batch."""

    events: str | None
    user_days: str | None


class RefusedFile(TypedDict):
    """A file with refused rows, and why."""

    file: str
    rows: int
    reasons: dict[RefusalCode, int]
    examples: list[RefusedLine]


class AdaptedRows(TypedDict):
    """Rows that were adapted in one way."""

    adaptation: Adaptation
    rows: int
    files: int


class PassedOver(TypedDict):
    """Files that were not read, for one reason."""

    reason: PassedOverReason
    count: int
    first: list[str]


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
    refusedFiles: NotRequired[list[RefusedFile]]
    findings: NotRequired[list[Finding]]
    held: HeldRows
    changes: NotRequired[EventChanges | None]
    lake: NotRequired[LakeAfter]
    adapted: NotRequired[Adapted]
    filesRead: int
    passedOver: NotRequired[list[PassedOver]]
    withoutEvents: NotRequired[FilesWithoutEvents]
    bytesRead: int
    firstDay: str | None
    lastDay: str | None
    daysRecomputed: int
    upkeep: NotRequired[Upkeep]
    snapshots: IngestSnapshots


# --- emr-steps/fragments/table-name.ts ---

CATALOG = "lake"


def table_name(plan: Plan, table: str) -> str:
    """The name by which Spark finds a table, a branch or a metadata table of the lake."""
    return f"{CATALOG}.{plan['database']}.{table}"


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
        expiry = iceberg_table(spark, table_name(plan, table)).expireSnapshots()
        expiry.expireOlderThan(int(oldest.timestamp() * 1000)).commit()


# The operation of a snapshot that wrote the same rows into other files.
REPLACE = "replace"


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


def last_change(table: IcebergTable) -> IcebergSnapshot | None:
    """The newest snapshot that changed rows, and says what they were computed from: compaction says nothing.

    None when there is none, or when it has expired.
    """
    snapshot = table.currentSnapshot()
    while snapshot is not None and snapshot.operation() == REPLACE:
        parent = snapshot.parentId()
        snapshot = None if parent is None else table.snapshot(parent)
    return snapshot


def days_changed(spark: SparkSession, table: IcebergTable, snapshot: IcebergSnapshot) -> set[datetime.date]:
    """The days to which a snapshot added files, or from which it removed some: of rows, or of their deletions."""
    io = table.io()
    files = itertools.chain(
        snapshot.addedDataFiles(io),
        snapshot.removedDataFiles(io),
        snapshot.addedDeleteFiles(io),
        snapshot.removedDeleteFiles(io),
    )
    return set(days_of_files(spark, files))


def days_of_files(spark: SparkSession, files: Iterable[IcebergFile]) -> list[datetime.date]:
    """The day of each file."""
    first = datetime.date(1970, 1, 1)
    return [first + datetime.timedelta(days=number) for number in partition_numbers(spark, files)]


def days_changed_by_all(
    spark: SparkSession, table: IcebergTable, snapshots: list[IcebergSnapshot]
) -> set[datetime.date]:
    """The days whose files are others after the snapshots, the newest first: what one added and another removed is no change.

    Compaction changes files and no rows: its snapshots do not count.
    """
    counted = [snapshot for snapshot in snapshots if snapshot.operation() != REPLACE]
    if len(counted) == 1:
        return days_changed(spark, table, counted[0])
    io = table.io()
    added: dict[str, datetime.date] = {}
    removed: set[datetime.date] = set()
    for snapshot in reversed(counted):
        taken = [*snapshot.removedDataFiles(io), *snapshot.removedDeleteFiles(io)]
        for file, day in zip(taken, days_of_files(spark, taken), strict=True):
            if added.pop(file.location(), None) is None:
                removed.add(day)
        given = [*snapshot.addedDataFiles(io), *snapshot.addedDeleteFiles(io)]
        for file, day in zip(given, days_of_files(spark, given), strict=True):
            added[file.location()] = day
    return removed | set(added.values())


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


class Constant(str):
    """NaN or infinity, where they are looked for."""

    __slots__ = ()


def refuse_constant(name: str) -> object:
    """NaN and infinity are no JSON, though Python takes them."""
    raise ValueError(name)


def json_decoder(constant: Callable[[str], object] = refuse_constant) -> json.JSONDecoder:
    """Reads JSON as it is written; raises ValueError, or RecursionError where it is nested too deep."""
    return json.JSONDecoder(
        object_pairs_hook=JsonObject,
        parse_int=NumberText,
        parse_float=NumberText,
        parse_constant=constant,
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
        spelling, known = spelt.get(column, (name, ABSENT))
        if ABSENT not in (known, text) and (spelling, known) != (name, text):
            return PlainLine(None, OTHER_CASE, True)
        changes |= change | (OTHER_CASE if name != column else 0)
        if column in spelt and text == ABSENT:
            continue
        spelt[column] = (name, text)
        if column in PLAIN_COLUMNS:
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

# The first is Spark's own, of streams: names with a colon cannot be looked up as patterns.
READ_OPTIONS = {"__globPaths__": "false", "recursiveFileLookup": "true"}
# Strict: Spark by itself accepts single quotes, and a length of NaN, which would spoil every sum that it enters.
JSON_OPTIONS = {
    "columnNameOfCorruptRecord": UNREADABLE,
    "allowNonNumericNumbers": "false",
    "allowSingleQuotes": "false",
}


def read_lines(spark: SparkSession, uris: Iterable[str], line_end: str | None = None) -> DataFrame:
    """The lines of files, or what is between other ends. Neither their names nor their folders' are interpreted."""
    paths = list(uris)
    if paths:
        hadoop_file_system(spark, paths[0])
    return spark.read.options(**READ_OPTIONS).text(paths, lineSep=line_end)


def parse_lines(lines: DataFrame) -> DataFrame:
    """The fields of each line as "raw", and the path of its file.

    By Spark's reader of JSON, which is faster than its function: that decodes each line through a stream of its own.
    """
    fields = read_json(looked_into(lines).select(marked_line()), RAW_SCHEMA, JSON_OPTIONS)
    return fields.select(F.struct("*").alias("raw"), F.input_file_name().alias("file_path"))


def parse_lines_kept(lines: DataFrame) -> DataFrame:
    """The same, and the line: the reader does not return it."""
    return looked_into(lines).select(
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
    return looked_into(in_place).select(
        F.from_json(marked_line(), RAW_SCHEMA, JSON_OPTIONS).alias("raw"),
        "file_path",
        "line",
        "is_utf8",
        F.col("plain.changes").bitwiseOR(F.col("adapted")).alias("adapted"),
        "plain.is_ambiguous",
    )


def looked_into(lines: DataFrame) -> DataFrame:
    """The lines, each with what is within it, and whether a brace closes there or none closes at its end.

    Columns of their own, so that each is computed once. By bytes: to cut text, Spark steps over every character of it.
    """
    within = F.expr("STRING(SUBSTR(BINARY(value), 2, OCTET_LENGTH(value) - 2))")
    closes_early = F.expr("NOT ENDSWITH(value, '}') OR CONTAINS(within, '}')")
    return lines.withColumn("within", within).withColumn("closes_early", closes_early)


def marked_line() -> Column:
    """The line, marked where it is anything but one JSON object, or nested where it must not be.

    A marked line shows when it is parsed, by a ts of the wrong type. What else can be read of it still is: whose
    it was decides what may be kept. Takes lines that were looked into.
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
    elements = "SIZE(FROM_JSON(CONCAT('[', value, ']'), 'ARRAY<STRUCT<ts: STRING>>'))"
    member = """FROM_JSON(CONCAT('{"row":', value, '}'), 'row STRUCT<ts: STRING>').row"""
    return F.expr(f"IF(closes_early, COALESCE({elements}, 0) <> 1 OR {member} IS NULL, FALSE)")


def has_nested_text() -> Column:
    """Whether a column of text holds an object or an array, whose text could be anybody's.

    An object that is closed has its brace within the line; of a line in which one is not, Spark reads nothing.
    """
    may_nest = "closes_early OR CONTAINS(within, '[')"
    return F.expr(may_nest) & F.col("value").rlike(NESTED_TEXT)


def is_not_utf8() -> Column:
    """Whether the line holds bytes that are not text: decoding replaces them."""
    return F.expr("ENCODE(value, 'UTF-8') <> BINARY(value)")


# --- emr-steps/fragments/events-table.ts ---

EVENTS = "events"

# What makes two rows of a user and day the same event.
EVENT_KEY = ["event_time", "session_id", "item_in_session", "page"]
# What a row is, whatever file it came in.
ROW_HASH = """
XXHASH64(
  event_date,
  event_time,
  user_id,
  session_id,
  item_in_session,
  page,
  auth,
  level,
  method,
  status,
  artist,
  song,
  length_seconds,
  gender,
  location,
  user_agent,
  registered_at,
  IF(event_date IS NULL, 1, 0) +
  IF(event_time IS NULL, 2, 0) +
  IF(user_id IS NULL, 4, 0) +
  IF(session_id IS NULL, 8, 0) +
  IF(item_in_session IS NULL, 16, 0) +
  IF(page IS NULL, 32, 0) +
  IF(auth IS NULL, 64, 0) +
  IF(level IS NULL, 128, 0) +
  IF(method IS NULL, 256, 0) +
  IF(status IS NULL, 512, 0) +
  IF(artist IS NULL, 1024, 0) +
  IF(song IS NULL, 2048, 0) +
  IF(length_seconds IS NULL, 4096, 0) +
  IF(gender IS NULL, 8192, 0) +
  IF(location IS NULL, 16384, 0) +
  IF(user_agent IS NULL, 32768, 0) +
  IF(registered_at IS NULL, 65536, 0))
"""


def rows_of_batch(spark: SparkSession, table: str, batch_id: str) -> list[Row]:
    """The batch's events in the table or on the branch, counted again: rows by day and file."""
    of_batch = spark.table(table).where(F.col("batch_id") == batch_id)
    return of_batch.groupBy("event_date", "source_file").agg(F.count("*").alias("rows")).collect()


def content_of_batch(spark: SparkSession, table: str, batch_id: str) -> list[Row]:
    """The same, with a hash of these rows that their order does not change: the sums of the two halves of each row's."""
    of_batch = spark.table(table).where(F.col("batch_id") == batch_id)
    hashed = of_batch.select("event_date", "source_file", F.expr(ROW_HASH).alias("hash"))
    low, high = F.expr("SUM(hash & 4294967295)"), F.expr("SUM(SHIFTRIGHTUNSIGNED(hash, 32))")
    return (
        hashed.groupBy("event_date", "source_file")
        .agg(F.count("*").alias("rows"), F.concat_ws(".", F.hex(high), F.hex(low)).alias("hash"))
        .collect()
    )


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

STAGED_EVENTS = "events.branch_staging"
CREATE_EVENTS = """
CREATE TABLE IF NOT EXISTS {table} (
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
OPEN_STAGING = "ALTER TABLE {table} CREATE BRANCH staging"
PUBLISH = "CALL lake.system.fast_forward('{table}', 'main', 'staging')"
STAGING = "staging"
CLOSE_STAGING = "ALTER TABLE {table} DROP BRANCH IF EXISTS staging"

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


class Opened(NamedTuple):
    """The branch as it was opened: its number of events, and its snapshot if there is one."""

    events: int
    snapshot: str | None


def open_staging(spark: SparkSession, plan: Plan) -> Opened:
    """Opens the branch on what readers see now, without the rows of unfinished batches and of earlier tries."""
    batch_id = plan["batch"]["batchId"]
    events = table_name(plan, EVENTS)
    spark.sql(CREATE_EVENTS.format(table=events))
    snapshots = iceberg_table(spark, events).snapshots()
    tried = any(snapshot.summary().get(WRITTEN_FOR) == batch_id for snapshot in snapshots)
    unfinished = plan["abandonedBatchIds"] + ([batch_id] if tried else [])
    # A branch cannot be replaced while readers see no snapshot: a first try that published nothing has left it.
    close_staging(spark, plan)
    spark.sql(OPEN_STAGING.format(table=events))
    forget_batches(spark, table_name(plan, STAGED_EVENTS), unfinished)
    snapshot = iceberg_table(spark, events).snapshot(STAGING)
    opened = None if snapshot is None else str(snapshot.snapshotId())
    return Opened(events_in(spark, plan, snapshot), opened)


def close_staging(spark: SparkSession, plan: Plan) -> None:
    """Removes the branch, if there is one."""
    spark.sql(CLOSE_STAGING.format(table=table_name(plan, EVENTS)))


def events_in(spark: SparkSession, plan: Plan, snapshot: IcebergSnapshot | None) -> int:
    """The events in a snapshot, as Iceberg counts what it writes; counted where it only notes what was deleted."""
    if snapshot is None:
        return 0
    summary = snapshot.summary()
    if int(summary.get("total-delete-files") or 0) > 0:
        of_snapshot = spark.read.option("snapshot-id", str(snapshot.snapshotId()))
        return of_snapshot.table(table_name(plan, EVENTS)).count()
    return int(summary.get("total-records") or 0)


def is_published(spark: SparkSession, plan: Plan, batch_id: str) -> bool:
    """Whether what readers see descends from a snapshot that was written for the batch."""
    table = iceberg_table(spark, table_name(plan, EVENTS))
    snapshot = table.currentSnapshot()
    while snapshot is not None:
        if snapshot.summary().get(WRITTEN_FOR) == batch_id:
            return True
        parent = snapshot.parentId()
        snapshot = None if parent is None else table.snapshot(parent)
    return False


def publish_staged(spark: SparkSession, plan: Plan) -> None:
    """Shows readers what is on the branch, in one commit: the commit of the batch."""
    events = table_name(plan, EVENTS)
    table = iceberg_table(spark, events)
    staged, seen = table.snapshot(STAGING), table.currentSnapshot()
    # A batch that changes nothing has no snapshot of its own.
    if staged is not None and (seen is None or staged.snapshotId() != seen.snapshotId()):
        spark.sql(PUBLISH.format(table=events)).collect()


def by_day(rows: DataFrame, tasks: int, slices: int) -> DataFrame:
    """Brings the rows of a day into one task; of a large day, those of each slice of its users."""
    sliced = rows.withColumn("slice", F.expr(f"PMOD(HASH(user_id), {slices})") if slices > 1 else F.lit(0))
    return sliced.repartition(tasks, "event_date", *(["slice"] if slices > 1 else []))


def write_staged(rows: DataFrame, plan: Plan) -> DataFrameWriterV2:
    """A writer of the branch. Rows need not come day by day: a file stays open for each."""
    staged = table_name(plan, STAGED_EVENTS)
    writer = rows.select(*EVENT_NAMES).writeTo(staged).option("fanout-enabled", "true")
    return writer.option(f"snapshot-property.{WRITTEN_FOR}", plan["batch"]["batchId"])


def stage_new_rows(events: DataFrame, plan: Plan, files: dict[int, str]) -> None:
    """Appends the batch's events to the branch, duplicates included: they are rare, and looked for once all are stored."""
    sizes = plan["ingest"]
    days = by_day(events, sizes["shufflePartitions"], sizes["slicesPerDay"])
    ordered = days.sortWithinPartitions("sort_key")
    batch_id = F.lit(plan["batch"]["batchId"])
    named = ordered.withColumns({"source_file": names_by_number(files), "batch_id": batch_id})
    write_staged(named, plan).append()


def files_staged(spark: SparkSession, plan: Plan, opened: Opened) -> list[tuple[IcebergFile, datetime.date]]:
    """The files of rows, with their days, that were put on the branch since it was opened and are there still."""
    table = iceberg_table(spark, table_name(plan, EVENTS))
    io = table.io()
    staged: dict[str, IcebergFile] = {}
    for snapshot in reversed(snapshots_since(table, table.snapshot(STAGING), opened.snapshot) or []):
        for file in snapshot.removedDataFiles(io):
            staged.pop(file.location(), None)
        staged.update((file.location(), file) for file in snapshot.addedDataFiles(io))
    files = list(staged.values())
    return list(zip(files, days_of_files(spark, files), strict=True))


def unstage_days(spark: SparkSession, plan: Plan, opened: Opened, days: set[datetime.date]) -> None:
    """Takes what was put on the branch for these days off again: it would change no event."""
    unstaged = [file for file, day in files_staged(spark, plan, opened) if day in days]
    if not unstaged:
        return
    delete = iceberg_table(spark, table_name(plan, EVENTS)).newDelete()
    for file in unstaged:
        delete.deleteFile(file)
    delete.set(WRITTEN_FOR, plan["batch"]["batchId"]).toBranch(STAGING).commit()


# --- emr-steps/fragments/cut-objects.ts ---

LARGEST_CUT_BYTES = 268435456
PACKED_BYTES_FACTOR = 6
PACKED_ENDINGS = (".gz", ".bz2")
BLANKS = re.compile(r"[ \t\r\n]*")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# In a file of lines one ends within so many bytes, nearly always the first number.
FIRST_BYTES = (65_536, 16_777_216)
# Ends a piece of a file: in every object once, and never the end of a file.
PIECE_END = '"page"'
ONE_FILE_A_TASK = ("spark.sql.files.maxPartitionBytes", "spark.sql.files.openCostInBytes")
WHOLE_FILE_BYTES = str(2**40)
CUT_ROW = "file_path STRING, content BINARY, adapted INT"


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


def is_object(line: bytes) -> bool:
    """Whether a line holds one JSON value, which most probably is an object."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return line.lstrip().startswith(b"{")


def is_packed_in_capitals(uri: str) -> bool:
    """Whether a file is packed and its ending does not say so in small letters: Spark does not unpack it."""
    return uri.lower().endswith(PACKED_ENDINGS) and not uri.endswith(PACKED_ENDINGS)


def unpacked_rows(uri: str, content: bytes) -> Iterator[tuple[bytes, int]]:
    """The lines of a packed file, or its objects where it is no file of lines, each with how it was adapted."""
    unpack = gzip.decompress if uri.lower().endswith(".gz") else bz2.decompress
    text = unpack(content).removeprefix(BYTE_ORDER_MARK)
    lines = [line for line in re.split(rb"\r\n|\n|\r", text) if line.strip()]
    if all(map(is_object, lines)) or count_objects(text) < 0:
        return ((line, 0) for line in lines)
    return ((one, CUT_OUT) for one in objects_in(text))


def count_objects(content: bytes) -> int:
    """How many objects a file can be cut into; -1 where it is neither an array nor objects one after another."""
    if len(content) > LARGEST_CUT_BYTES:
        return -1
    try:
        return sum(1 for _ in objects_in(bytes(content)))
    except (ValueError, RecursionError):
        return -1


def pieces_of_files(spark: SparkSession, files: dict[int, str]) -> RDD[Row]:
    """The files in pieces, each file in one partition: Java would hold a large file several times as one row."""
    for name in ONE_FILE_A_TASK:
        spark.conf.set(name, WHOLE_FILE_BYTES)
    try:
        pieces = read_lines(spark, files.values(), PIECE_END)
        return pieces.select(
            F.input_file_name().alias("file_path"), F.expr("BINARY(value)").alias("content")
        ).rdd
    finally:
        for name in ONE_FILE_A_TASK:
            spark.conf.unset(name)


def joined_pieces(pieces: Iterable[Row]) -> Iterator[tuple[str, bytes]]:
    """The path and the bytes of each file."""
    for path, of_file in itertools.groupby(pieces, key=lambda piece: str(piece.file_path)):
        yield path, PIECE_END.encode().join(bytes(piece.content) for piece in of_file)


def files_to_cut(spark: SparkSession, plan: Plan, files: dict[int, str]) -> set[int]:
    """Those of the files that can be cut into objects; none in a strict run."""
    limit = LARGEST_CUT_BYTES
    sizes = {file["uri"]: file["bytes"] for file in plan["batch"]["files"]}
    small = {number: uri for number, uri in files.items() if unpacked_bytes(uri, sizes[uri]) <= limit}
    if not small or plan["ingest"].get("strict", False):
        return set()

    def cuttable(pieces: Iterable[Row]) -> Iterator[str]:
        return (path for path, content in joined_pieces(pieces) if count_objects(content) >= 0)

    paths = set(pieces_of_files(spark, small).mapPartitions(cuttable).collect())
    return {number for number, uri in small.items() if path_of_rows(spark, uri) in paths}


def cut_lines(spark: SparkSession, files: dict[int, str]) -> DataFrame:
    """The objects of the files, or the lines of packed ones, each as a line with how it was adapted."""

    def of_files(pieces: Iterable[Row]) -> Iterator[tuple[str, bytes, int]]:
        for path, content in joined_pieces(pieces):
            if is_packed_in_capitals(path):
                yield from ((path, *row) for row in unpacked_rows(path, content))
            else:
                yield from ((path, one, CUT_OUT) for one in objects_in(content))

    cut = spark.createDataFrame(pieces_of_files(spark, files).mapPartitions(of_files), CUT_ROW)
    return cut.withColumn("value", F.col("content").cast("string")).drop("content")


def unpacked_bytes(uri: str, size: int) -> int:
    """About how large a file is once it is unpacked."""
    return size * PACKED_BYTES_FACTOR if uri.lower().endswith(PACKED_ENDINGS) else size


def check_cut_sizes(spark: SparkSession, batch: Batch) -> None:
    """Refuses files that are no lines and too large to be cut, before their one line is read."""
    for file in batch["files"]:
        uri = file["uri"]
        if unpacked_bytes(uri, file["bytes"]) <= LARGEST_CUT_BYTES:
            continue
        beginnings = Beginnings(spark, uri)
        read = (beginnings.read(uri, size) for size in FIRST_BYTES)
        begins = (text.removeprefix(BYTE_ORDER_MARK).lstrip() for text in read)
        begin = next((text for text in begins if text.startswith(b"[") or b"\n" in text), b"")
        is_array = begin.startswith(b"[")
        is_spread = begin.partition(b"\n")[0].strip() == b"{"
        if begin and not is_array and not is_spread:
            continue
        one_line = "objects spread over several lines" if is_spread else "a single line"
        kind = "a JSON array: its first line begins with [" if is_array else one_line
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


def is_forgotten(forgotten: ForgottenUsers | None, user: str = "raw.userId") -> Column:
    """Whether the row's user is on the list."""
    if forgotten is None:
        return F.lit(False)
    return F.sha2(F.concat(F.lit(forgotten["salt"]), user), 256).isin(forgotten["hashes"])


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
COUNTED_AS = """
IF(
  outcome = 0 AND (raw.sessionId IS NULL OR raw.itemInSession IS NULL
  OR raw.method IS NULL OR raw.status IS NULL OR raw.level IS NULL
  OR raw.auth IN ('Logged In', 'Cancelled')
  AND (raw.registration IS NULL OR raw.gender IS NULL OR raw.location IS NULL OR raw.userAgent IS NULL)
  OR raw.page = 'NextSong' AND (raw.artist IS NULL OR raw.song IS NULL OR raw.length IS NULL)),
  14, outcome
)
"""
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
SORT_KEY = """
SHIFTLEFT(raw.ts DIV 86400000, 56) |
SHIFTLEFT(HASH(raw.userId) & 524287L, 37) |
SHIFTLEFT(raw.ts % 86400000, 10) |
COALESCE(raw.itemInSession, 0L) & 1023L AS sort_key
"""


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
    # The pattern settles the few lines that do not begin as an object does.
    return read_lines(spark, files.values()).where("STARTSWITH(value, '{') OR value RLIKE '\\\\S'")


def read_adapted_rows(
    spark: SparkSession, plan: Plan, files: dict[int, str], cut: set[int], forgotten: ForgottenUsers | None
) -> DataFrame:
    """The rows of files that are read tolerantly, some of them cut into their objects first, with what was adapted.

    In a strict run a row that would have to be adapted is refused.
    """
    whole = {number: uri for number, uri in files.items() if number in cut or is_packed_in_capitals(uri)}
    by_line = {number: uri for number, uri in files.items() if number not in whole}
    lines: list[DataFrame] = []
    if by_line:
        read = text_lines(spark, by_line).select(F.input_file_name().alias("file_path"), "value")
        lines.append(read.withColumn("adapted", F.lit(0)))
    if whole:
        lines.append(cut_lines(spark, whole))
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

# An accepted row that lacks a value may have it under one of these names: not quite ours.
OTHER_SPELLING = f'"(?!(?:{"|".join(SPELLINGS)})")(?i:{"|".join(SPELLINGS.values())})"'


class Outcomes(NamedTuple):
    """Rows read, by file, rows refused, by file and outcome, and the files with rows that lack what every row has."""

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
    def defective(self) -> set[int]:
        """The files with rows that were refused for a defect of theirs."""
        return {number for number, of_file in self.refused.items() if of_file.keys() - {FORGOTTEN}}

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
    cut: set[int],
    other_spelling: set[int],
    forgotten: ForgottenUsers | None,
) -> Tolerated:
    """Which of the files are to be read tolerantly: always those that are to be cut, or that Spark does not unpack."""
    packed = {number for number, uri in files.items() if is_packed_in_capitals(uri)}
    defective = {number: files[number] for number in sorted(outcomes.defective)}
    malformed = {
        number: uri for number, uri in defective.items() if MALFORMED in outcomes.refused.get(number, {})
    }
    cut = cut | files_to_cut(spark, plan, malformed)
    changing: set[int] = set()
    changes = F.udf(changes_of, "INT")
    by_line = {number: uri for number, uri in defective.items() if number not in cut}
    if by_line:
        rows = read_rows(spark, plan, by_line, forgotten, keep_line=True).where("is_utf8")
        worth = F.expr(f"outcome NOT IN (0, {FORGOTTEN})") | F.col("line").rlike(OTHER_SPELLING)
        changed = rows.where(worth).where(changes("line") > 0).select("file_number").distinct()
        changing = {row.file_number for row in changed.collect()}
    incomplete = {number: files[number] for number in sorted(outcomes.incomplete - defective.keys())}
    if incomplete:
        lines = text_lines(spark, incomplete).withColumn("file_path", F.input_file_name())
        changed = lines.where(F.col("value").rlike(OTHER_SPELLING)).where(changes("value") > 0)
        paths = {row.file_path for row in changed.select("file_path").distinct().collect()}
        changing |= {number for number, uri in incomplete.items() if path_of_rows(spark, uri) in paths}
    tolerant = cut | changing | other_spelling | packed
    return Tolerated({number: files[number] for number in sorted(tolerant)}, cut, {})


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
    if isinstance(value, Constant):
        return "not_a_number"
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
    spelt: dict[str, tuple[str, object]] = {}
    for name, value in fields:
        column = column_of(name)
        if column is None:
            nearest = nearest_column(name)
            code = "unknown_column" if nearest is None else "nearly"
            found.append(Found(nearest or "", code, bytes_of(name), word=name))
            continue
        if column in spelt:
            if spelt[column] != (name, value):
                found.append(Found(column, "two_spellings"))
            continue
        spelt[column] = (name, value)
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
    # A user has many sessions: they tell users apart only where there is no other sign of them.
    signs = {column_of(name): str(value) for name, value in fields if value not in (None, "")}
    return Seen(json.dumps(ordered), found, signs.get("userId", signs.get("sessionId")))


def seen_in_line(line: str, is_utf8: bool) -> Seen:
    """What is kept of a refused line: of one that is no JSON object only its length, and where reading it ended."""
    text = line.strip(" \t\r\n")
    size = bytes_of(line)
    if "\0" in text:
        return Seen("{}", [Found("", "utf16", size)], None)
    if not is_utf8:
        return Seen("{}", [Found("", "not_utf8", size)], None)
    try:
        value, end = json_decoder(Constant).raw_decode(text)
    except json.JSONDecodeError as error:
        code = "line_array" if text.startswith("[") else "not_json"
        code = "single_quotes" if text.startswith("{'") else code
        return Seen("{}", [Found("", code, size, error.pos)], None)
    except (ValueError, RecursionError):
        return Seen("{}", [Found("", "not_json", size)], None)
    if end < len(text):
        return Seen("{}", [Found("", "more_than_one", size, end)], None)
    if isinstance(value, JsonObject):
        seen = seen_in_object(value)
        is_json = not any(one.found == "not_a_number" for one in seen.found)
        # Nothing is kept of a line that is no JSON.
        return seen if is_json else Seen("{}", seen.found, seen.user)
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

QUARANTINE = "quarantined_events"
CREATE_QUARANTINE = """
CREATE TABLE IF NOT EXISTS {table} (
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
MOST_REFUSED_FILES = 12


def forget_old_refusals(spark: SparkSession, plan: Plan) -> None:
    """Deletes refused rows that have been kept for as long as they may be."""
    planned_at = datetime.datetime.fromisoformat(plan["plannedAt"])
    oldest = (planned_at - datetime.timedelta(days=RETENTION_DAYS)).date()
    quarantine = table_name(plan, QUARANTINE)
    held = spark.table(f"{quarantine}.partitions")
    if held.where(F.col("partition.ingest_date") < F.lit(oldest)).limit(1).count() > 0:
        spark.sql(f"DELETE FROM {quarantine} WHERE ingest_date < DATE '{oldest}'")  # noqa: S608


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
    quarantine = table_name(plan, QUARANTINE)
    spark.sql(CREATE_QUARANTINE.format(table=quarantine))
    if newest_snapshot(spark, quarantine) is not None:
        forget_old_refusals(spark, plan)
        forget_batches(spark, quarantine, [batch["batchId"], *plan["abandonedBatchIds"]])
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
        of_batch.repartition(1).writeTo(quarantine).append()

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


def forget_former_refusals(spark: SparkSession, plan: Plan, batch_id: str, uris: list[str]) -> None:
    """Deletes the refused rows of former versions of these files."""
    quarantine = table_name(plan, QUARANTINE)
    if not uris or newest_snapshot(spark, quarantine) is None:
        return
    spark.createDataFrame([(uri,) for uri in uris], "uri string").createOrReplaceTempView("formerly_refused")
    of_file = "source_file IN (SELECT uri FROM formerly_refused)"
    spark.sql(f"DELETE FROM {quarantine} WHERE batch_id <> '{batch_id}' AND {of_file}")  # noqa: S608


class Refusals(NamedTuple):
    """Refused rows of a batch by reason, an example of each of the most frequent ones, the files, and what was found."""

    reasons: dict[RefusalCode, int]
    examples: list[RefusedExample]
    files: list[RefusedFile]
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


def files_refused_most(by_file: DataFrame) -> list[RefusedFile]:
    """The files with the most refused rows, each with its rows and an example by reason; takes "line"."""
    reasons = F.sort_array(F.collect_list(F.struct(F.expr("-rows").alias("order"), "reason", "line")))
    files = by_file.groupBy("source_file").agg(F.sum("rows").alias("rows"), reasons.alias("reasons"))
    most = files.orderBy(F.desc("rows"), "source_file").limit(MOST_REFUSED_FILES).collect()
    return [
        {
            "file": row.source_file,
            "rows": row["rows"],
            "reasons": {one.reason: -one.order for one in row.reasons},
            "examples": [{"reason": one.reason, "line": one.line} for one in row.reasons if one.line],
        }
        for row in most
    ]


def quarantined(spark: SparkSession, plan: Plan) -> Refusals:
    """The refused rows of the batch, as the quarantine holds them."""
    quarantine = table_name(plan, QUARANTINE)
    if newest_snapshot(spark, quarantine) is None:
        return Refusals({}, [], [], [])
    of_batch = spark.table(quarantine).where(F.col("batch_id") == plan["batch"]["batchId"])
    # Both what follows is made of it: the quarantine is read once.
    by_file = (
        of_batch.groupBy("source_file", "reason")
        .agg(F.count("*").alias("rows"), F.min("line").alias("line"))
        .persist(StorageLevel.MEMORY_AND_DISK)
    )
    rows = (
        by_file.groupBy("reason")
        .agg(F.sum("rows").alias("rows"), F.min(F.struct("source_file", "line")).alias("example"))
        .orderBy(F.desc("rows"), "reason")
        .collect()
    )
    examples: list[RefusedExample] = [
        {"reason": row.reason, "file": row.example.source_file, "line": row.example.line}
        for row in rows
        if row.reason != REFUSAL_REASONS[FORGOTTEN - 1]
    ]
    reasons = {row.reason: row["rows"] for row in rows}
    files = files_refused_most(by_file) if reasons else []
    by_file.unpersist()
    return Refusals(reasons, examples[:MOST_EXAMPLES], files, findings_of(of_batch) if examples else [])


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
    passed_over: str
    rows_taken_away: NotRequired[int | None]
    first_day: NotRequired[str | None]
    last_day: NotRequired[str | None]
    days: NotRequired[str | None]
    taken_out: NotRequired[bool | None]


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
    "single_quotes": "written with single quotes, as Python shows a dict",
    "utf16": "written with bytes of zero, as in UTF-16",
    "not_utf8": "not in UTF-8",
    "more_than_one": "a JSON value with something behind it",
    "line_array": "a JSON array: it begins with [",
    "no_object": "a JSON value that is no object",
    "two_spellings": "there in two spellings, or twice with different values",
    "other_case": "spelt in another case or in snake case",
    "nearly": "spelt nearly, but not quite so",
    "absent": "absent",
    "not_a_number": "NaN or infinity, which is no JSON",
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
    "single_quotes": "write it with json.dumps, or any other writer of JSON",
    "utf16": "convert the file to UTF-8, for instance with iconv -f UTF-16 -t UTF-8",
    "not_utf8": "write the file in UTF-8",
    "more_than_one": "write one JSON object a line",
    "line_array": "write one JSON object a line, for instance with jq -c '.[]'",
    "no_object": "write one JSON object a line",
    "two_spellings": "write {column} once, spelt just so",
    "other_case": "write {column} just so, or run without strict",
    "nearly": "write {column} just so",
    "absent": "write {column} in every row",
    "not_a_number": "write null, or leave {column} out",
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
    "registration": "milliseconds since 1970, without quotes",
    "sessionId": "a whole number without quotes",
    "song": "text",
    "status": "a whole number without quotes",
    "ts": "milliseconds since 1970, without quotes",
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
    reasons, examples, _, findings = quarantined(spark, plan)
    listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
    found = [f"- {line}" for line in finding_lines(findings)]
    shown = [f"{example['reason']} in {example['file']}: {example['line']}" for example in examples]
    details = "\n".join([*found, *shown])
    raise StepError(
        f"{refused:,} of {read:,} rows were refused, more than the {limit:.1%} allowed: {listed}\n{details}",
        "the exporter of the log has changed, or the files are not event files",
        f"correct the files, or allow a larger maxQuarantineShare; all refused rows are in the table {QUARANTINE}",
    )


def taken_out_row(uri: str, batch_id: str, taken_away: int) -> LedgerRow:
    """The ledger's row of a file that was taken out of the lake."""
    return {
        "uri": uri,
        "etag": "",
        "bytes": 0,
        "batch_id": batch_id,
        "rows_read": 0,
        "rows_accepted": 0,
        "rows_quarantined": 0,
        "rows_duplicate": 0,
        "rows_adapted": 0,
        "adapted": "{}",
        "passed_over": "",
        "rows_taken_away": taken_away,
        "first_day": None,
        "last_day": None,
        "days": None,
        "taken_out": True,
    }


def check_changes(ledger: list[LedgerRow], changes: EventChanges) -> None:
    """The events after the batch must be those before it, without those taken away, with those accepted and returned."""
    accepted = sum(file["rows_accepted"] for file in ledger)
    expected = changes["before"] - changes["takenAway"] + accepted + changes["returned"]
    if changes["after"] != expected:
        raise StepError(
            f"{changes['after']:,} events would be in the lake, but {changes['before']:,} before - "
            f"{changes['takenAway']:,} taken away + {accepted:,} accepted + {changes['returned']:,} returned "
            f"are {expected:,}",
            "a stage of the job was run twice, or the tables were changed by another program meanwhile",
            "resume the run: nothing was published, and the batch is ingested again",
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


# --- emr-steps/fragments/versions.ts ---

LEDGER = "tables/ingest_files/{}.json"


# By UTC day: the number of events in a file, copies included, and a hash of them.
Content: TypeAlias = dict[datetime.date, tuple[int, str]]


def ledger_uri(plan: Plan, batch_id: str) -> str:
    """Where the ledger's rows of a batch are."""
    return f"{plan['lakeRoot']}/{LEDGER.format(batch_id)}"


def read_ledger(files: Files, plan: Plan, batch_id: str) -> list[LedgerRow]:
    """The ledger's rows of a batch."""
    return [json.loads(line) for line in files.read_text(ledger_uri(plan, batch_id)).splitlines()]


def contents(rows: Iterable[Row]) -> dict[str, Content]:
    """What each file holds, by its name."""
    found: dict[str, Content] = {}
    for row in rows:
        found.setdefault(row.source_file, {})[row.event_date] = (row["rows"], row["hash"])
    return found


def content_text(content: Content) -> str:
    """The content of a file as the ledger keeps it."""
    return json.dumps({str(day): content[day] for day in sorted(content)})


def content_of(row: LedgerRow) -> Content | None:
    """The content of a file in the ledger; None where it was ingested by a release that did not keep it."""
    text = row.get("days")
    if text is None:
        return None
    return {datetime.date.fromisoformat(day): (rows, hash) for day, (rows, hash) in json.loads(text).items()}


def former_versions(files: Files, plan: Plan, finished: list[str]) -> dict[str, LedgerRow]:
    """The ledger's rows of the versions that leave: those of files that were replaced or are taken out.

    The plan does not know of batches that were finished only now: their versions of the batch's files leave, too.
    """
    batch = plan["batch"]
    named = [*batch.get("replaced", []), *batch.get("takenOut", [])]
    uris_by_batch: dict[str, set[str]] = {}
    for file in named:
        uris_by_batch.setdefault(file["batchId"], set()).add(file["uri"])
    own = {file["uri"] for file in batch["files"]}
    former: dict[str, LedgerRow] = {}
    for batch_id, uris in [*uris_by_batch.items(), *((batch_id, own) for batch_id in finished)]:
        former.update({row["uri"]: row for row in read_ledger(files, plan, batch_id) if row["uri"] in uris})
    return former


# --- emr-steps/fragments/lake-format.ts ---

FORMAT = "lake.json"
LAKE_FORMAT = 2


def declare_format(files: Files, plan: Plan) -> None:
    """Notes which format the lake has from now on; PlanRun has refused those that are newer."""
    uri = f"{plan['lakeRoot']}/{FORMAT}"
    if not files.exists(uri) or files.read_json(uri)["format"] < LAKE_FORMAT:
        files.write_json(uri, {"format": LAKE_FORMAT, "release": plan["release"]})


# --- emr-steps/fragments/first-lines.ts ---

FIRST_BYTES_OF_UNSURE = 65_536
# Enough for the first songs of a file.
FIRST_BYTES_OF_OTHERS = 8_192
# Files of one exporter are alike: of more than so many, evenly spread ones are opened.
MOST_LOOKED_INTO = 1_000
FILES_AT_ONCE = 16
# How files that hold no lines begin, as hexadecimal digits.
BEGINNINGS: dict[str, PassedOverReason] = {
    "50415231": "columnar",
    "1f8b": "unnamed_compression",
    "425a68": "unnamed_compression",
    "504b0304": "zip",
    "28b52ffd": "zstd",
    "ff060000734e61507059": "snappy",
    "fd377a585a00": "other_compression",
    "4f5243": "columnar",
    "4f626a01": "columnar",
}
NO_EVENTS: PassedOverReason = "no_events"
COLUMNS_OF_EVERY_ROW = ["auth", "page", "ts"]
PASSED_OVER_WORDS: dict[str, list[str]] = {
    "no_events": ["no event files by their first lines", ""],
    "unnamed_compression": [
        "compressed, and their names do not say so",
        "rename them: .gz for gzip, .bz2 for bzip2",
    ],
    "zip": [
        "zip archives",
        "unpack them, and deliver what is in them as .json or .json.gz",
    ],
    "zstd": [
        "compressed with zstd",
        "decompress them (zstd -d), or compress them with gzip",
    ],
    "snappy": [
        "compressed with snappy",
        "decompress them, or compress them with gzip",
    ],
    "other_compression": [
        "archives, or compressed otherwise than with gzip or bzip2",
        "decompress them, or compress them with gzip",
    ],
    "columnar": ["Parquet, ORC or Avro", "export the log as JSON lines"],
}
FILES_NAMED = 10


class FirstLook(NamedTuple):
    """What the first lines of files show: which are no event files, which are worth a second look, which are no lines."""

    passed_over: dict[str, PassedOverReason]
    other_spelling: set[str]
    no_lines: set[str]


def known_beginning(beginnings: Beginnings, file: EventFile) -> bytes:
    """The beginning of a file, unpacked; empty where it cannot be read, which reading it as every other file names."""
    try:
        is_unsure = file.get("unsure", False)
        return beginnings.read(file["uri"], FIRST_BYTES_OF_UNSURE if is_unsure else FIRST_BYTES_OF_OTHERS)
    except QUERY_ERRORS:
        return b""


def is_spelt_otherwise(begin: bytes) -> bool:
    """Whether a line has a column in another spelling, or twice. The last line may be cut off."""
    whole = begin.rpartition(b"\n")[0] if len(begin) == FIRST_BYTES_OF_OTHERS else begin
    lines = whole.decode("utf-8", "replace").split("\n")
    plain = (plain_line(line) for line in lines)
    return any(line.is_ambiguous or line.changes & OTHER_CASE for line in plain)


def known_format(begin: bytes) -> PassedOverReason | None:
    """Which format, other than lines of text, a file has that begins like this."""
    for digits, reason in BEGINNINGS.items():
        if begin.startswith(bytes.fromhex(digits)):
            return reason
    return None


def reason_to_pass_over(begin: bytes) -> PassedOverReason | None:
    """Why a file that begins like this, and whose name says nothing, is no event file."""
    known = known_format(begin)
    if known is not None:
        return known
    text = begin.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    is_json = text.startswith(("{", "["))
    has_columns = all(re.search(rf'"{name}"\s*:', text, re.IGNORECASE) for name in COLUMNS_OF_EVERY_ROW)
    return None if is_json and has_columns else NO_EVENTS


def first_look(spark: SparkSession, batch: Batch) -> FirstLook:
    """Opens all files of the batch that may hold no events, and of the others as many as take no time."""
    look = FirstLook({}, set(), set())
    files = [file for file in batch["files"] if file.get("unsure")]
    others = [file for file in batch["files"] if not file.get("unsure")]
    files += others[:: math.ceil(len(others) / MOST_LOOKED_INTO) or 1]
    if not files:
        return look
    beginnings = Beginnings(spark, files[0]["uri"])
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        begins = list(pool.map(lambda file: known_beginning(beginnings, file), files))
    for file, begin in zip(files, begins, strict=True):
        reason = reason_to_pass_over(begin) if file.get("unsure") else known_format(begin)
        if reason is not None:
            look.passed_over[file["uri"]] = reason
            continue
        if begin.lstrip().startswith(b"[") or (b"\n" not in begin and len(begin) >= FIRST_BYTES_OF_OTHERS):
            look.no_lines.add(file["uri"])
        elif is_spelt_otherwise(begin):
            look.other_spelling.add(file["uri"])
    return look


def check_any_events(passed_over: dict[str, PassedOverReason], batch: Batch, held: int) -> None:
    """Refuses a log of which nothing is read, where the lake has nothing of an earlier one."""
    if held > 0 or not passed_over or len(passed_over) < len(batch["files"]):
        return
    counted = collections.Counter(passed_over.values())
    found = [f"{count:,} {PASSED_OVER_WORDS[reason][0]}" for reason, count in counted.items()]
    remedies = [PASSED_OVER_WORDS[reason][1] for reason in counted if PASSED_OVER_WORDS[reason][1]]
    raise StepError(
        f"none of the {len(passed_over):,} files holds events that can be read: {', '.join(found)}; "
        f"the first is {min(passed_over)}",
        "the files are not what their names say, or this is not the event log",
        "; ".join(remedies) or "name the right place of the event log",
    )


def passed_over_by_reason(files: list[LedgerRow]) -> list[PassedOver]:
    """The files that were not read, counted and the first of them named, for each reason."""
    named: dict[str, list[str]] = collections.defaultdict(list)
    for file in files:
        reason = file.get("passed_over", "")
        if reason:
            named[reason].append(file["uri"])
    known: list[PassedOverReason] = [NO_EVENTS, *dict.fromkeys(BEGINNINGS.values())]
    return [
        {"reason": reason, "count": len(named[reason]), "first": named[reason][:FILES_NAMED]}
        for reason in known
        if reason in named
    ]


def files_without_events(files: list[LedgerRow]) -> FilesWithoutEvents:
    """Files that were read and gave no event: none was accepted, and none repeats an event."""
    uris = [
        file["uri"]
        for file in files
        if not file.get("passed_over") and file["rows_accepted"] + file["rows_duplicate"] == 0
    ]
    return {"count": len(uris), "first": uris[:FILES_NAMED]}


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


# --- emr-steps/fragments/repeated-events.ts ---

REPEATED = "repeated_events"
STAGED_REPEATED = "repeated_events.branch_staging"
CREATE_REPEATED = """
CREATE TABLE IF NOT EXISTS {table} (
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
COMMENT 'event x file that repeats it: the copies that `events` does not hold, which return when it loses the event'
TBLPROPERTIES (
  'format-version' = '2',
  'write.distribution-mode' = 'none',
  'write.metadata.delete-after-commit.enabled' = 'true'
)
"""


def holds_copies(spark: SparkSession, plan: Plan) -> bool:
    """Whether there ever were copies: most lakes have none. Creates the table."""
    repeated = table_name(plan, REPEATED)
    spark.sql(CREATE_REPEATED.format(table=repeated))
    return newest_snapshot(spark, repeated) is not None


def replace_copies(spark: SparkSession, plan: Plan, copies: DataFrame, days: set[datetime.date]) -> None:
    """Stages the copies of these days, one for each event and file: the first by its values.

    They come with their places among the rows of their event, and whatever was there before is replaced.
    """
    repeated = table_name(plan, REPEATED)
    spark.sql(CLOSE_STAGING.format(table=repeated))
    spark.sql(OPEN_STAGING.format(table=repeated))
    key = Window.partitionBy("user_id", "event_date", "slice", *EVENT_KEY, "source_file").orderBy("place")
    first = copies.withColumn("place_in_file", F.row_number().over(key)).where("place_in_file = 1")
    (
        first.select(*EVENT_NAMES)
        .writeTo(table_name(plan, STAGED_REPEATED))
        .option("fanout-enabled", "true")
        .option(f"snapshot-property.{WRITTEN_FOR}", plan["batch"]["batchId"])
        .overwrite(F.col("event_date").isin(sorted(days)))
    )


def publish_copies(spark: SparkSession, plan: Plan, batch_id: str) -> None:
    """Publishes the copies that were staged for a batch whose events are published; closes the branch."""
    repeated = table_name(plan, REPEATED)
    table = iceberg_table(spark, repeated)
    staged, seen = table.snapshot(STAGING), table.currentSnapshot()
    if staged is not None and staged.summary().get(WRITTEN_FOR) == batch_id:
        if seen is None or seen.snapshotId() != staged.snapshotId():
            spark.sql(PUBLISH.format(table=repeated)).collect()
        spark.sql(CLOSE_STAGING.format(table=repeated))


# --- emr-steps/fragments/duplicates.ts ---

# Of a day that is larger, the users are spread over several tasks and files.
ROWS_PER_TASK = 500000

PRECEDENCE = [
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
    "origin",
    "file_number",
    "source_file",
    "batch_id",
]
# Whether a row was an event of another batch before, a copy of one, or came in this batch.
HELD = 0
COPY = 1
NEW = 2
ORIGIN = f"IF(batch_id = '{{}}', {NEW}, {HELD})"


def days_with_duplicates(
    spark: SparkSession, table: str, days: set[datetime.date], *, are_large: bool
) -> dict[datetime.date, int]:
    """Those of the days that hold an event twice in the table or on the branch, with their rows.

    Events are compared by a hash: where two different ones share it, their day is resolved for nothing.
    """
    if not days:
        return {}
    # One task reads a whole day, if that is not too large: what is counted by day then needs no shuffle.
    spark.conf.set("spark.sql.sources.v2.bucketing.enabled", "true")
    spark.conf.set("spark.sql.iceberg.planning.preserve-data-grouping", str(not are_large).lower())
    different = F.countDistinct(F.xxhash64("user_id", *EVENT_KEY))
    of_days = spark.table(table).where(F.col("event_date").isin(sorted(days))).groupBy("event_date")
    counted = of_days.agg(F.count("*").alias("rows"), different.alias("different"))
    found = {row.event_date: row["rows"] for row in counted.where("rows > different").collect()}
    spark.conf.set("spark.sql.iceberg.planning.preserve-data-grouping", "false")
    return found


def rows_of_days(spark: SparkSession, table: str, days: set[datetime.date]) -> dict[datetime.date, int]:
    """The days with their rows in the table or on the branch; also those without any."""
    staged = spark.table(table).where(F.col("event_date").isin(sorted(days)))
    counted = staged.groupBy("event_date").agg(F.count("*").alias("rows")).collect() if days else []
    return dict.fromkeys(days, 0) | {row.event_date: row["rows"] for row in counted}


class Leaving(NamedTuple):
    """The files of a batch and those taken out by number, and the days on which one is as its former version was."""

    numbers: dict[str, int]
    same: set[tuple[int, datetime.date]]


class Resolved(NamedTuple):
    """What became of the rows of the days that were resolved, by file where a file is named."""

    # Rows of the batch that are copies.
    duplicates: collections.Counter[int]
    # Rows of former versions that were events.
    taken: collections.Counter[int]
    # Rows of former versions that still are: on these days, the file is the same.
    kept: collections.Counter[int]
    # Events of other files in whose place came a copy that is in the batch.
    displaced: int
    # Copies of other files that became events.
    returned: int


def marked_rows(
    spark: SparkSession,
    plan: Plan,
    days: dict[datetime.date, int],
    leaving: Leaving,
    forgotten: ForgottenUsers | None,
    before: Observation | None = None,
) -> DataFrame:
    """All rows of the days without those that leave, each with its place among the rows of its event."""
    # The days may be far larger than the batch for which the run was planned.
    slices = max(plan["ingest"]["slicesPerDay"], math.ceil(max(days.values()) / ROWS_PER_TASK))
    tasks = max(plan["ingest"]["shufflePartitions"], math.ceil(sum(days.values()) / ROWS_PER_TASK))
    of_days = F.col("event_date").isin(sorted(days))
    rows = spark.table(table_name(plan, STAGED_EVENTS)).where(of_days)
    rows = rows.withColumn("origin", F.expr(ORIGIN.format(plan["batch"]["batchId"])))
    if holds_copies(spark, plan):
        copies = spark.table(table_name(plan, REPEATED)).where(of_days)
        copies = copies.where(~is_forgotten(forgotten, "user_id"))
        rows = rows.unionByName(copies.withColumn("origin", F.lit(COPY)))
    files = spark.createDataFrame(list(leaving.numbers.items()), "source_file string, file_number int")
    rows = rows.join(F.broadcast(files), "source_file", "left")
    if leaving.same:
        same = spark.createDataFrame(sorted(leaving.same), "file_number int, event_date date")
        same = same.withColumn("is_same", F.lit(True))
        rows = rows.join(F.broadcast(same), ["file_number", "event_date"], "left")
        rows = rows.withColumn("is_same", F.coalesce("is_same", F.lit(False)))
    else:
        rows = rows.withColumn("is_same", F.lit(False))
    if before is not None:
        taken = f"origin = {HELD} AND file_number IS NOT NULL"
        rows = rows.observe(
            before,
            tally(f"IF({taken}, file_number, NULL)", len(leaving.numbers)).alias("taken"),
            tally(f"IF({taken} AND NOT is_same, UNIX_DATE(event_date), NULL)", len(days)).alias("days"),
        )
    # Where the file is the same, the former rows stay instead of the new ones.
    stays = rows.where(f"file_number IS NULL OR is_same <> (origin = {NEW})")
    key = Window.partitionBy("user_id", "event_date", "slice", *EVENT_KEY).orderBy(*PRECEDENCE)
    return by_day(stays, tasks, slices).withColumns(
        {"place": F.row_number().over(key), "holder": F.first("source_file").over(key)}
    )


def resolve_days(
    spark: SparkSession,
    plan: Plan,
    days: dict[datetime.date, int],
    opened: Opened,
    leaving: Leaving,
    forgotten: ForgottenUsers | None,
) -> Resolved:
    """Writes the copies of these days, and of those whose events change the events, each once."""
    if not days:
        return Resolved(collections.Counter(), collections.Counter(), collections.Counter(), 0, 0)
    before, after = Observation("before"), Observation("after")
    files = len(leaving.numbers)
    changed = f"(origin = {HELD}) <> (place = 1)"
    marked = marked_rows(spark, plan, days, leaving, forgotten, before).observe(
        after,
        tally(f"IF(place > 1 AND origin = {NEW}, file_number, NULL)", files).alias("duplicates"),
        tally(f"IF(place = 1 AND origin <> {NEW}, file_number, NULL)", files).alias("kept"),
        tally(f"IF({changed}, UNIX_DATE(event_date), NULL)", len(days)).alias("days"),
        F.expr(f"COUNT_IF(place > 1 AND origin = {HELD} AND file_number IS NULL)").alias("displaced"),
        F.expr(f"COUNT_IF(place = 1 AND origin = {COPY} AND file_number IS NULL)").alias("returned"),
    )
    replace_copies(spark, plan, marked.where("place > 1 AND source_file <> holder"), set(days))
    numbers = counts_of(before.get["days"]) + counts_of(after.get["days"])
    first = datetime.date(1970, 1, 1)
    to_write = {first + datetime.timedelta(days=number) for number in numbers}
    unstage_days(spark, plan, opened, set(days) - to_write)
    if to_write:
        changing = {day: days[day] for day in to_write}
        events = marked_rows(spark, plan, changing, leaving, forgotten).where("place = 1")
        write_staged(events, plan).overwrite(F.col("event_date").isin(sorted(to_write)))
    return Resolved(
        duplicates=counts_of(after.get["duplicates"]),
        taken=counts_of(before.get["taken"]),
        kept=counts_of(after.get["kept"]),
        displaced=after.get["displaced"],
        returned=after.get["returned"],
    )


# --- emr-steps/fragments/batch.ts ---


def stage_accepted(
    spark: SparkSession,
    plan: Plan,
    files: dict[int, str],
    lines: dict[int, str],
    forgotten: ForgottenUsers | None,
) -> Outcomes:
    """Reads the files of lines once: accepted rows go to the branch, all outcomes are counted."""
    outcomes = Outcomes(collections.Counter(), {}, set())
    if not lines:
        return outcomes
    observation = Observation("outcomes")
    rows = read_rows(spark, plan, lines, forgotten)
    # A column of its own: what an observation aggregates is interpreted, row by row.
    counted = rows.withColumn("counted_as", F.expr(f"file_number * {OUTCOMES} + {COUNTED_AS}"))
    by_file_and_outcome = tally("counted_as", len(files) * OUTCOMES)
    accepted: DataFrame = (
        counted.observe(observation, by_file_and_outcome.alias("by_file_and_outcome"))
        .where("outcome = 0")
        .selectExpr(*EVENT_COLUMNS, "file_number", SORT_KEY)
    )
    stage_new_rows(accepted, plan, files)
    outcomes.take(counts_of(observation.get["by_file_and_outcome"]))
    return outcomes


def stage_adapted(
    spark: SparkSession,
    plan: Plan,
    files: dict[int, str],
    outcomes: Outcomes,
    cut: set[int],
    other_spelling: set[int],
    forgotten: ForgottenUsers | None,
) -> Tolerated:
    """Reads files again in which adapting changes anything: what was staged of them is replaced, and counted anew."""
    tolerated = second_look(spark, plan, files, outcomes, cut, other_spelling, forgotten)
    if not tolerated.files:
        return tolerated
    forget_files(
        spark, table_name(plan, STAGED_EVENTS), plan["batch"]["batchId"], list(tolerated.files.values())
    )
    observation = Observation("adapted")
    bins = len(tolerated.files)
    by_outcome = tally(f"file_number * {OUTCOMES} + {COUNTED_AS}", bins * OUTCOMES)
    adaptations = f"IF(outcome = 0, file_number * {COUNTED} + adapted % {COUNTED}, NULL)"
    by_adaptation = tally(adaptations, bins * COUNTED)
    rows = read_adapted_rows(spark, plan, tolerated.files, tolerated.cut, forgotten)
    accepted = (
        rows.observe(observation, by_outcome.alias("by_outcome"), by_adaptation.alias("by_adaptation"))
        .where("outcome = 0")
        .selectExpr(*EVENT_COLUMNS, "file_number", SORT_KEY)
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


def days_left(spark: SparkSession, plan: Plan, former: dict[str, LedgerRow]) -> set[datetime.date]:
    """The days of versions that leave. Where the ledger does not know them, the events do."""
    known = {uri: content_of(row) for uri, row in former.items()}
    days = {day for content in known.values() if content is not None for day in content}
    unknown = [(uri,) for uri, content in known.items() if content is None]
    if not unknown:
        return days
    files = F.broadcast(spark.createDataFrame(unknown, "source_file string"))
    others = spark.table(table_name(plan, STAGED_EVENTS)).where(F.col("batch_id") != plan["batch"]["batchId"])
    held = others.join(files, "source_file", "left_semi").select("event_date").distinct()
    return days | {row.event_date for row in held.collect()}


def same_days(
    content: dict[str, Content], former: dict[str, LedgerRow], numbers: dict[str, int]
) -> set[tuple[int, datetime.date]]:
    """The days on which a file holds just what its former version held, with the numbers of the files."""
    return {
        (numbers[uri], day)
        for uri, row in former.items()
        for day, held in (content_of(row) or {}).items()
        if content.get(uri, {}).get(day) == held
    }


class Staged(NamedTuple):
    """What will be entered in the ledger, and how the batch changes the events."""

    ledger: list[LedgerRow]
    changes: EventChanges
    # Whether copies were staged, too.
    has_copies: bool
    # Events that the batch adds.
    held: int


def stage_batch(spark: SparkSession, plan: Plan, former: dict[str, LedgerRow]) -> Staged:
    """Brings the batch onto the branch and into the quarantine, and takes off what leaves with it."""
    batch = plan["batch"]
    batch_id = batch["batchId"]
    passed_over, other_spelling, no_lines = first_look(spark, batch)
    numbered = number_files(batch)
    numbers = {uri: number for number, uri in numbered.items()}
    files = {number: uri for number, uri in numbered.items() if uri not in passed_over}
    forgotten = forgotten_users(Files(spark), plan["lakeRoot"])
    check_cut_sizes(spark, batch)
    opened = open_staging(spark, plan)
    check_any_events(passed_over, batch, opened.events)
    cut = files_to_cut(spark, plan, {number: uri for number, uri in files.items() if uri in no_lines})
    packed = {number for number, uri in files.items() if is_packed_in_capitals(uri)}
    lines = {number: uri for number, uri in files.items() if number not in cut | packed}
    outcomes = stage_accepted(spark, plan, files, lines, forgotten)
    worth = {numbers[uri] for uri in other_spelling}
    tolerated = stage_adapted(spark, plan, files, outcomes, cut, worth, forgotten)
    quarantine_rows(spark, plan, files, outcomes.refused, forgotten, tolerated)
    check_refused_share(spark, plan, outcomes.defects, sum(outcomes.read.values()))

    staged_events = table_name(plan, STAGED_EVENTS)
    content = contents(content_of_batch(spark, staged_events, batch_id)) if files else {}
    days = {day for _, day in files_staged(spark, plan, opened)}
    taken_out = enumerate(sorted(former.keys() - numbers.keys()), len(numbers))
    all_numbers = numbers | {uri: number for number, uri in taken_out}
    leaving = Leaving(all_numbers, same_days(content, former, numbers))
    left = days_left(spark, plan, former)
    are_large = plan["ingest"]["slicesPerDay"] > 1
    twice = days_with_duplicates(spark, staged_events, days - left, are_large=are_large)
    resolving = twice | rows_of_days(spark, staged_events, left)
    resolved = resolve_days(spark, plan, resolving, opened, leaving, forgotten)

    accepted: collections.Counter[str] = collections.Counter()
    if resolving:
        for row in rows_of_batch(spark, staged_events, batch_id):
            accepted[row.source_file] += row["rows"]
    else:
        for uri, of_file in content.items():
            accepted[uri] = sum(rows for rows, _ in of_file.values())
    ledger: list[LedgerRow] = []
    for file in batch["files"]:
        uri, number = file["uri"], numbers[file["uri"]]
        adapted = tolerated.adapted.get(number, collections.Counter())
        same = sum(rows for day, (rows, _) in content.get(uri, {}).items() if (number, day) in leaving.same)
        ledger.append(
            {
                "uri": uri,
                "etag": file["etag"],
                "bytes": file["bytes"],
                "batch_id": batch_id,
                "rows_read": outcomes.read[number],
                "rows_accepted": accepted[uri] + resolved.kept[number],
                "rows_quarantined": sum(outcomes.refused.get(number, {}).values()),
                "rows_duplicate": resolved.duplicates[number] + same - resolved.kept[number],
                "rows_adapted": adapted["rows"],
                "adapted": json.dumps({code: adapted[code] for code in ADAPTATIONS if adapted[code]}),
                "passed_over": passed_over.get(uri, ""),
                "rows_taken_away": resolved.taken[number],
                "first_day": str(min(content[uri])) if uri in content else None,
                "last_day": str(max(content[uri])) if uri in content else None,
                "days": content_text(content.get(uri, {})),
                "taken_out": False,
            }
        )
    ledger += [
        taken_out_row(uri, batch_id, resolved.taken[leaving.numbers[uri]])
        for uri in sorted({file["uri"] for file in batch.get("takenOut", [])})
    ]
    return Staged(
        ledger,
        {
            "before": opened.events,
            "takenAway": sum(resolved.taken.values()) + resolved.displaced,
            "returned": resolved.returned,
            "after": events_in(spark, plan, iceberg_table(spark, table_name(plan, EVENTS)).snapshot(STAGING)),
        },
        has_copies=bool(resolving),
        held=accepted.total(),
    )


# --- emr-steps/fragments/missing-columns.ts ---


def add_missing_columns(spark: SparkSession, table: str, types: Mapping[str, str]) -> None:
    """Gives the table of an earlier version the columns that it lacks; takes the types of all by name."""
    known = spark.table(table).columns
    for name, column_type in types.items():
        if name not in known:
            spark.sql(f"ALTER TABLE {table} ADD COLUMN {name} {column_type}")


# --- emr-steps/fragments/changed-days.ts ---

# Properties of a snapshot: the snapshot of events that it was computed from, and what by.
COMPUTED_FROM = "computed-from-events-snapshot"
COMPUTED_BY = "computed-by-roll-up"


def changed_days(spark: SparkSession, plan: Plan, computed: str, by: str) -> set[datetime.date]:
    """Days of events that have changed since a table was computed by this definition; all days if by another.

    Found in the lineage of snapshots, not in what this run did: so whatever an interrupted run left is found
    as well, and a second try finds the same.
    """
    events = iceberg_table(spark, table_name(plan, EVENTS))
    since = snapshots_since(events, events.currentSnapshot(), computed_from(spark, plan, computed, by))
    if since is not None:
        return days_changed_by_all(spark, events, since)
    held = spark.table(table_name(plan, EVENTS)).select("event_date")
    known = spark.table(table_name(plan, computed)).select("day")
    return {row.event_date for row in held.union(known).distinct().collect()}


def computed_from(spark: SparkSession, plan: Plan, computed: str, by: str) -> str | None:
    """The snapshot of events that the table was computed from; none if by another definition."""
    written = last_change(iceberg_table(spark, table_name(plan, computed)))
    if written is None or written.summary().get(COMPUTED_BY) != by:
        return None
    return written.summary().get(COMPUTED_FROM)


# --- emr-steps/fragments/user-days.ts ---

USER_DAYS = "user_days"
CREATE_USER_DAYS = """
CREATE TABLE IF NOT EXISTS {table} (
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
  active_hours int COMMENT 'hours (UTC) with an event, as bits: 1 is the hour from 00:00, 2 that from 01:00, 4 that from 02:00',
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
  BIT_OR(SHIFTLEFT(1, HOUR(event_time))) AS active_hours,
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
  BIT_OR(active_hours) AS active_hours,
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
    "active_hours",
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
    "active_hours": "int",
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

ROLL_UP_HASH = "92232d6f18af246c"


def refresh_user_days(spark: SparkSession, plan: Plan) -> int:
    """Recomputes the days of user_days whose events have changed; returns how many."""
    events, user_days = table_name(plan, EVENTS), table_name(plan, USER_DAYS)
    spark.sql(CREATE_USER_DAYS.format(table=user_days))
    # With another roll-up all days are computed again, and the new columns are filled.
    add_missing_columns(spark, user_days, USER_DAYS_TYPES)
    source = newest_snapshot(spark, events)
    if source is None:
        return 0
    days = changed_days(spark, plan, USER_DAYS, ROLL_UP_HASH)
    if not days:
        return 0
    literals = ", ".join(f"DATE '{day}'" for day in sorted(days))
    spark.sql(SESSION_DAYS.format(events=events, days=literals)).createOrReplaceTempView("session_days")
    attributes = spark.sql(DAY_ATTRIBUTES.format(events=events, days=literals))
    (
        spark.sql(ROLL_UP)
        .join(attributes.withColumnRenamed("event_date", "day"), ["day", "user_id"])
        .selectExpr(*USER_DAY_COLUMNS)
        .repartition("day")
        .sortWithinPartitions("day", "user_id")
        .writeTo(user_days)
        .option(f"snapshot-property.{COMPUTED_FROM}", source)
        .option(f"snapshot-property.{COMPUTED_BY}", ROLL_UP_HASH)
        .overwrite(F.expr(f"day IN ({literals})"))
    )
    return len(days)


# --- emr-steps/fragments/page-days.ts ---

PAGE_DAYS = "page_days"
CREATE_PAGE_DAYS = """
CREATE TABLE IF NOT EXISTS {table} (
  day date COMMENT 'UTC day',
  page string COMMENT 'page that was visited',
  level string COMMENT 'subscription at the time: free or paid; null where the row had none',
  auth string COMMENT 'whether a user was signed in',
  events bigint COMMENT 'events of the day with this page, subscription and authentication'
) USING iceberg
COMMENT 'UTC day x page x subscription x authentication: all events, those of nobody who is signed in too'
TBLPROPERTIES (
  'format-version' = '2',
  'write.distribution-mode' = 'none',
  'write.metadata.delete-after-commit.enabled' = 'true'
)
"""

PAGE_COUNTS = """
SELECT event_date AS day, page, level, auth, COUNT(*) AS events
FROM {events}
WHERE event_date IN ({days})
GROUP BY event_date, page, level, auth
"""

PAGE_DAYS_HASH = "3e944206be94db7b"


def refresh_page_days(spark: SparkSession, plan: Plan) -> None:
    """Counts the days again whose events have changed; a lake of an earlier version gets the table, of all days."""
    events, page_days = table_name(plan, EVENTS), table_name(plan, PAGE_DAYS)
    spark.sql(CREATE_PAGE_DAYS.format(table=page_days))
    source = newest_snapshot(spark, events)
    days = changed_days(spark, plan, PAGE_DAYS, PAGE_DAYS_HASH) if source else set()
    if source is None or not days:
        return
    literals = ", ".join(f"DATE '{day}'" for day in sorted(days))
    kept = spark.table(page_days).where(f"day NOT IN ({literals})")
    (
        kept.unionByName(spark.sql(PAGE_COUNTS.format(events=events, days=literals)))
        .coalesce(1)
        .sortWithinPartitions("day", "page", "level", "auth")
        .writeTo(page_days)
        .option(f"snapshot-property.{COMPUTED_FROM}", source)
        .option(f"snapshot-property.{COMPUTED_BY}", PAGE_DAYS_HASH)
        .overwrite(F.lit(True))
    )


# --- emr-steps/fragments/drafts.ts ---

DRAFT = "drafts/{}.json"


class Draft(TypedDict):
    """What is left to do for a batch once its events are published."""

    batchId: str
    ledger: list[LedgerRow]
    changes: EventChanges
    # Whether it has staged copies of events.
    hasCopies: bool
    # Files of which the quarantine holds rows of a former version.
    formerlyRefused: list[str]


def draft_uri(plan: Plan, batch_id: str) -> str:
    """Where the draft of a batch is."""
    return f"{plan['lakeRoot']}/{DRAFT.format(batch_id)}"


def read_draft(files: Files, plan: Plan, batch_id: str) -> Draft | None:
    """The draft of a batch, if it came that far."""
    uri = draft_uri(plan, batch_id)
    if not files.exists(uri):
        return None
    draft: Draft = files.read_json(uri)
    return draft


def finish_batch(spark: SparkSession, plan: Plan, files: Files, draft: Draft) -> int:
    """Brings what follows from the events up to date, and enters the batch in the ledger, last of all.

    Can be done again after a crash anywhere. Returns the days of user_days that were computed again.
    """
    batch_id = draft["batchId"]
    if draft["hasCopies"]:
        publish_copies(spark, plan, batch_id)
    forget_former_refusals(spark, plan, batch_id, draft["formerlyRefused"])
    recomputed = refresh_user_days(spark, plan)
    rows = "".join(json.dumps(row) + "\n" for row in draft["ledger"])
    files.write_text(ledger_uri(plan, batch_id), rows)
    return recomputed


def finish_published(spark: SparkSession, plan: Plan, files: Files) -> tuple[list[str], int]:
    """Finishes the batches that were published and not entered in the ledger.

    Returns them, and the days of user_days that were computed again.
    """
    finished: list[str] = []
    recomputed = 0
    for batch_id in sorted({*plan["abandonedBatchIds"], plan["batch"]["batchId"]}):
        if files.exists(ledger_uri(plan, batch_id)):
            continue
        draft = read_draft(files, plan, batch_id)
        if draft is not None and is_published(spark, plan, batch_id):
            recomputed += finish_batch(spark, plan, files, draft)
            finished.append(batch_id)
    return finished, recomputed


# --- emr-steps/fragments/upkeep.ts ---

ICEBERG_TABLES = [
    "events",
    "repeated_events",
    "quarantined_events",
    "user_days",
    "page_days",
    "scores",
    "features",
    "scoring_features",
]

COMPACT = """
CALL lake.system.rewrite_data_files(
  table => '{table}',
  options => map(
    'min-file-size-bytes', '4194304',
    'min-input-files', '8',
    'target-file-size-bytes', '67108864',
    'max-file-size-bytes', '1099511627776'
  )
)
"""

REMOVE_ORPHANS = """
CALL lake.system.remove_orphan_files(
  table => '{table}',
  older_than => TIMESTAMP '{before}'
)
"""

# Names are no patterns, and folders no partitions.
LISTED_AS_THEY_ARE = {"__globPaths__": "false", "recursiveFileLookup": "true"}
ORPHAN_AGE = datetime.timedelta(hours=24)


class Compaction(NamedTuple):
    """Small files that were rewritten, and the files that hold their rows now."""

    rewritten: int
    written: int


def compact(spark: SparkSession, plan: Plan, tables: list[str]) -> Compaction:
    """Brings the rows of many small files of a partition into few; partitions where that does not pay stay."""
    rewritten = written = 0
    for table in tables:
        (done,) = spark.sql(COMPACT.format(table=table_name(plan, table))).collect()
        if done.rewritten_data_files_count > 0:
            print(
                f"{table}: {done.rewritten_data_files_count} small files became {done.added_data_files_count}",
                file=sys.stderr,
            )
        rewritten += done.rewritten_data_files_count
        written += done.added_data_files_count
    return Compaction(rewritten, written)


def holds_files(spark: SparkSession, folder: str, before: datetime.datetime) -> bool:
    """Whether a folder or one below it has a file that is older: the driver lists them, and no job runs."""
    options = {**LISTED_AS_THEY_ARE, "modifiedBefore": before.strftime("%Y-%m-%dT%H:%M:%S")}
    return len(spark.read.format("binaryFile").options(**options).load(folder).inputFiles()) > 0


def remove_orphans(spark: SparkSession, plan: Plan) -> int:
    """Removes files in the folders of the tables that no snapshot names and that are a day old; returns how many."""
    # By the clock of the storage, which dates the files, and not by the plan's.
    before = datetime.datetime.now(datetime.UTC) - ORPHAN_AGE
    removed = 0
    for name in ICEBERG_TABLES:
        table = table_name(plan, name)
        if not spark.catalog.tableExists(table):
            continue
        # In a young lake nothing is old enough, and what belongs to a table need not be looked for.
        if not holds_files(spark, iceberg_table(spark, table).location(), before):
            continue
        orphans = spark.sql(REMOVE_ORPHANS.format(table=table, before=before.isoformat())).collect()
        for orphan in orphans:
            print(f"{name}: removed {orphan.orphan_file_location}, which no snapshot names", file=sys.stderr)
        removed += len(orphans)
    return removed


# --- emr-steps/ingest-events.ts ---

STEP: StepName = "ingest-events"


def unreadable_file(spark: SparkSession, batch: Batch) -> str | None:
    """The first file that cannot be read to its end: Spark's own error does not name it."""
    for file in batch["files"]:
        uri = file["uri"]
        is_packed = is_packed_in_capitals(uri)
        try:
            lines = cut_lines(spark, {0: uri}) if is_packed else read_lines(spark, [uri])
            lines.count()
        except QUERY_ERRORS:
            return file["uri"]
    return None


class Ingested(NamedTuple):
    """What the batch has come to."""

    ledger: list[LedgerRow]
    # None when that is no longer known.
    changes: EventChanges | None
    refusals: Refusals
    # Events of the batch that are in the lake.
    held: int
    # Days of user_days that were computed again.
    recomputed: int


def ingest_batch(spark: SparkSession, plan: Plan, files: Files) -> Ingested:
    """Publishes the batch, unless that was done already, and finishes it."""
    batch_id = plan["batch"]["batchId"]
    finished, recomputed = finish_published(spark, plan, files)
    if files.exists(ledger_uri(plan, batch_id)):
        known = read_draft(files, plan, batch_id)
        recomputed += refresh_user_days(spark, plan)
        return Ingested(
            read_ledger(files, plan, batch_id),
            None if known is None else known["changes"],
            quarantined(spark, plan),
            # Since then, users may have been forgotten: what is there is counted, and may be less.
            spark.table(table_name(plan, EVENTS)).where(F.col("batch_id") == batch_id).count(),
            recomputed,
        )
    plan = {**plan, "abandonedBatchIds": [id for id in plan["abandonedBatchIds"] if id not in finished]}
    declare_format(files, plan)
    former = former_versions(files, plan, finished)
    try:
        staged = stage_batch(spark, plan, former)
    except QUERY_ERRORS as error:
        culprit = unreadable_file(spark, plan["batch"])
        if culprit is None:
            raise
        raise StepError(
            f"{culprit} cannot be read to its end",
            "the upload was cut short, the file is not the gzip its name says, or it was removed meanwhile",
            "deliver the whole file again, then start a new run; nothing of this batch was published",
        ) from error
    refusals = quarantined(spark, plan)
    check_accounts(staged.ledger, sum(refusals.reasons.values()))
    check_changes(staged.ledger, staged.changes)
    draft: Draft = {
        "batchId": batch_id,
        "ledger": staged.ledger,
        "changes": staged.changes,
        "hasCopies": staged.has_copies,
        # Of files that a release without days ingested, the quarantine may hold rows of all earlier versions.
        "formerlyRefused": sorted(
            uri for uri, row in former.items() if row["rows_quarantined"] > 0 or row.get("days") is None
        ),
    }
    files.write_json(draft_uri(plan, batch_id), draft)
    publish_staged(spark, plan)
    recomputed += finish_batch(spark, plan, files, draft)
    return Ingested(staged.ledger, staged.changes, refusals, staged.held, recomputed)


def run(spark: SparkSession, plan: Plan) -> IngestResult:
    """Ingests the batch, brings what is counted from events up to date and enters the batch in the ledger."""
    # A stage without rows would otherwise be replaced by nothing, and its observation never arrive.
    spark.conf.set(
        "spark.sql.adaptive.optimizer.excludedRules",
        "org.apache.spark.sql.execution.adaptive.AQEPropagateEmptyRelation",
    )
    # Sketches are kept in a hash map; the default gives up after 128 users a task and sorts all events again.
    spark.conf.set("spark.sql.objectHashAggregate.sortBased.fallbackThreshold", "100000")
    spark.conf.set("spark.sql.shuffle.partitions", str(plan["ingest"]["shufflePartitions"]))
    ledger, changes, refusals, held, recomputed = ingest_batch(spark, plan, Files(spark))
    refresh_page_days(spark, plan)
    close_staging(spark, plan)
    copies = [REPEATED] if holds_copies(spark, plan) else []
    compaction = compact(spark, plan, [EVENTS, USER_DAYS, QUARANTINE, *copies])
    expire_snapshots(spark, plan, [EVENTS, USER_DAYS], SNAPSHOT_RETENTION_DAYS)
    # What is deleted from the quarantine and from copies is deleted for good: no model was trained on it. Of the
    # counts by page only the newest are read.
    expire_snapshots(spark, plan, [QUARANTINE, *copies, PAGE_DAYS], 1)
    orphans_removed = remove_orphans(spark, plan)

    events = table_name(plan, EVENTS)
    files = [row for row in ledger if not row.get("taken_out")]
    first_days = [day for row in files if (day := row.get("first_day")) is not None]
    last_days = [day for row in files if (day := row.get("last_day")) is not None]
    return {
        "counts": {
            "read": sum(row["rows_read"] for row in ledger),
            "accepted": sum(row["rows_accepted"] for row in ledger),
            "quarantined": sum(row["rows_quarantined"] for row in ledger),
            "duplicates": sum(row["rows_duplicate"] for row in ledger),
        },
        "changes": changes,
        "lake": {"events": events_in(spark, plan, iceberg_table(spark, events).currentSnapshot())},
        "refused": refusals.reasons,
        "examples": refusals.examples,
        "refusedFiles": refusals.files,
        "findings": refusals.findings,
        "adapted": adapted_rows(ledger),
        "filesRead": sum(not row.get("passed_over") for row in files),
        "passedOver": passed_over_by_reason(files),
        "withoutEvents": files_without_events(files),
        "bytesRead": sum(row["bytes"] for row in files),
        "held": {"events": held, "quarantined": sum(refusals.reasons.values())},
        "firstDay": min(first_days, default=None),
        "lastDay": max(last_days, default=None),
        "daysRecomputed": recomputed,
        "upkeep": {
            "filesCompacted": compaction.rewritten,
            "filesWritten": compaction.written,
            "orphansRemoved": orphans_removed,
        },
        "snapshots": {
            "events": newest_snapshot(spark, events),
            "user_days": newest_snapshot(spark, table_name(plan, USER_DAYS)),
        },
    }


if __name__ == "__main__":
    main(STEP, run)
