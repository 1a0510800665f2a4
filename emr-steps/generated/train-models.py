"""Trains the candidates, judges them on the newest known outcomes, and stores the best.

Generated from emr-steps/train-models.ts and the files named below by `npm run generate`: change it there. Run by
spark-submit train-models.py --plan <uri of plan.json>
"""

import argparse
import atexit
import dataclasses
import datetime
import functools
import itertools
import json
import math
import os
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, NotRequired, Protocol, SupportsFloat, TypeAlias, TypedDict, cast

import numpy as np
import numpy.typing as npt
import sklearn
import xgboost
from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkContext
from pyspark.errors.exceptions.captured import CapturedException
from pyspark.ml import classification
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.ml.stat import Summarizer
from pyspark.sql import Column, DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as F
from scipy import stats
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression as PlainLogisticRegression
from sklearn.linear_model import LogisticRegression as RidgeRegression
from sklearn.linear_model import LogisticRegression as WeightedLogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier
from xgboost.spark import SparkXGBClassifier, SparkXGBClassifierModel

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


def release_barrier_timer(spark: SparkSession) -> None:
    """Lets a local driver end: Spark 3.5 keeps a timer of barrier tasks alive in it (SPARK-46895)."""
    context = getattr(getattr(java(spark).org.apache.spark, "BarrierTaskContext$"), "MODULE$")
    getattr(context, "org$apache$spark$BarrierTaskContext$$timer")().cancel()


def as_source(rows: DataFrame) -> DataFrame:
    """The same rows, to Spark a source; they are computed when they are read, and again where they are lost.

    Spark analyses and optimises each query together with all that it is built on. Where that is a column for each
    feature, this takes longer than to compute the rows. A checkpoint would do the same, but a local one does not
    survive the loss of an executor, and a reliable one is written to S3.
    """
    spark, computed = rows.sparkSession, rows._jdf.queryExecution().toRdd()
    source = spark._jsparkSession.internalCreateDataFrame(computed, rows._jdf.schema(), False)
    return DataFrame(source, spark)


class HeldRows:
    """Rows that are kept in memory, as a source."""

    def __init__(self, rows: DataFrame) -> None:
        """They are computed when they are first read."""
        self._kept = rows.cache()
        self.rows = as_source(self._kept)

    def release(self) -> None:
        """Lets go of the memory."""
        self._kept.unpersist()


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


# --- emr-steps/generated/types/features_result.py ---


class CutoffCounts(TypedDict):
    """The rows of one cutoff."""

    cutoff: str
    role: Literal["train", "past", "test", "score"]
    rows: int
    cancellations: int | None
    version: NotRequired[str]


class DayEvents(TypedDict):
    """Signed-in events of a day."""

    day: str
    events: int


class SourceDay(TypedDict):
    """Events and users of a day."""

    day: str
    events: int
    users: int


SourceKind: TypeAlias = Literal["page", "level", "auth", "device"]


class FeaturesSnapshots(TypedDict):
    """Snapshots that were read and written."""

    user_days: str
    features: str
    scoring_features: NotRequired[str]


class SourceCounts(TypedDict):
    """How often a source came, day by day."""

    kind: SourceKind
    name: str
    counts: list[int]


class DailySources(TypedDict):
    """How often each source came on the newest days."""

    days: list[SourceDay]
    counts: list[SourceCounts]


class FeaturesResult(TypedDict):
    """Result of build-features."""

    firstDay: str
    observationEnd: str
    observedDays: int
    cutoffs: list[CutoffCounts]
    days: NotRequired[list[DayEvents]]
    sources: NotRequired[DailySources]
    users: int
    cancellations: int
    cutoffAnchor: str | None
    returnedUsers: NotRequired[int]
    secondCancellations: NotRequired[int]
    featureCount: int
    snapshots: FeaturesSnapshots
    tableRows: NotRequired[int]


# --- emr-steps/generated/types/training_result.py ---

ModelName: TypeAlias = Literal[
    "segments",
    "logistic_regression",
    "random_forest",
    "boosted_trees",
    "segments_and_trees",
    "base_rate",
    "days_since_last_seen",
]


MetricName: TypeAlias = Literal[
    "auc",
    "average_precision",
    "average_precision_ratio",
    "lift_at_5",
    "lift_at_10",
    "lift_at_20",
    "balanced_accuracy",
    "brier",
    "brier_skill",
    "log_loss",
    "calibration_error",
    "calibration_slope",
]


class Estimate(TypedDict):
    """A metric with its 95 % interval."""

    value: float
    low: float | None
    high: float | None


ThresholdRule: TypeAlias = Literal["best_f1", "best_balanced_accuracy"]


class Decision(TypedDict):
    """Outcomes at one threshold."""

    threshold: float
    truePositives: float
    falsePositives: float
    trueNegatives: float
    falseNegatives: float
    precision: float
    recall: float
    f1: float
    balancedAccuracy: float


class ReliabilityBin(TypedDict):
    """One bin of the reliability diagram."""

    predicted: float
    observed: float
    users: float


class CurveBin(TypedDict):
    """Test rows of adjoining scores."""

    predicted: float
    users: int
    cancelled: int


class Importance(TypedDict):
    """A feature and its share of the importance."""

    feature: str
    share: float


class TestedScores(TypedDict):
    """Tenths of the test rows by the champion's score."""

    starts: list[float]
    rows: list[int]


class SingleInput(TypedDict):
    """How well one input ranks by itself."""

    feature: str
    auc: float
    low: float


class NotFitted(TypedDict):
    """A candidate that could not be fitted."""

    model: ModelName
    reason: str


class ChannelRate(TypedDict):
    """Events of a channel per exposure."""

    rate: float
    usual: float


class PastTest(TypedDict):
    """An earlier cutoff, tested for the record over time."""

    cutoff: str
    trainCutoffs: int
    trainRows: int
    trainCancellations: int
    testRows: int
    testCancellations: int
    metrics: dict[MetricName, Estimate]
    predicted: float | None
    recency: dict[MetricName, Estimate]


ExploredVariable: TypeAlias = Literal["level", "gender", "device", "tenure", "state"]


class ExploredMeasure(TypedDict):
    """Quantiles of a measure among both."""

    name: str
    churned: list[float]
    stayed: list[float]


class ExploredFigure(TypedDict):
    """A figure of those who cancelled and of those who stayed."""

    name: str
    churned: float | None
    stayed: float | None


SurvivalGrouping: TypeAlias = Literal["all", "level", "joined"]


class SurvivalPoint(TypedDict):
    """The share of users who are still there after so many days."""

    day: int
    atRisk: int
    cancelled: int
    survival: float
    low: float
    high: float


HazardVariable: TypeAlias = Literal["weekday", "level_change"]


SlicedModel: TypeAlias = Literal["challenger", "champion"]


SliceVariable: TypeAlias = Literal["level", "gender", "device", "tenure", "region", "segment"]


class GroupDriver(TypedDict):
    """By how much the AUC falls without a group of features."""

    group: str
    fall: float
    least: float
    most: float


class FeatureBand(TypedDict):
    """Test users whose value of a feature is in one band."""

    lowest: float | None
    highest: float | None
    users: int
    cancelled: int
    predicted: float


SampleName: TypeAlias = Literal["one_percent", "medium_set"]


SampleTest: TypeAlias = Literal["kolmogorov_smirnov", "chi_square", "fisher_exact"]


RetrospectiveModelName: TypeAlias = Literal[
    "six_features_logistic_regression",
    "six_features_random_forest",
    "six_features_boosted_trees",
    "boosted_trees",
]


RetrospectiveSlice: TypeAlias = Literal["test", "test_reweighted", "whole", "whole_reweighted"]


class RetrospectiveFigures(TypedDict):
    """Figures of the published table."""

    auc: float
    accuracy: float
    recall: float
    precision: float
    f1: float


class ModelEvaluation(TypedDict):
    """A candidate or baseline on the test rows."""

    model: ModelName
    kind: Literal["candidate", "baseline"]
    metrics: dict[MetricName, Estimate]
    decisions: dict[ThresholdRule, Decision]
    reliability: list[ReliabilityBin]
    fitSeconds: float
    curve: NotRequired[list[CurveBin]]


class ChampionTest(TypedDict):
    """The champion on the newest test rows."""

    runId: str
    modelUri: str
    testCutoff: str
    notUsable: str | None
    comparable: bool
    evaluation: ModelEvaluation | None
    difference: Estimate | None
    testScores: TestedScores | None


class Segment(TypedDict):
    """Users who behave alike."""

    size: float
    rates: list[ChannelRate]
    freeHazard: float
    paidHazard: float


class ExploredGroup(TypedDict):
    """Users with one value, by whether they cancelled."""

    variable: ExploredVariable
    value: str
    churned: int
    stayed: int


class SurvivalCurve(TypedDict):
    """How long the users of a group stay."""

    grouping: SurvivalGrouping
    value: str
    users: int
    points: list[SurvivalPoint]


class Hazard(TypedDict):
    """Days of users, and on how many of them one cancelled."""

    variable: HazardVariable
    value: str
    users: int
    days: int
    cancelled: int


class Slice(TypedDict):
    """A part of the test users, and how a model did on it."""

    model: SlicedModel
    variable: SliceVariable
    value: str
    users: int
    cancelled: int
    predicted: float
    auc: float | None


class FeatureDriver(TypedDict):
    """By how much the AUC falls without a feature, and its range."""

    feature: str
    fall: float
    least: float
    most: float
    correlation: float | None
    bands: list[FeatureBand]


class SampleDifference(TypedDict):
    """A column of a sample compared with that of the others."""

    feature: str
    test: SampleTest
    distance: float
    pValue: float
    adjusted: float
    smallestFound: float | None


class RetrospectiveEvaluation(TypedDict):
    """How well a model does by the retrospective protocol."""

    model: RetrospectiveModelName
    figures: dict[RetrospectiveSlice, RetrospectiveFigures]


class Exploration(TypedDict):
    """Who leaves."""

    churned: int
    stayed: int
    groups: list[ExploredGroup]
    measures: list[ExploredMeasure]
    pages: list[ExploredFigure]
    weekdays: list[ExploredFigure]
    hours: list[ExploredFigure]
    survival: list[SurvivalCurve]
    hazards: list[Hazard]


class Drivers(TypedDict):
    """What drives the chosen model."""

    users: int
    auc: float
    groups: list[GroupDriver]
    features: list[FeatureDriver]


class SampleComparison(TypedDict):
    """A sample compared with the other users."""

    sample: SampleName
    users: int
    others: int
    cancelled: int
    differences: list[SampleDifference]


class Retrospective(TypedDict):
    """Models by the retrospective protocol."""

    users: int
    cancelled: int
    testUsers: int
    testCancelled: int
    evaluations: list[RetrospectiveEvaluation]
    bestSix: RetrospectiveModelName
    difference: Estimate


class Homogeneity(TypedDict):
    """Is a sample of the users enough."""

    users: int
    samples: list[SampleComparison]


class TrainingResult(TypedDict):
    """Result of train-models."""

    trainRows: int
    trainCancellations: int
    testRows: int
    testCancellations: int
    testCutoff: str
    evaluations: list[ModelEvaluation]
    chosen: ModelName
    reliable: bool
    reliabilityReason: str
    importance: list[Importance]
    modelUri: str
    featuresSnapshot: str
    champion: ChampionTest | None
    singleInputs: list[SingleInput]
    notFitted: list[NotFitted]
    segments: list[Segment]
    past: list[PastTest]
    exploration: Exploration | None
    slices: list[Slice]
    drivers: Drivers | None
    homogeneity: Homogeneity | None
    retrospective: Retrospective | None


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


# --- emr-steps/fragments/feature-rows.ts ---

FEATURES = "features"


def feature_rows(spark: SparkSession, plan: Plan, built: FeaturesResult) -> DataFrame:
    """The rows of the cutoffs of this run, with the column role: train, past or test."""
    snapshot = built["snapshots"]["features"]
    features = read_snapshot(spark, table_name(plan, FEATURES), snapshot)
    roles = [
        (datetime.date.fromisoformat(cutoff["cutoff"]), cutoff["role"])
        for cutoff in built["cutoffs"]
        if cutoff["role"] != "score"
    ]
    wanted = features.where(F.col("cutoff").isin([cutoff for cutoff, _ in roles]))
    # A column by CASE would be pushed down to the table, where Spark 3.5 fails on conditions that are never true.
    return wanted.join(F.broadcast(spark.createDataFrame(roles, "cutoff date, role string")), "cutoff")


# --- emr-steps/fragments/census.ts ---


class Census(TypedDict):
    """Rows and cancellations of one role, users who cancel, and the newest cutoff."""

    rows: int
    cancellations: int
    cancellers: int
    users: int
    cutoff: datetime.date


def census(features: DataFrame) -> dict[str, Census]:
    """The rows of each role, counted."""
    canceller = F.when(F.col("label") == 1, F.col("user_id"))
    counts = features.groupBy("role").agg(
        F.count(F.lit(1)).alias("rows"),
        F.sum("label").alias("cancellations"),
        F.countDistinct(canceller).alias("cancellers"),
        F.countDistinct("user_id").alias("users"),
        F.max("cutoff").alias("cutoff"),
    )
    return {
        row.role: {
            "rows": row.rows,
            "cancellations": row.cancellations,
            "cancellers": row.cancellers,
            "users": row.users,
            "cutoff": row.cutoff,
        }
        for row in counts.collect()
    }


# --- emr-steps/fragments/model-inputs.ts ---

# As it is, or the logarithm of one more than it is.
Scale: TypeAlias = Literal["linear", "log1p"]


class Feature(NamedTuple):
    """A column of features, how it enters a model, and what stands for a missing value."""

    name: str
    group: str
    scale: Scale
    fill: float | Literal["median"]


class ModelInput(TypedDict):
    """A feature as a model has learnt to read it."""

    name: str
    group: str
    scale: Scale
    fill: float
    median: float
    # Hash of what the feature is computed by; models of older versions lack it.
    definition: NotRequired[str]


# The feature catalogue.
CATALOGUE = [
    Feature(name="events_last_3_days", group="activity", scale="log1p", fill=0),
    Feature(name="events_last_7_days", group="activity", scale="log1p", fill=0),
    Feature(name="events_last_14_days", group="activity", scale="log1p", fill=0),
    Feature(name="events_last_28_days", group="activity", scale="log1p", fill=0),
    Feature(name="events_per_day", group="activity", scale="log1p", fill=0),
    Feature(name="active_days_last_3_days", group="activity", scale="log1p", fill=0),
    Feature(name="active_days_last_7_days", group="activity", scale="log1p", fill=0),
    Feature(name="active_days_last_14_days", group="activity", scale="log1p", fill=0),
    Feature(name="active_days_last_28_days", group="activity", scale="log1p", fill=0),
    Feature(name="active_days_per_day", group="activity", scale="log1p", fill=0),
    Feature(name="begun_sessions_last_3_days", group="activity", scale="log1p", fill=0),
    Feature(name="begun_sessions_last_7_days", group="activity", scale="log1p", fill=0),
    Feature(name="begun_sessions_last_14_days", group="activity", scale="log1p", fill=0),
    Feature(name="begun_sessions_last_28_days", group="activity", scale="log1p", fill=0),
    Feature(name="begun_sessions_per_day", group="activity", scale="log1p", fill=0),
    Feature(name="session_hours_last_3_days", group="activity", scale="log1p", fill=0),
    Feature(name="session_hours_last_7_days", group="activity", scale="log1p", fill=0),
    Feature(name="session_hours_last_14_days", group="activity", scale="log1p", fill=0),
    Feature(name="session_hours_last_28_days", group="activity", scale="log1p", fill=0),
    Feature(name="session_hours_per_day", group="activity", scale="log1p", fill=0),
    Feature(name="home_visits_last_7_days", group="activity", scale="log1p", fill=0),
    Feature(name="home_visits_last_28_days", group="activity", scale="log1p", fill=0),
    Feature(name="home_visits_per_day", group="activity", scale="log1p", fill=0),
    Feature(name="logouts_last_7_days", group="activity", scale="log1p", fill=0),
    Feature(name="logouts_last_28_days", group="activity", scale="log1p", fill=0),
    Feature(name="logouts_per_day", group="activity", scale="log1p", fill=0),
    Feature(name="home_visits_per_event_last_28_days", group="activity", scale="log1p", fill=0),
    Feature(name="home_visits_per_event", group="activity", scale="log1p", fill=0),
    Feature(name="logouts_per_event_last_28_days", group="activity", scale="log1p", fill=0),
    Feature(name="logouts_per_event", group="activity", scale="log1p", fill=0),
    Feature(name="events_per_session_last_28_days", group="activity", scale="log1p", fill="median"),
    Feature(name="events_per_session", group="activity", scale="log1p", fill="median"),
    Feature(name="session_hours_per_session_last_28_days", group="activity", scale="log1p", fill="median"),
    Feature(name="session_hours_per_session", group="activity", scale="log1p", fill="median"),
    Feature(name="days_since_last_seen", group="activity", scale="log1p", fill="median"),
    Feature(name="longest_absence_days", group="activity", scale="log1p", fill=0),
    Feature(name="songs_last_3_days", group="listening", scale="log1p", fill=0),
    Feature(name="songs_last_7_days", group="listening", scale="log1p", fill=0),
    Feature(name="songs_last_14_days", group="listening", scale="log1p", fill=0),
    Feature(name="songs_last_28_days", group="listening", scale="log1p", fill=0),
    Feature(name="songs_per_day", group="listening", scale="log1p", fill=0),
    Feature(name="hours_listened_last_3_days", group="listening", scale="log1p", fill=0),
    Feature(name="hours_listened_last_7_days", group="listening", scale="log1p", fill=0),
    Feature(name="hours_listened_last_14_days", group="listening", scale="log1p", fill=0),
    Feature(name="hours_listened_last_28_days", group="listening", scale="log1p", fill=0),
    Feature(name="hours_listened_per_day", group="listening", scale="log1p", fill=0),
    Feature(name="songs_per_event_last_28_days", group="listening", scale="log1p", fill="median"),
    Feature(name="songs_per_event", group="listening", scale="log1p", fill="median"),
    Feature(name="songs_per_active_day_last_28_days", group="listening", scale="log1p", fill="median"),
    Feature(name="songs_per_active_day", group="listening", scale="log1p", fill="median"),
    Feature(name="most_songs_in_a_day", group="listening", scale="log1p", fill=0),
    Feature(name="artists_last_28_days", group="listening", scale="log1p", fill=0),
    Feature(name="artists", group="listening", scale="log1p", fill=0),
    Feature(name="thumbs_up_last_3_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_up_last_7_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_up_last_14_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_up_last_28_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_up_per_day", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_down_last_3_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_down_last_7_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_down_last_14_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_down_last_28_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_down_per_day", group="enjoyment", scale="log1p", fill=0),
    Feature(name="playlist_adds_last_3_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="playlist_adds_last_7_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="playlist_adds_last_14_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="playlist_adds_last_28_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="playlist_adds_per_day", group="enjoyment", scale="log1p", fill=0),
    Feature(name="friend_adds_last_3_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="friend_adds_last_7_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="friend_adds_last_14_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="friend_adds_last_28_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="friend_adds_per_day", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_up_per_song_last_7_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_up_per_song_last_28_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_up_per_song", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_down_per_song_last_7_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_down_per_song_last_28_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_down_per_song", group="enjoyment", scale="log1p", fill=0),
    Feature(name="playlist_adds_per_song_last_28_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="playlist_adds_per_song", group="enjoyment", scale="log1p", fill=0),
    Feature(name="friend_adds_per_song_last_28_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="friend_adds_per_song", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_down_per_thumb_up_last_28_days", group="enjoyment", scale="log1p", fill=0),
    Feature(name="thumbs_down_per_thumb_up", group="enjoyment", scale="log1p", fill=0),
    Feature(name="adverts_last_3_days", group="adverts", scale="log1p", fill=0),
    Feature(name="adverts_last_7_days", group="adverts", scale="log1p", fill=0),
    Feature(name="adverts_last_14_days", group="adverts", scale="log1p", fill=0),
    Feature(name="adverts_last_28_days", group="adverts", scale="log1p", fill=0),
    Feature(name="adverts_per_day", group="adverts", scale="log1p", fill=0),
    Feature(name="adverts_per_free_song_last_7_days", group="adverts", scale="log1p", fill=0),
    Feature(name="adverts_per_free_song_last_28_days", group="adverts", scale="log1p", fill=0),
    Feature(name="adverts_per_free_song", group="adverts", scale="log1p", fill=0),
    Feature(name="downgrade_visits_last_3_days", group="subscription", scale="log1p", fill=0),
    Feature(name="downgrade_visits_last_7_days", group="subscription", scale="log1p", fill=0),
    Feature(name="downgrade_visits_last_14_days", group="subscription", scale="log1p", fill=0),
    Feature(name="downgrade_visits_last_28_days", group="subscription", scale="log1p", fill=0),
    Feature(name="downgrade_visits_per_day", group="subscription", scale="log1p", fill=0),
    Feature(name="upgrade_visits_last_28_days", group="subscription", scale="log1p", fill=0),
    Feature(name="upgrade_visits_per_day", group="subscription", scale="log1p", fill=0),
    Feature(name="level_changes_last_28_days", group="subscription", scale="log1p", fill=0),
    Feature(name="level_changes_per_day", group="subscription", scale="log1p", fill=0),
    Feature(name="downgrade_visits_per_event_last_28_days", group="subscription", scale="log1p", fill=0),
    Feature(name="downgrade_visits_per_event", group="subscription", scale="log1p", fill=0),
    Feature(name="upgrade_visits_per_event_last_28_days", group="subscription", scale="log1p", fill=0),
    Feature(name="upgrade_visits_per_event", group="subscription", scale="log1p", fill=0),
    Feature(name="paid_events_per_event_last_7_days", group="subscription", scale="log1p", fill="median"),
    Feature(name="paid_events_per_event_last_28_days", group="subscription", scale="log1p", fill="median"),
    Feature(name="paid_events_per_event", group="subscription", scale="log1p", fill="median"),
    Feature(name="days_since_level_change", group="subscription", scale="log1p", fill=365),
    Feature(name="is_paid", group="subscription", scale="linear", fill=0),
    Feature(name="settings_visits_last_3_days", group="service", scale="log1p", fill=0),
    Feature(name="settings_visits_last_7_days", group="service", scale="log1p", fill=0),
    Feature(name="settings_visits_last_14_days", group="service", scale="log1p", fill=0),
    Feature(name="settings_visits_last_28_days", group="service", scale="log1p", fill=0),
    Feature(name="settings_visits_per_day", group="service", scale="log1p", fill=0),
    Feature(name="help_visits_last_3_days", group="service", scale="log1p", fill=0),
    Feature(name="help_visits_last_7_days", group="service", scale="log1p", fill=0),
    Feature(name="help_visits_last_14_days", group="service", scale="log1p", fill=0),
    Feature(name="help_visits_last_28_days", group="service", scale="log1p", fill=0),
    Feature(name="help_visits_per_day", group="service", scale="log1p", fill=0),
    Feature(name="errors_last_3_days", group="service", scale="log1p", fill=0),
    Feature(name="errors_last_7_days", group="service", scale="log1p", fill=0),
    Feature(name="errors_last_14_days", group="service", scale="log1p", fill=0),
    Feature(name="errors_last_28_days", group="service", scale="log1p", fill=0),
    Feature(name="errors_per_day", group="service", scale="log1p", fill=0),
    Feature(name="settings_saves_last_28_days", group="service", scale="log1p", fill=0),
    Feature(name="settings_saves_per_day", group="service", scale="log1p", fill=0),
    Feature(name="about_visits_last_28_days", group="service", scale="log1p", fill=0),
    Feature(name="about_visits_per_day", group="service", scale="log1p", fill=0),
    Feature(name="help_visits_per_event_last_28_days", group="service", scale="log1p", fill=0),
    Feature(name="help_visits_per_event", group="service", scale="log1p", fill=0),
    Feature(name="settings_visits_per_event_last_28_days", group="service", scale="log1p", fill=0),
    Feature(name="settings_visits_per_event", group="service", scale="log1p", fill=0),
    Feature(name="errors_per_event_last_28_days", group="service", scale="log1p", fill=0),
    Feature(name="errors_per_event", group="service", scale="log1p", fill=0),
    Feature(name="events_trend", group="habit", scale="linear", fill=1),
    Feature(name="active_days_trend", group="habit", scale="linear", fill=1),
    Feature(name="begun_sessions_trend", group="habit", scale="linear", fill=1),
    Feature(name="songs_trend", group="habit", scale="linear", fill=1),
    Feature(name="thumbs_up_trend", group="habit", scale="linear", fill=1),
    Feature(name="thumbs_down_trend", group="habit", scale="linear", fill=1),
    Feature(name="adverts_trend", group="habit", scale="linear", fill=1),
    Feature(name="tenure_days", group="tenure", scale="log1p", fill="median"),
    Feature(name="spells_before", group="tenure", scale="log1p", fill=0),
    Feature(name="days_since_return", group="tenure", scale="log1p", fill=365),
    Feature(name="is_female", group="person", scale="linear", fill=0.5),
    Feature(name="in_northeast", group="person", scale="linear", fill=0),
    Feature(name="in_midwest", group="person", scale="linear", fill=0),
    Feature(name="in_south", group="person", scale="linear", fill=0),
    Feature(name="in_west", group="person", scale="linear", fill=0),
    Feature(name="on_windows", group="device", scale="linear", fill=0),
    Feature(name="on_mac", group="device", scale="linear", fill=0),
    Feature(name="on_linux", group="device", scale="linear", fill=0),
    Feature(name="on_phone_or_tablet", group="device", scale="linear", fill=0),
]
# What each column that a model reads is computed by, as a hash.
DEFINITIONS = {
    "events_last_3_days": "60ec85ff385644bd",
    "events_last_7_days": "21137611718eca6d",
    "events_last_14_days": "499cba7a3930e035",
    "events_last_28_days": "5dbbe7969c03a5de",
    "events_per_day": "a5ab0930a8c482c4",
    "active_days_last_3_days": "7588a9089457246c",
    "active_days_last_7_days": "5fa4313669643ddf",
    "active_days_last_14_days": "2492cd0f06cbc26f",
    "active_days_last_28_days": "bd572a03fcfdcb8c",
    "active_days_per_day": "d57586df74d4ac48",
    "begun_sessions_last_3_days": "0bd495ca71e2c2b4",
    "begun_sessions_last_7_days": "39e6a5dcafe1199d",
    "begun_sessions_last_14_days": "129ae9466ce8cfe2",
    "begun_sessions_last_28_days": "9acb44a5876e97f6",
    "begun_sessions_per_day": "58421f48526b449b",
    "session_hours_last_3_days": "c58e27c9d8cf60c5",
    "session_hours_last_7_days": "5e2e8d459ef4f05b",
    "session_hours_last_14_days": "095e4a7ef6c57c4b",
    "session_hours_last_28_days": "ca5bc7d7f674c58f",
    "session_hours_per_day": "bd10ed610c8f4112",
    "home_visits_last_7_days": "8329b6f052dafe5f",
    "home_visits_last_28_days": "2ded3ea0796b1268",
    "home_visits_per_day": "9418c3904f357d1b",
    "logouts_last_7_days": "144269ba3177f561",
    "logouts_last_28_days": "0d889036964afae2",
    "logouts_per_day": "23d0fe88c6d26675",
    "home_visits_per_event_last_28_days": "42a29420227caeab",
    "home_visits_per_event": "23efc026143a0b23",
    "logouts_per_event_last_28_days": "585999e8bbbbaa77",
    "logouts_per_event": "0fc2976824305346",
    "events_per_session_last_28_days": "3c58ce9de976184a",
    "events_per_session": "c6faa4eb579113f9",
    "session_hours_per_session_last_28_days": "997d5193fe0232c1",
    "session_hours_per_session": "94d7aa0dd8fea19a",
    "days_since_last_seen": "20fbbe194d25aa64",
    "longest_absence_days": "99471d457a849ef1",
    "songs_last_3_days": "6bc09b0e8288bd96",
    "songs_last_7_days": "a87be1853a36b251",
    "songs_last_14_days": "dc074f90f1fc1ffc",
    "songs_last_28_days": "c00d23d448e930ac",
    "songs_per_day": "2ef27d959bdb64c0",
    "hours_listened_last_3_days": "26631f218a44809b",
    "hours_listened_last_7_days": "e9ef80f7e36eacd2",
    "hours_listened_last_14_days": "5afc8aa3b679e262",
    "hours_listened_last_28_days": "c66170b9d9736d32",
    "hours_listened_per_day": "e78d09fe565a1561",
    "songs_per_event_last_28_days": "c77c295a2efe727c",
    "songs_per_event": "aa907837ad9281db",
    "songs_per_active_day_last_28_days": "55de02057b53a4c8",
    "songs_per_active_day": "7c5336364ffd6798",
    "most_songs_in_a_day": "971902d6f6fa4f06",
    "artists_last_28_days": "6d251968b9c09005",
    "artists": "ce2ed5be740e7cac",
    "thumbs_up_last_3_days": "49bbd7fdd2acdd42",
    "thumbs_up_last_7_days": "6ca3f3c0651fe7db",
    "thumbs_up_last_14_days": "c8688fbf5c81df74",
    "thumbs_up_last_28_days": "b38a2f627139bb46",
    "thumbs_up_per_day": "eedfd228df5aac18",
    "thumbs_down_last_3_days": "e272189478c4793f",
    "thumbs_down_last_7_days": "a1c6104d901205c9",
    "thumbs_down_last_14_days": "4d5390b41392480a",
    "thumbs_down_last_28_days": "e342ab2232b1149f",
    "thumbs_down_per_day": "43a1845d31506a06",
    "playlist_adds_last_3_days": "3d0db09d32901f63",
    "playlist_adds_last_7_days": "c20b2bdf143bcf8e",
    "playlist_adds_last_14_days": "0c97a07c6e327173",
    "playlist_adds_last_28_days": "d5d65a9fa60b36e6",
    "playlist_adds_per_day": "a6f44670161e6a96",
    "friend_adds_last_3_days": "9edbdf845a8eefea",
    "friend_adds_last_7_days": "02b2a817c984e7c6",
    "friend_adds_last_14_days": "f240ddd49c5c2c2d",
    "friend_adds_last_28_days": "835a822acafbdcf6",
    "friend_adds_per_day": "c62ef21c8bd1affb",
    "thumbs_up_per_song_last_7_days": "171246bacdba7399",
    "thumbs_up_per_song_last_28_days": "8a6f72e33c1a2450",
    "thumbs_up_per_song": "b20feadc298c7631",
    "thumbs_down_per_song_last_7_days": "a55017f9b4597570",
    "thumbs_down_per_song_last_28_days": "9eb92f2d14acdcb7",
    "thumbs_down_per_song": "3651b3cf8b9462ee",
    "playlist_adds_per_song_last_28_days": "e0d67e132e628a3e",
    "playlist_adds_per_song": "a0dacc3212c515da",
    "friend_adds_per_song_last_28_days": "f14f00ffac9470ea",
    "friend_adds_per_song": "ca5bff9cb66ff37e",
    "thumbs_down_per_thumb_up_last_28_days": "14e7ae2a1322b0bc",
    "thumbs_down_per_thumb_up": "4146dbb1488f4aec",
    "adverts_last_3_days": "12de9c8a4b8e0f54",
    "adverts_last_7_days": "6d45c314a488a518",
    "adverts_last_14_days": "f1755c9f66973bf6",
    "adverts_last_28_days": "9cefaf06c99d8ca0",
    "adverts_per_day": "3f8b56c7f64f38b9",
    "adverts_per_free_song_last_7_days": "9a41df802184fb81",
    "adverts_per_free_song_last_28_days": "cf6f07e5484f6fef",
    "adverts_per_free_song": "db8db0e5d0210b1f",
    "downgrade_visits_last_3_days": "aaa63d95cd9d60d0",
    "downgrade_visits_last_7_days": "5bb8db1915c4fa81",
    "downgrade_visits_last_14_days": "455592030f4a090a",
    "downgrade_visits_last_28_days": "85bddb440b35dd37",
    "downgrade_visits_per_day": "2266154b21c576ca",
    "upgrade_visits_last_28_days": "d4ad454e72e4902a",
    "upgrade_visits_per_day": "d27989a0a5bda22e",
    "level_changes_last_28_days": "4622a71a75beb998",
    "level_changes_per_day": "c5ec7bd8a3ab6e46",
    "downgrade_visits_per_event_last_28_days": "91936af68482badf",
    "downgrade_visits_per_event": "bf83952e6cbb97e4",
    "upgrade_visits_per_event_last_28_days": "d98bf3c2a5b5d20e",
    "upgrade_visits_per_event": "a6cd45e2b5927ff8",
    "paid_events_per_event_last_7_days": "199ea3e6c3857b5d",
    "paid_events_per_event_last_28_days": "77f6558c9d3a98ed",
    "paid_events_per_event": "49ceef4fec089eff",
    "days_since_level_change": "91722f1b3a2e6002",
    "is_paid": "888a17540c3f76f9",
    "settings_visits_last_3_days": "a101bc9aa6d9a805",
    "settings_visits_last_7_days": "a2153add232955c5",
    "settings_visits_last_14_days": "2f6c60765e903c59",
    "settings_visits_last_28_days": "3fd38e2d738f09d3",
    "settings_visits_per_day": "96bb9f76fca1378a",
    "help_visits_last_3_days": "1aebf6fda2584ca5",
    "help_visits_last_7_days": "c8111dbb8312b9aa",
    "help_visits_last_14_days": "b8d1171766947096",
    "help_visits_last_28_days": "edb9b403e1f1eb99",
    "help_visits_per_day": "d75c246dd41e7175",
    "errors_last_3_days": "5ca254b7de9c0935",
    "errors_last_7_days": "7c20cdbc00c9c3c3",
    "errors_last_14_days": "e65a29fb41752caa",
    "errors_last_28_days": "840150d23e99dc16",
    "errors_per_day": "1931a5fbf4b4f9bf",
    "settings_saves_last_28_days": "64aebf11e0c5b11f",
    "settings_saves_per_day": "7cef83849060d5e3",
    "about_visits_last_28_days": "caa086b532923829",
    "about_visits_per_day": "262d7e15ff1d05f3",
    "help_visits_per_event_last_28_days": "9797201f0821cd02",
    "help_visits_per_event": "310f571cb6c3c355",
    "settings_visits_per_event_last_28_days": "e07ccf57c267b581",
    "settings_visits_per_event": "e960b6b0eca1b110",
    "errors_per_event_last_28_days": "e20750f3b4cc3927",
    "errors_per_event": "8dbd3fa36774182d",
    "events_trend": "d4cb65027d9031ee",
    "active_days_trend": "d8280a47a375679b",
    "begun_sessions_trend": "7455839738e6b0a6",
    "songs_trend": "a87d65a682688aa8",
    "thumbs_up_trend": "6ed6b08f0dcc1b82",
    "thumbs_down_trend": "d73071044b5fea3d",
    "adverts_trend": "68a79f90cd1352c8",
    "tenure_days": "e4ac390a4e4c215f",
    "spells_before": "7868100b66ffd808",
    "days_since_return": "9aaf97a4f4a007bc",
    "is_female": "12c4c9d779f3e373",
    "in_northeast": "d7465c4c88c8931a",
    "in_midwest": "f148e3dc2d2abbfe",
    "in_south": "d0ea8ec2b56d9ad0",
    "in_west": "eb34b08cdb21e14a",
    "on_windows": "f2358e769b9d894c",
    "on_mac": "8dca9cffc29e778b",
    "on_linux": "5d097b5d032e17ef",
    "on_phone_or_tablet": "abd7acd73cb1f644",
    "downgrade_visits_half_life_28": "e60ee402edb9cc80",
    "paid_events_half_life_28": "d06a941ca508ed87",
    "upgrade_visits_half_life_28": "95d0352277278b52",
    "free_events_half_life_28": "a6071ae7758da731",
    "paid_adverts_half_life_28": "68b721f32f90b17d",
    "paid_songs_half_life_28": "08a2d5e755594abb",
    "free_adverts_half_life_28": "0af771f5c51ee510",
    "free_songs_half_life_28": "0b3caba1f2b2b766",
    "thumbs_down_half_life_28": "b12d899da23a659f",
    "songs_half_life_28": "0ec95e4909d4d00d",
    "thumbs_up_half_life_28": "cbba30d26a83a011",
    "downgrade_visits_half_life_56": "b72eaa4ac65678e3",
    "paid_events_half_life_56": "7a17ee8ba73613de",
    "upgrade_visits_half_life_56": "216f55063aa389fc",
    "free_events_half_life_56": "6897d517b692dcb1",
    "paid_adverts_half_life_56": "9a57530685aa9833",
    "paid_songs_half_life_56": "a987e5005288328e",
    "free_adverts_half_life_56": "e83df7fba7d5fd1b",
    "free_songs_half_life_56": "94ced2fdf045d39e",
    "thumbs_down_half_life_56": "5014878a5c0e6aaa",
    "songs_half_life_56": "763e2bbe410baa8d",
    "thumbs_up_half_life_56": "954bdf70917443d6",
    "downgrade_visits_ever": "a95656078e85a397",
    "paid_events_ever": "8099a8a4f70181e1",
    "upgrade_visits_ever": "3208aaa20fcd9750",
    "free_events_ever": "20594114644b0893",
    "paid_adverts_ever": "15321211deffb4f6",
    "paid_songs_ever": "17bf6f756e42052c",
    "free_adverts_ever": "7e9c5ce4eefd5a26",
    "free_songs_ever": "727035f983681d23",
    "thumbs_down_ever": "cdb5b51c578bd0b1",
    "songs_ever": "0d947f2964340f3a",
    "thumbs_up_ever": "2dbe3695ea9bd814",
}


# Medians are taken from about this many rows, chosen by a hash of the user.
MEDIAN_ROWS = 20_000


def learn_inputs(train: DataFrame, rows: int, excluded: list[str]) -> list[ModelInput]:
    """The models' inputs in order: scale, what stands for a missing value, and the training median."""
    catalogue = [feature for feature in CATALOGUE if feature.name not in excluded]
    share = min(1.0, MEDIAN_ROWS / rows)
    chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
    # One sorted partition: the same medians every time.
    sample = train.where(chosen).repartition(1).sortWithinPartitions("user_id", "cutoff")
    medians_of_all = (F.percentile_approx(feature.name, 0.5).alias(feature.name) for feature in catalogue)
    (medians,) = sample.agg(*medians_of_all).collect()

    def learnt(feature: Feature) -> ModelInput:
        median: float | None = medians[feature.name]
        fill = float((median or 0) if feature.fill == "median" else feature.fill)
        return {
            "name": feature.name,
            "group": feature.group,
            "scale": feature.scale,
            "fill": fill,
            "median": float(fill if median is None else median),
            "definition": DEFINITIONS[feature.name],
        }

    return [learnt(feature) for feature in catalogue]


# From these, users are assigned to segments.
CHANNEL_COLUMNS = [
    "downgrade_visits_half_life_28",
    "paid_events_half_life_28",
    "upgrade_visits_half_life_28",
    "free_events_half_life_28",
    "paid_adverts_half_life_28",
    "paid_songs_half_life_28",
    "free_adverts_half_life_28",
    "free_songs_half_life_28",
    "thumbs_down_half_life_28",
    "songs_half_life_28",
    "thumbs_up_half_life_28",
    "downgrade_visits_half_life_56",
    "paid_events_half_life_56",
    "upgrade_visits_half_life_56",
    "free_events_half_life_56",
    "paid_adverts_half_life_56",
    "paid_songs_half_life_56",
    "free_adverts_half_life_56",
    "free_songs_half_life_56",
    "thumbs_down_half_life_56",
    "songs_half_life_56",
    "thumbs_up_half_life_56",
    "downgrade_visits_ever",
    "paid_events_ever",
    "upgrade_visits_ever",
    "free_events_ever",
    "paid_adverts_ever",
    "paid_songs_ever",
    "free_adverts_ever",
    "free_songs_ever",
    "thumbs_down_ever",
    "songs_ever",
    "thumbs_up_ever",
]


def segment_source() -> list[Column]:
    """What segments are computed from, beside the inputs: the level, and what the channels have counted."""
    return [F.coalesce(name, F.lit(0.0)).alias(name) for name in ["is_paid", *CHANNEL_COLUMNS]]


def input_array(inputs: list[ModelInput]) -> Column:
    """The values that the models see, in order: missing ones filled, long tails on a logarithmic scale."""
    filled = [f"coalesce({feature['name']}, {feature['fill']!r}D)" for feature in inputs]
    scaled = [
        f"ln(1 + {value})" if feature["scale"] == "log1p" else value
        for feature, value in zip(inputs, filled, strict=True)
    ]
    return F.expr(f"array({', '.join(scaled)})")


# --- emr-steps/fragments/folds.ts ---


def with_folds(rows: DataFrame, folds: int, seed: int) -> DataFrame:
    """Deals whole users to folds in the order of a hash, those who cancel and those who do not apart."""
    users = rows.where("role = 'train'").groupBy("user_id").agg(F.max("label").alias("cancels"))
    shuffled = F.xxhash64("user_id", F.lit(seed))
    place = F.row_number().over(Window.partitionBy("cancels").orderBy(shuffled, "user_id"))
    return rows.join(users.select("user_id", (place % folds).alias("fold")), "user_id", "left")


def prepare(
    features: DataFrame, inputs: list[ModelInput], tasks: int, settings: TrainingSettings
) -> HeldRows:
    """Training and test rows with the models' inputs and a fold, held in the same order every time."""
    known = features.where("role IN ('train', 'test')").select(
        "user_id",
        "cutoff",
        "role",
        F.col("label").cast("double").alias("label"),
        "days_since_last_seen",
        *segment_source(),
        array_to_vector(input_array(inputs)).alias("features"),
    )
    dealt = with_folds(known, settings["folds"], settings["seed"]).repartition(tasks, "user_id")
    return HeldRows(dealt.sortWithinPartitions("user_id", "cutoff"))


# --- emr-steps/fragments/model-description.ts ---


class Calibration(TypedDict):
    """The log-odds of the probability as a line over the score."""

    slope: float
    intercept: float


# --- emr-steps/fragments/mixture.ts ---


class Mixture(TypedDict):
    """Segments, the largest first: their shares of the users, and the rates of each by channel."""

    sizes: list[float]
    rates: list[list[float]]


# --- emr-steps/fragments/segment-regression.ts ---

# No posterior counts as less: beyond it a user is simply not of the segment.
LEAST_LOG_POSTERIOR = -6.0


class SegmentRegression(TypedDict):
    """What was learnt from labels: hazards of each segment while free and while paying, and the weights.

    Weights are of the log-odds of the hazard, the log posterior of each segment, the plain inputs, the products.
    """

    hazards: list[list[float]]
    plain: list[str]
    products: list[list[str]]
    intercept: float
    weights: list[float]


class SegmentModel(TypedDict):
    """The segments, and what they say about users; counts and exposures are columns of features."""

    halfLife: str
    counts: list[str]
    exposures: list[str]
    usualRates: list[float]
    mixture: Mixture
    regression: SegmentRegression


# --- emr-steps/fragments/model-description.ts ---


class ScoreBins(TypedDict):
    """Tenths of the test rows by score: the lowest score of each but the first, and the rows of each."""

    starts: list[float]
    rows: list[int]


class InputBins(TypedDict):
    """Tenths of the test rows by an input: where each but the first begins, and its rows; and how many rows lack it."""

    starts: list[float]
    rows: list[int]
    missing: int


class ModelDescription(TypedDict):
    """A model without its coefficients or trees."""

    kind: str
    inputs: list[ModelInput]
    calibration: Calibration
    scoreThresholds: dict[str, float]
    runId: str
    horizonDays: int
    testCutoff: str
    # When its last label window had ended; models of older versions lack it.
    trainedUntil: NotRequired[str]
    featuresSnapshot: str
    testScores: ScoreBins
    # Of every input that was learnt; models of older versions lack it.
    testInputs: NotRequired[dict[str, InputBins]]
    # Versions by name; models of older versions lack it.
    libraries: NotRequired[dict[str, str]]
    # Of the kinds that tell users apart.
    segments: NotRequired[SegmentModel]
    # Hash of what the columns of the segments are computed by.
    segmentDefinitions: NotRequired[dict[str, str]]


# --- emr-steps/fragments/candidates.ts ---

CandidateModel: TypeAlias = (
    classification.LogisticRegressionModel
    | classification.RandomForestClassificationModel
    | SparkXGBClassifierModel
)


# --- emr-steps/fragments/segment-scores.ts ---


def sql_sum(terms: list[str]) -> str:
    """A sum of terms; 0 of none."""
    return " + ".join(["0D", *terms])


def segment_joint(model: SegmentModel) -> list[str]:
    """Log-likelihood of a row with each segment, up to what is the same for all."""
    mixture = model["mixture"]
    joint = []
    for size, rates in zip(mixture["sizes"], mixture["rates"], strict=True):
        terms = [f"ln({size!r}D)"]
        for count, exposure, rate in zip(model["counts"], model["exposures"], rates, strict=True):
            terms.append(f"{count} * ln({rate!r}D) - {exposure} * {rate!r}D")
        joint.append(sql_sum(terms))
    return joint


def with_segments(rows: DataFrame, model: SegmentModel) -> DataFrame:
    """Adds what the models read of segments: the log-odds of the hazard, and the clipped log posteriors.

    Takes the channels' columns and is_paid. Arithmetic on plain columns, which Spark compiles.
    """
    joint = segment_joint(model)
    numbers = range(len(joint))
    tops = [f"segment_joint_{number}" for number in numbers]
    columns = dict(zip(tops, joint, strict=True))
    rows = rows.withColumns({name: F.expr(sql) for name, sql in columns.items()})
    rows = rows.withColumn("segment_top", F.expr(f"greatest({', '.join([*tops, tops[0]])})"))
    total = sql_sum([f"exp({top} - segment_top)" for top in tops])
    rows = rows.withColumn("segment_total", F.expr(f"segment_top + ln({total})"))
    hazards = [
        f"exp({top} - segment_total) * IF(is_paid = 1, {paid!r}D, {free!r}D)"
        for top, (free, paid) in zip(tops, model["regression"]["hazards"], strict=True)
    ]
    rows = rows.withColumn("segment_hazard", F.expr(sql_sum(hazards)))
    clipped = [f"greatest({top} - segment_total, {LEAST_LOG_POSTERIOR!r}D)" for top in tops]
    inputs = ["ln(segment_hazard / (1 - segment_hazard))", *clipped]
    return rows.withColumn("segment_inputs", F.expr(f"array({', '.join(inputs)})")).drop(
        *tops, "segment_top", "segment_total", "segment_hazard"
    )


def segment_score(model: SegmentModel, names: list[str]) -> str:
    """Log-odds of the regression as SQL over segment_inputs and the array input_values, whose names are given."""
    regression = model["regression"]
    segments = 1 + len(model["mixture"]["sizes"])
    values = [f"segment_inputs[{index}]" for index in range(segments)]
    plain = {name: f"input_values[{names.index(name)}]" for name in regression["plain"]}
    values += [plain[name] for name in regression["plain"]]
    values += [f"{plain[one]} * {plain[other]}" for one, other in regression["products"]]
    terms = [f"{weight!r}D * {value}" for weight, value in zip(regression["weights"], values, strict=True)]
    return sql_sum([f"{regression['intercept']!r}D", *terms])


# --- emr-steps/fragments/candidates.ts ---

# A forest may be sure; its log-odds must stay finite.
LEAST_PROBABILITY = 1e-6
SCORE_DECIMALS = 6


def rounded_score(score: Column) -> Column:
    """A raw score as it is kept: rounded so that summation order cannot show, and a zero without a sign.

    Where there are -0.0 and 0.0, which of the two equals a sort or a minimum returns depends on the processor.
    Spark rounds by decimals, which have no -0.0; the sum gives the same to whatever rounds in its place.
    """
    return F.round(score, SCORE_DECIMALS) + F.lit(0.0)


def with_segment_features(rows: DataFrame, segments: SegmentModel) -> DataFrame:
    """The vector of inputs with what segments say behind; before, as the array input_values."""
    values = with_segments(rows, segments).withColumn("input_values", vector_to_array(F.col("features")))
    return values.withColumn("features", array_to_vector(F.concat("input_values", "segment_inputs")))


def with_raw_score(
    kind: str,
    model: CandidateModel | None,
    rows: DataFrame,
    segments: SegmentModel | None = None,
    names: Sequence[str] = (),
) -> DataFrame:
    """Adds the model's uncalibrated score: log-odds.

    @param segments what the model knows of them, if its kind does; then with the names of the inputs
    """
    if kind == "base_rate":
        return rows.withColumn("raw_score", F.lit(0.0))
    if segments is not None:
        rows = with_segment_features(rows, segments)
        by_segments = F.expr(segment_score(segments, list(names)))
        if model is None:
            return rows.withColumn("raw_score", rounded_score(by_segments))
        trees = vector_to_array(F.col("rawPrediction"))[1]
        scored = model.transform(rows.withColumn("segment_score", by_segments))
        return scored.withColumn("raw_score", rounded_score((F.col("segment_score") + trees) / 2))
    if model is None:
        return rows.withColumn("raw_score", F.lit(0.0))
    scored = model.transform(rows)
    if kind == "random_forest":
        share = vector_to_array(F.col("probability"))[1]
        score = F.log((share + LEAST_PROBABILITY) / (1 - share + LEAST_PROBABILITY))
    else:
        score = vector_to_array(F.col("rawPrediction"))[1]
    return scored.withColumn("raw_score", rounded_score(score))


# --- emr-steps/fragments/boosting.ts ---

BOOSTING: dict[str, Any] = {
    "n_estimators": 250,
    "max_depth": 3,
    "learning_rate": 0.03,
    "subsample": 0.7,
    "colsample_bytree": 0.3,
    "min_child_weight": 10,
    "reg_lambda": 5,
    "tree_method": "hist",
    "device": "cpu",
}


# --- emr-steps/fragments/candidates.ts ---

PENALTY_ROWS = 400
REGRESSION_ROWS_PER_TASK = 500_000
BOOSTING_ATTEMPTS = 3
# What Spark says when an executor that ran a barrier task was lost.
BARRIER_FAILURE = "Could not recover from a failed barrier"


def boost(booster: SparkXGBClassifier, rows: DataFrame) -> SparkXGBClassifierModel:
    """Fits, and fits again when an executor was lost: Spark does not repeat barrier tasks that return a result."""
    for left in reversed(range(BOOSTING_ATTEMPTS)):
        try:
            model: SparkXGBClassifierModel = booster.fit(rows)
            break
        except QUERY_ERRORS as error:
            if left == 0 or BARRIER_FAILURE not in str(error):
                raise
    return model


def in_parts(train: DataFrame, parts: int) -> DataFrame:
    """The rows in a number of partitions, whole users in each, in the same order every time."""
    return train.repartition(parts, "user_id").sortWithinPartitions("user_id", "cutoff")


def fit_logistic_regression(train: DataFrame, rows: int, settings: TrainingSettings) -> CandidateModel:
    """Ridge-penalised logistic regression; it standardises the inputs itself.

    Few large partitions: each iteration is one quick job, and with one partition no sum depends on which
    task finishes first.
    """
    parts = in_parts(train, math.ceil(rows / REGRESSION_ROWS_PER_TASK))
    penalty = PENALTY_ROWS / rows
    regression = classification.LogisticRegression(regParam=penalty, maxIter=40, tol=1e-5)
    model: classification.LogisticRegressionModel = regression.fit(parts)
    return model


def fit_random_forest(train: DataFrame, rows: int, settings: TrainingSettings) -> CandidateModel:
    """A small forest."""
    forest = classification.RandomForestClassifier(
        seed=settings["seed"],
        numTrees=60,
        maxDepth=7,
        minInstancesPerNode=10,
        featureSubsetStrategy="sqrt",
    )
    model: classification.RandomForestClassificationModel = forest.fit(train)
    return model


def fit_boosted_trees(train: DataFrame, rows: int, settings: TrainingSettings) -> CandidateModel:
    """Gradient-boosted trees, trained by barrier tasks that each hold one partition."""
    workers = settings["boostingWorkers"]
    booster = SparkXGBClassifier(
        num_workers=workers, random_state=settings["seed"], verbose=False, **BOOSTING
    )
    return boost(booster, in_parts(train, workers))


def fit_segments_and_trees(
    train: DataFrame, segments: SegmentModel, settings: TrainingSettings
) -> CandidateModel:
    """Boosted trees that see the segments too; the regression on segments is half of the mean."""
    return fit_boosted_trees(with_segment_features(train, segments), 0, settings)


FIT: dict[str, Callable[[DataFrame, int, TrainingSettings], CandidateModel]] = {
    "logistic_regression": fit_logistic_regression,
    "random_forest": fit_random_forest,
    "boosted_trees": fit_boosted_trees,
}


# --- emr-steps/fragments/arrays.ts ---

# Numbers by bin, or by resample and bin.
Numbers: TypeAlias = npt.NDArray[np.float64]


def row_sums(amounts: Numbers) -> Numbers:
    """The sum of each row."""
    sums: Numbers = amounts.sum(axis=1)
    return sums


# --- emr-steps/fragments/histograms.ts ---

SCORE_BINS = 10000


@dataclasses.dataclass(frozen=True)
class Histogram:
    """Rows by score, lowest first, in bins that hold at least one row."""

    lower: Numbers
    score: Numbers
    positives: Numbers
    negatives: Numbers

    @property
    def rows(self) -> Numbers:
        """Rows in each bin."""
        return self.positives + self.negatives

    @property
    def has_both_outcomes(self) -> bool:
        """Whether some users cancelled and some did not: otherwise nothing can be ranked."""
        return bool(self.positives.any() and self.negatives.any())


def score_histograms(scored: DataFrame) -> dict[str, Histogram]:
    """One histogram for each sample of the rows: a bin for each score, or for quantiles where they are too many.

    Quantiles are those of all samples together: bins at those of one would be too wide where another has its rows.
    """
    by_score = scored.groupBy("raw_score", "sample").agg(
        F.count(F.lit(1)).alias("rows"), F.sum("label").alias("positives")
    )
    # One task orders the distinct scores; everything before and after it is spread.
    upwards = Window.orderBy("raw_score").rangeBetween(Window.unboundedPreceding, Window.currentRow)
    reached = F.sum("rows").over(upwards) / F.sum("rows").over(Window.partitionBy())
    scores = F.count(F.lit(1)).over(Window.partitionBy("sample"))
    lowest = F.min("raw_score").over(Window.partitionBy("quantile"))
    # Sums of decimals do not depend on the order in which tasks finish.
    weighted = F.col("raw_score").cast("decimal(20,9)") * F.col("rows")
    bins = (
        by_score.withColumn("quantile", F.floor(reached * SCORE_BINS))
        .withColumn("lower", F.when(scores <= SCORE_BINS, F.col("raw_score")).otherwise(lowest))
        .groupBy("sample", "lower")
        .agg(
            F.sum("rows").alias("rows"),
            F.sum("positives").alias("positives"),
            (F.sum(weighted).cast("double") / F.sum("rows")).alias("score"),
        )
        .toPandas()
        .sort_values("lower")
    )
    return {
        str(sample): Histogram(
            lower=part["lower"].to_numpy(dtype=float),
            score=part["score"].to_numpy(dtype=float),
            positives=part["positives"].to_numpy(dtype=float),
            negatives=(part["rows"] - part["positives"]).to_numpy(dtype=float),
        )
        for sample, part in bins.groupby("sample")
    }


def histogram_of(scored: DataFrame) -> Histogram:
    """The histogram of test rows alone, in bins at the quantiles of their own scores."""
    return score_histograms(scored.select(F.lit("out_of_fold").alias("sample"), "label", "raw_score"))[
        "out_of_fold"
    ]


def constant_histograms(counts: dict[str, Census]) -> dict[str, Histogram]:
    """The histograms of a model that gives all users the same score."""

    def one_bin(part: Census) -> Histogram:
        cancellations = np.array([float(part["cancellations"])])
        return Histogram(np.zeros(1), np.zeros(1), cancellations, part["rows"] - cancellations)

    return {"out_of_fold": one_bin(counts["train"]), "test": one_bin(counts["test"])}


# --- emr-steps/fragments/stored-figures.ts ---

FIGURE_DECIMALS = 9


def stored(figure: SupportsFloat) -> float:
    """A figure without the digits that depend on the processor.

    BLAS sums in the order that suits the processor and its cores, and numpy's exp and log have a variant for
    AVX-512: the same data differ in the last digits of a double, some 1e-15 of the figure. Rounding hides that,
    but for a figure that happens to lie on the edge between two roundings. A zero has no sign.
    """
    return round(float(figure), FIGURE_DECIMALS) + 0.0


# --- emr-steps/fragments/calibration.ts ---


def fit_log_odds(score: Numbers, positives: Numbers, negatives: Numbers) -> Calibration:
    """Slope and intercept of the log-odds of the outcome on a score."""
    model = WeightedLogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10)
    outcomes = np.repeat([1, 0], len(score))
    model.fit(np.tile(score, 2).reshape(-1, 1), outcomes, np.concatenate([positives, negatives]))
    return {"slope": stored(model.coef_[0, 0]), "intercept": stored(model.intercept_[0])}


def platt_scaling(out_of_fold: Histogram) -> Calibration:
    """Calibration of a score (Platt 1999, with his smoothed targets, which hold few positives in check)."""
    positives, negatives = out_of_fold.positives.sum(), out_of_fold.negatives.sum()
    high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
    yes = out_of_fold.positives * high + out_of_fold.negatives * low
    no = out_of_fold.rows - yes
    flat: Calibration = {"slope": 0.0, "intercept": stored(np.log(yes.sum() / no.sum()))}
    if len(out_of_fold.score) < 2:
        return flat
    fitted = fit_log_odds(out_of_fold.score, yes, no)
    # A score that ranks worse than chance says nothing: a falling probability would contradict the ranking.
    return fitted if fitted["slope"] > 0 else flat


def probability(calibration: Calibration, score: Numbers) -> Numbers:
    """Calibrated probability to cancel."""
    return 1 / (1 + np.exp(-(calibration["slope"] * score + calibration["intercept"])))


# --- emr-steps/fragments/figures.ts ---

# A metric as a function of positives and negatives by bin, one row for each resample.
Measure: TypeAlias = Callable[[Numbers, Numbers], Numbers]
RESAMPLES = 500
RESAMPLES_AT_ONCE = 50
INTERVAL = [0.025, 0.975]
RELIABILITY_BINS = 10
SLOPE_ITERATIONS = 12
LONGEST_STEP = 2.0
LIFTS: dict[MetricName, int] = {"lift_at_5": 5, "lift_at_10": 10, "lift_at_20": 20}


def auc(positives: Numbers, negatives: Numbers) -> Numbers:
    """Area under the ROC curve of each row of counts, bins from the lowest score to the highest."""
    below = np.cumsum(negatives, axis=1) - negatives / 2
    return row_sums(positives * below) / (row_sums(positives) * row_sums(negatives))


def average_precision(positives: Numbers, negatives: Numbers) -> Numbers:
    """Area under the precision-recall curve as a step function, for each row of counts."""
    falling = positives[:, ::-1]
    caught = np.cumsum(falling, axis=1)
    chosen = caught + np.cumsum(negatives[:, ::-1], axis=1)
    return row_sums(falling * caught / np.maximum(chosen, 1)) / row_sums(positives)


def lift(positives: Numbers, negatives: Numbers, share: float) -> Numbers:
    """Share of cancellers among the top of the ranking compared with their share of all, for each row of counts."""
    rows = (positives + negatives)[:, ::-1]
    before = np.cumsum(rows, axis=1) - rows
    wanted = share * rows.sum(axis=1, keepdims=True)
    taken = np.clip((wanted - before) / np.maximum(rows, 1), 0, 1)
    return row_sums(positives[:, ::-1] * taken) / row_sums(positives) / share


def bounded(step: Numbers) -> Numbers:
    """The step, or the longest one in its direction."""
    return np.clip(step, -LONGEST_STEP, LONGEST_STEP)


def recalibration_slope(positives: Numbers, negatives: Numbers, log_odds: Numbers) -> Numbers:
    """Slope of the outcome on the log-odds of the probability, for each row of counts.

    Newton's method from the probabilities as they are, for all rows at once: a library fits one sample at a time.
    Its steps are bounded: where few cancel, a sample may have no finite slope.
    """
    rows = positives + negatives
    slope, intercept = np.ones(len(rows)), np.zeros(len(rows))
    for _ in range(SLOPE_ITERATIONS):
        expected = 1 / (1 + np.exp(-(slope[:, None] * log_odds + intercept[:, None])))
        surplus, weight = positives - rows * expected, rows * expected * (1 - expected)
        plain, first, second = weight.sum(axis=1), weight @ log_odds, weight @ log_odds**2
        total, leaning = surplus.sum(axis=1), surplus @ log_odds
        determinant = np.maximum(plain * second - first**2, np.finfo(float).tiny)
        slope = slope + bounded((plain * leaning - first * total) / determinant)
        intercept = intercept + bounded((second * total - first * leaning) / determinant)
    return slope


def equal_count_bins(
    positives: Numbers, negatives: Numbers, predicted: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Users, mean probability and share that cancelled, in bins of equally many users."""
    users = positives + negatives
    before = np.concatenate([[0], np.cumsum(users)])
    cuts = np.linspace(0, before[-1], RELIABILITY_BINS + 1)

    def in_bins(amounts: Numbers) -> Numbers:
        return np.diff(np.interp(cuts, before, np.concatenate([[0], np.cumsum(amounts)])))

    in_each = in_bins(users)
    return in_each, in_bins(users * predicted) / in_each, in_bins(positives) / in_each


def calibration_error(positives: Numbers, negatives: Numbers, predicted: Numbers) -> Numbers:
    """Expected calibration error over bins of equally many users, for each row of counts."""
    errors = []
    for cancelled, stayed in zip(positives, negatives, strict=True):
        users, mean, share = equal_count_bins(cancelled, stayed, predicted)
        errors.append((users * np.abs(mean - share)).sum() / users.sum())
    return np.array(errors)


def measures(
    histogram: Histogram, calibration: Calibration, thresholds: dict[ThresholdRule, float]
) -> dict[MetricName, Measure]:
    """The metrics that can be computed, by name."""
    predicted = probability(calibration, histogram.score)
    log_odds = calibration["slope"] * histogram.score + calibration["intercept"]
    contacted = histogram.lower >= thresholds["best_balanced_accuracy"]

    def base_rate(positives: Numbers, negatives: Numbers) -> Numbers:
        return row_sums(positives) / row_sums(positives + negatives)

    def brier(positives: Numbers, negatives: Numbers) -> Numbers:
        squares = positives @ (1 - predicted) ** 2 + negatives @ predicted**2
        return squares / row_sums(positives + negatives)

    def log_loss(positives: Numbers, negatives: Numbers) -> Numbers:
        surprise: Numbers = positives @ np.log(predicted) + negatives @ np.log1p(-predicted)
        return -surprise / row_sums(positives + negatives)

    def brier_skill(positives: Numbers, negatives: Numbers) -> Numbers:
        rate = base_rate(positives, negatives)
        return 1 - brier(positives, negatives) / (rate * (1 - rate))

    def precision_ratio(positives: Numbers, negatives: Numbers) -> Numbers:
        return average_precision(positives, negatives) / base_rate(positives, negatives)

    def balanced_accuracy(positives: Numbers, negatives: Numbers) -> Numbers:
        recall = row_sums(positives[:, contacted]) / row_sums(positives)
        specificity = row_sums(negatives[:, ~contacted]) / row_sums(negatives)
        return (recall + specificity) / 2

    of_probabilities: dict[MetricName, Measure] = {
        "brier": brier,
        "log_loss": log_loss,
        "calibration_error": functools.partial(calibration_error, predicted=predicted),
    }
    if not histogram.has_both_outcomes:
        return of_probabilities
    of_slope: dict[MetricName, Measure] = {}
    if np.ptp(log_odds) > 0:
        of_slope["calibration_slope"] = functools.partial(recalibration_slope, log_odds=log_odds)
    return {
        "auc": auc,
        "average_precision": average_precision,
        "average_precision_ratio": precision_ratio,
        **{name: functools.partial(lift, share=percent / 100) for name, percent in LIFTS.items()},
        "balanced_accuracy": balanced_accuracy,
        **of_probabilities,
        "brier_skill": brier_skill,
        **of_slope,
    }


def resampled(
    histogram: Histogram, named: dict[MetricName, Measure], seed: int
) -> dict[MetricName, list[float]]:
    """95 % intervals by resampling users: with one row a user, that is resampling the histogram's counts."""
    generator = np.random.default_rng(seed)
    cells = np.concatenate([histogram.positives, histogram.negatives])
    rows = int(cells.sum())
    values: dict[MetricName, list[Numbers]] = {name: [] for name in named}
    for _ in range(RESAMPLES // RESAMPLES_AT_ONCE):
        draws = generator.multinomial(rows, cells / rows, size=RESAMPLES_AT_ONCE)
        positives, negatives = np.split(draws.astype(float), 2, axis=1)
        # Where both outcomes can be measured, a draw without one of them measures nothing.
        usable = (positives.any(axis=1) & negatives.any(axis=1)) | (not histogram.has_both_outcomes)
        for name, measure in named.items():
            values[name].append(measure(positives[usable], negatives[usable]))
    joined = {name: np.concatenate(parts) for name, parts in values.items()}
    return {name: [stored(end) for end in np.quantile(joined[name], INTERVAL)] for name in joined}


def figures(
    histogram: Histogram, calibration: Calibration, thresholds: dict[ThresholdRule, float], seed: int
) -> dict[MetricName, Estimate]:
    """How well the score ranks, and how far its probabilities can be believed; each with its 95 % interval."""
    named = measures(histogram, calibration, thresholds)
    intervals = resampled(histogram, named, seed)
    counts = histogram.positives.reshape(1, -1), histogram.negatives.reshape(1, -1)
    return {
        name: {"value": stored(measure(*counts)[0]), "low": intervals[name][0], "high": intervals[name][1]}
        for name, measure in named.items()
    }


def reliability(histogram: Histogram, calibration: Calibration) -> list[ReliabilityBin]:
    """Mean probability and share that cancelled, in bins of equally many users."""
    predicted = probability(calibration, histogram.score)
    bins = equal_count_bins(histogram.positives, histogram.negatives, predicted)
    return [
        {"predicted": stored(mean), "observed": stored(share), "users": stored(count)}
        for count, mean, share in zip(*bins, strict=True)
    ]


# --- emr-steps/fragments/decisions.ts ---


def confusion(histogram: Histogram) -> dict[str, Numbers]:
    """Outcomes when all users from a bin upwards are taken to cancel, for each bin."""
    caught = np.cumsum(histogram.positives[::-1])[::-1]
    alarmed = np.cumsum(histogram.negatives[::-1])[::-1]
    return {
        "truePositives": caught,
        "falsePositives": alarmed,
        "trueNegatives": histogram.negatives.sum() - alarmed,
        "falseNegatives": histogram.positives.sum() - caught,
    }


def shares(counts: dict[str, Numbers]) -> dict[str, Numbers]:
    """Precision, recall, F1 and balanced accuracy; a share of nothing is 0."""
    caught, alarmed = counts["truePositives"], counts["falsePositives"]
    spared, missed = counts["trueNegatives"], counts["falseNegatives"]

    def share(part: Numbers, whole: Numbers) -> Numbers:
        return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)

    recall, specificity = share(caught, caught + missed), share(spared, spared + alarmed)
    return {
        "precision": share(caught, caught + alarmed),
        "recall": recall,
        "f1": share(2 * caught, 2 * caught + alarmed + missed),
        "balancedAccuracy": (recall + specificity) / 2,
    }


RULES: dict[ThresholdRule, str] = {"best_f1": "f1", "best_balanced_accuracy": "balancedAccuracy"}


def score_thresholds(out_of_fold: Histogram) -> dict[ThresholdRule, float]:
    """Lowest score that is taken to mean a cancellation, by each rule, from out-of-fold scores alone."""
    figures = shares(confusion(out_of_fold))
    return {rule: float(out_of_fold.lower[np.argmax(figures[figure])]) for rule, figure in RULES.items()}


def decisions(
    test: Histogram, thresholds: dict[ThresholdRule, float], calibration: Calibration
) -> dict[ThresholdRule, Decision]:
    """What each threshold does to the test rows."""
    results: dict[ThresholdRule, Decision] = {}
    for rule, threshold in thresholds.items():
        upper = test.lower >= threshold
        whole = {
            "truePositives": test.positives[upper].sum(),
            "falsePositives": test.negatives[upper].sum(),
            "trueNegatives": test.negatives[~upper].sum(),
            "falseNegatives": test.positives[~upper].sum(),
        }
        counts = {name: np.array([count]) for name, count in whole.items()}
        figures = {name: float(values[0]) for name, values in {**counts, **shares(counts)}.items()}
        results[rule] = {
            "threshold": stored(probability(calibration, np.asarray(threshold))),
            "truePositives": figures["truePositives"],
            "falsePositives": figures["falsePositives"],
            "trueNegatives": figures["trueNegatives"],
            "falseNegatives": figures["falseNegatives"],
            "precision": figures["precision"],
            "recall": figures["recall"],
            "f1": figures["f1"],
            "balancedAccuracy": figures["balancedAccuracy"],
        }
    return results


# --- emr-steps/fragments/score-curve.ts ---

CURVE_BINS = 200


def score_curve(histogram: Histogram, calibration: Calibration) -> list[CurveBin]:
    """Rows in groups of adjoining scores, about equally many in each; rows of one score stay together."""
    rows, positives = histogram.rows[::-1], histogram.positives[::-1]
    predicted = probability(calibration, histogram.score[::-1])
    before = np.cumsum(rows) - rows
    groups = np.minimum(before * CURVE_BINS // rows.sum(), CURVE_BINS - 1).astype(int)

    def summed(values: Numbers) -> Numbers:
        return np.bincount(groups, weights=values, minlength=CURVE_BINS).astype(float)

    users, cancelled, expected = summed(rows), summed(positives), summed(rows * predicted)
    return [
        {
            "predicted": stored(expected[group] / users[group]),
            "users": int(users[group]),
            "cancelled": int(cancelled[group]),
        }
        for group in np.flatnonzero(users)
    ]


# --- emr-steps/fragments/evaluation.ts ---


def evaluate(
    model: ModelName,
    kind: Literal["candidate", "baseline"],
    histograms: dict[str, Histogram],
    seed: int,
    fit_seconds: float,
) -> ModelEvaluation:
    """A model's metrics on the test rows, with what was learnt from its out-of-fold scores."""
    out_of_fold = histograms["out_of_fold"]
    evaluated = evaluate_stored(
        model, histograms["test"], platt_scaling(out_of_fold), score_thresholds(out_of_fold), seed
    )
    return {**evaluated, "kind": kind, "fitSeconds": round(fit_seconds, 3)}


def evaluate_stored(
    model: ModelName,
    test: Histogram,
    calibration: Calibration,
    thresholds: dict[ThresholdRule, float],
    seed: int,
) -> ModelEvaluation:
    """The metrics of a model on test rows, with a calibration and thresholds that it has learnt before."""
    return {
        "model": model,
        "kind": "candidate",
        "metrics": figures(test, calibration, thresholds, seed),
        "decisions": decisions(test, thresholds, calibration),
        "reliability": reliability(test, calibration),
        "fitSeconds": 0,
        "curve": score_curve(test, calibration),
    }


# --- emr-steps/fragments/stability-index.ts ---

SCORE_TENTHS = 10


def score_bins(test: Histogram) -> ScoreBins:
    """Tenths of the test rows by score: the lowest score of each but the first, and the rows of each."""
    middle = np.cumsum(test.rows) - test.rows / 2
    tenth = np.floor(SCORE_TENTHS * middle / test.rows.sum())
    _, first = np.unique(tenth, return_index=True)
    rows = np.add.reduceat(test.rows, first)
    return {"starts": test.lower[first[1:]].tolist(), "rows": [int(count) for count in rows]}


# About so many users of each cutoff, chosen by a hash, are enough: chance hardly moves their index by .01.
DRIFT_USERS = 5_000


def is_in_drift_sample(tested_users: int) -> Column:
    """Whether a user is counted: as large a share of all users as is needed of those who were tested."""
    share = min(1.0, DRIFT_USERS / max(tested_users, 1))
    return F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000


INPUT_TENTHS = 10


def input_bins(test: DataFrame, names: list[str], tested_users: int) -> dict[str, InputBins]:
    """Tenths of the test rows by each input; one job for all."""
    values = test.where(is_in_drift_sample(tested_users)).select(
        F.posexplode(F.array(*names)).alias("input", "value")
    )
    known = Window.partitionBy("input", F.isnull("value"))
    rank = (F.sum("rows").over(known.orderBy("value")) - F.col("rows") / 2) / F.sum("rows").over(known)
    tenth = F.when(F.col("value").isNotNull(), F.floor(INPUT_TENTHS * rank))
    counted = (
        values.groupBy("input", "value")
        .agg(F.count(F.lit(1)).alias("rows"))
        .withColumn("tenth", tenth)
        .groupBy("input", "tenth")
        .agg(F.min("value").alias("first"), F.max("value").alias("last"), F.sum("rows").alias("rows"))
    )
    found: dict[str, list[Row]] = {name: [] for name in names}
    for row in counted.orderBy("input", "tenth").collect():
        found[names[row.input]].append(row)
    return {name: bins_of(rows) for name, rows in found.items()}


def bins_of(counted: list[Row]) -> InputBins:
    """Where each tenth begins but the first, for values that no test row has, too: these rank between their neighbours.

    @param counted test rows by tenth, in order: the first and the last of their values, and their number
    """
    missing = sum(row.rows for row in counted if row.tenth is None)
    known = [row for row in counted if row.tenth is not None]
    if not known:
        return {"starts": [], "rows": [], "missing": missing}
    total, ranked = sum(row.rows for row in known), 0
    begins: list[tuple[float, int]] = []
    rows = [0] * INPUT_TENTHS
    for row in known:
        rows[row.tenth] = row.rows
        ranked += row.rows
        behind = min(INPUT_TENTHS - 1, INPUT_TENTHS * ranked // total)
        begins += [(row.first, row.tenth), (math.nextafter(row.last, math.inf), behind)]
    starts = [next(first for first, at in begins if at >= tenth) for tenth in range(1, INPUT_TENTHS)]
    return {"starts": starts, "rows": rows, "missing": missing}


# --- emr-steps/fragments/importance.ts ---


def raw_importance(model: CandidateModel, inputs: int, train: DataFrame) -> list[float]:
    """The gain that each input brings, or its absolute standardised weight."""
    if isinstance(model, SparkXGBClassifierModel):
        gain: Mapping[str, Any] = model.get_booster().get_score(importance_type="total_gain")
        return [gain.get(f"f{index}", 0.0) for index in range(inputs)]
    if isinstance(model, classification.RandomForestClassificationModel):
        shares: list[float] = model.featureImportances.toArray().tolist()
        return shares
    (summary,) = train.select(Summarizer.std(train.features).alias("deviation")).collect()
    weights: list[float] = np.abs(model.coefficients.toArray() * summary.deviation.toArray()).tolist()
    return weights


def as_shares(amounts: Mapping[str, float]) -> dict[str, float]:
    """Amounts that add up to 1, where there are any."""
    total = sum(amounts.values()) or 1.0
    return {name: amount / total for name, amount in amounts.items()}


def importance(
    model: CandidateModel | None,
    inputs: list[ModelInput],
    train: DataFrame,
    by_segments: dict[str, float],
    segments: int,
) -> list[Importance]:
    """Each feature's share of what all inputs bring, largest first.

    @param by_segments what inputs and channels bring to a regression on segments; empty where the model has none
    @param segments inputs of the model's trees that are about segments, behind the others
    """
    regression = as_shares(by_segments)
    if model is None:
        return ranked_shares(regression)
    gains = raw_importance(model, len(inputs) + segments, train)
    amounts = {feature["name"]: gain for feature, gain in zip(inputs, gains, strict=False)}
    if not by_segments:
        return ranked_shares(amounts)
    # What segments bring to the trees is what the channels bring to the segments.
    of_channels = as_shares({name: by_segments[name] for name in by_segments if name not in amounts})
    for name, share in of_channels.items():
        amounts[name] = share * sum(gains[len(inputs) :])
    trees = as_shares(amounts)
    return ranked_shares(
        {name: trees.get(name, 0.0) + regression.get(name, 0.0) for name in {**trees, **regression}}
    )


def ranked_shares(amounts: dict[str, float]) -> list[Importance]:
    """Shares of a total, largest first; those of nothing are left out."""
    shares: list[Importance] = [
        {"feature": name, "share": round(share, 6)} for name, share in as_shares(amounts).items()
    ]
    # Ordered by the rounded shares: the last digits of equal ones would order them by chance.
    ranked = sorted(shares, key=lambda entry: (-entry["share"], entry["feature"]))
    return [entry for entry in ranked if entry["share"] > 0]


# --- emr-steps/fragments/model-storage.ts ---


def store(files: Files, folder: str, description: ModelDescription, model: CandidateModel | None) -> None:
    """Writes the model and then its description, which is what a reader looks for."""
    if model is not None:
        model.write().overwrite().save(f"{folder}/model")
    files.write_json(f"{folder}/model.json", description)


LOADERS: dict[str, Callable[[str], CandidateModel]] = {
    "logistic_regression": classification.LogisticRegressionModel.load,
    "random_forest": classification.RandomForestClassificationModel.load,
    "boosted_trees": SparkXGBClassifierModel.load,
    "segments_and_trees": SparkXGBClassifierModel.load,
}
# A regression on segments is the numbers of its description.
KINDS = {*LOADERS, "segments", "base_rate"}


def describe(files: Files, folder: str) -> ModelDescription:
    """A stored model's description."""
    if not files.exists(f"{folder}/model.json"):
        raise StepError(
            f"there is no model at {folder}",
            "train-models has not run for this plan, or its output was removed",
            "run the pipeline from train-models",
        )
    description: ModelDescription = files.read_json(f"{folder}/model.json")
    return description


def load_model(description: ModelDescription, folder: str) -> CandidateModel | None:
    """The stored model itself (none where the description says all)."""
    loader = LOADERS.get(description["kind"])
    return loader(f"{folder}/model") if loader else None


def load(files: Files, folder: str) -> tuple[ModelDescription, CandidateModel | None]:
    """A stored model's description, and the model."""
    description = describe(files, folder)
    return description, load_model(description, folder)


# --- emr-steps/fragments/paired-difference.ts ---

PAIRED_ROWS = 20_000
PAIRED_RESAMPLES = 1_000
PAIRED_AT_ONCE = 25


@dataclasses.dataclass(frozen=True)
class PairedRows:
    """Rows with the same label and the same two scores, and how many there are of each."""

    label: Numbers
    challenger: Numbers
    champion: Numbers
    rows: Numbers


def paired_rows(challenger: DataFrame, champion: DataFrame, rows: int) -> PairedRows:
    """Test rows with both scores, from frames of user_id, label and raw_score; a sample where there are many."""
    share = min(1.0, PAIRED_ROWS / rows)
    chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
    theirs = champion.select("user_id", F.col("raw_score").alias("champion"))
    cells = (
        challenger.where(chosen)
        .select("user_id", "label", F.col("raw_score").alias("challenger"))
        .join(theirs, "user_id")
        .groupBy("label", "challenger", "champion")
        .agg(F.count(F.lit(1)).alias("rows"))
        .toPandas()
        .sort_values(["label", "challenger", "champion"])
    )
    label, ours, others, counts = (cells[name].to_numpy(dtype=float) for name in cells.columns)
    return PairedRows(label, ours, others, counts)


def precision_ratios(score: Numbers, label: Numbers, weights: Numbers) -> Numbers:
    """Average precision over base rate of each row of weights."""
    order = np.argsort(score, kind="stable")
    _, first = np.unique(score[order], return_index=True)
    counts = weights[:, order]
    positives = np.add.reduceat(counts * label[order], first, axis=1)
    rows = np.add.reduceat(counts, first, axis=1)
    return average_precision(positives, rows - positives) * row_sums(rows) / row_sums(positives)


def resampled_weights(paired: PairedRows, seed: int) -> Iterator[Numbers]:
    """How often each cell is drawn, some resamples at a time; those with both outcomes only."""
    generator = np.random.default_rng(seed)
    total = int(paired.rows.sum())
    for _ in range(PAIRED_RESAMPLES // PAIRED_AT_ONCE):
        draws = generator.multinomial(total, paired.rows / total, size=PAIRED_AT_ONCE).astype(float)
        cancelled = draws @ paired.label
        yield draws[(cancelled > 0) & (cancelled < total)]


def precision_difference(paired: PairedRows, rows: int, seed: int) -> Estimate | None:
    """Challenger minus champion; none where the rows hold one outcome only.

    @param rows all test rows, of which the paired ones may be a sample
    """
    cancelled = (paired.label * paired.rows).sum()
    if cancelled == 0 or cancelled == paired.rows.sum():
        return None

    def difference(weights: Numbers) -> Numbers:
        ours = precision_ratios(paired.challenger, paired.label, weights)
        return ours - precision_ratios(paired.champion, paired.label, weights)

    value = float(difference(paired.rows.reshape(1, -1))[0])
    drawn = np.concatenate([difference(weights) for weights in resampled_weights(paired, seed)])
    low, high = np.quantile(drawn, INTERVAL)
    narrowing = np.sqrt(paired.rows.sum() / rows)
    return {
        "value": stored(value),
        "low": stored(value + (low - value) * narrowing),
        "high": stored(value + (high - value) * narrowing),
    }


# --- emr-steps/fragments/slices.ts ---


class TestedModel(NamedTuple):
    """A model's scores of the test rows (user_id, label, raw_score), and what makes them probabilities."""

    scores: DataFrame
    calibration: Calibration


# By variable; the first value that holds counts.
SLICES = {
    "level": """
    CASE
      WHEN is_paid >= 1 THEN 'paid'
      WHEN is_paid >= 0 THEN 'free'
      ELSE 'unknown'
    END
    """,
    "gender": """
    CASE
      WHEN is_female >= 1 THEN 'F'
      WHEN is_female >= 0 THEN 'M'
      ELSE 'unknown'
    END
    """,
    "device": """
    CASE
      WHEN on_phone_or_tablet >= 1 THEN 'phone or tablet'
      WHEN on_windows >= 1 THEN 'Windows'
      WHEN on_mac >= 1 THEN 'Mac'
      WHEN on_linux >= 1 THEN 'Linux'
      WHEN on_windows >= 0 THEN 'other'
      ELSE 'unknown'
    END
    """,
    "tenure": """
    CASE
      WHEN tenure_days >= 112 THEN '16 weeks or more'
      WHEN tenure_days >= 56 THEN '8 to 16 weeks'
      WHEN tenure_days >= 28 THEN '4 to 8 weeks'
      WHEN tenure_days >= 14 THEN '2 to 4 weeks'
      WHEN tenure_days >= 0 THEN 'under 2 weeks'
      ELSE 'unknown'
    END
    """,
    "region": """
    CASE
      WHEN in_northeast >= 1 THEN 'northeast'
      WHEN in_midwest >= 1 THEN 'midwest'
      WHEN in_south >= 1 THEN 'south'
      WHEN in_west >= 1 THEN 'west'
      WHEN in_northeast >= 0 THEN 'other'
      ELSE 'unknown'
    END
    """,
}

SLICE_OF_SEGMENT = "STRING(ARRAY_POSITION(SLICE(segment_inputs, 2, {segments}), ARRAY_MAX(SLICE(segment_inputs, 2, {segments}))))"

SLICE_PARTS = """
STACK(
  6,
  'level', slice_level,
  'gender', slice_gender,
  'device', slice_device,
  'tenure', slice_tenure,
  'region', slice_region,
  'segment', slice_segment
) AS (variable, value)
"""


def sliced_users(test: DataFrame, segments: SegmentModel | None) -> DataFrame:
    """The test users with their value of each variable; takes rows of features."""
    values = {f"slice_{name}": F.expr(sql) for name, sql in SLICES.items()}
    users = test.select("user_id", *(value.alias(name) for name, value in values.items()), *segment_source())
    segment = F.lit(None).cast("string")
    if segments is not None:
        users = with_segments(users, segments)
        segment = F.expr(SLICE_OF_SEGMENT.format(segments=len(segments["mixture"]["sizes"])))
    return users.select("user_id", *values, segment.alias("slice_segment"))


def sliced(
    test: DataFrame, models: dict[SlicedModel, TestedModel], segments: SegmentModel | None
) -> list[Slice]:
    """How each model did on each part of the test users: exact counts and areas, in one job.

    @param test rows of features at the test cutoff
    @param segments by which users are assigned to segments; without them, nobody is
    """
    if not models:
        return []

    def scores_of(name: SlicedModel) -> DataFrame:
        model = models[name]
        log_odds = F.col("raw_score") * model.calibration["slope"] + model.calibration["intercept"]
        # Sums of decimals do not depend on the order in which tasks finish.
        probability = (1 / (1 + F.exp(-log_odds))).cast("decimal(20,9)")
        return model.scores.select(
            F.lit(name).alias("model"), "user_id", "label", "raw_score", probability.alias("probability")
        )

    scores = functools.reduce(DataFrame.union, [scores_of(name) for name in models])
    parts = scores.join(sliced_users(test, segments), "user_id").select(
        "model", "label", "raw_score", "probability", F.expr(SLICE_PARTS)
    )
    by_score = (
        parts.where("value IS NOT NULL")
        .groupBy("model", "variable", "value", "raw_score")
        .agg(
            F.count(F.lit(1)).alias("users"),
            F.sum("label").alias("cancelled"),
            F.sum("probability").alias("predicted"),
        )
    )
    upwards = Window.partitionBy("model", "variable", "value").orderBy("raw_score")
    stayed = F.col("users") - F.col("cancelled")
    # Of pairs of one who cancelled and one who stayed, those in order; ties count half.
    in_order = F.col("cancelled") * (F.sum(stayed).over(upwards) - stayed / 2)
    rows = (
        by_score.withColumn("in_order", in_order)
        .groupBy("model", "variable", "value")
        .agg(*(F.sum(name).alias(name) for name in ["users", "cancelled", "predicted", "in_order"]))
        .orderBy("model", "variable", "value")
        .collect()
    )

    def area(pairs: float, in_order: float) -> float | None:
        return stored(in_order / pairs) if pairs else None

    return [
        {
            "model": row["model"],
            "variable": row["variable"],
            "value": row["value"],
            "users": row["users"],
            "cancelled": int(row["cancelled"]),
            "predicted": stored(row["predicted"]),
            "auc": area(row["cancelled"] * (row["users"] - row["cancelled"]), row["in_order"]),
        }
        for row in rows
    ]


# --- emr-steps/fragments/champion.ts ---

# A model that was tested together with a challenger: frames of user_id, label and raw_score.
TEST_SCORE_COLUMNS = ["user_id", "label", "raw_score"]


class CheckedChampion(NamedTuple):
    """How the champion does, and its scores of the test rows where it is usable; nothing without a champion."""

    test: ChampionTest | None
    model: TestedModel | None


def why_not_usable(description: ModelDescription, horizon_days: int) -> str | None:
    """Why a stored model cannot score the rows of this run; none when it can."""
    if description["horizonDays"] != horizon_days:
        return f"it predicts {description['horizonDays']} days ahead, and this run {horizon_days}"
    stored_inputs = {feature["name"]: feature.get("definition") for feature in description["inputs"]}
    stored_inputs.update(description.get("segmentDefinitions", {}))
    if None in stored_inputs.values():
        return "an older version stored it, without the definitions of its inputs"
    changed = [name for name, definition in stored_inputs.items() if DEFINITIONS.get(name) != definition]
    if changed:
        return f"the feature catalogue has changed since: {', '.join(sorted(changed))}"
    if description["kind"] not in KINDS:
        return f"this version has no model of the kind {description['kind']}"
    return None


def readable(error: Exception) -> str:
    """The first line of an error, shortened."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def scored_by(description: ModelDescription, model: CandidateModel | None, test: DataFrame) -> DataFrame:
    """Test rows with the stored model's score, one row a user."""
    rows = test.select(
        "user_id",
        F.col("label").cast("double").alias("label"),
        *segment_source(),
        array_to_vector(input_array(description["inputs"])).alias("features"),
    )
    names = [feature["name"] for feature in description["inputs"]]
    scored = with_raw_score(description["kind"], model, rows, description.get("segments"), names)
    return scored.select(*TEST_SCORE_COLUMNS)


def check_champion(
    files: Files, plan: Plan, test: DataFrame, cutoff: datetime.date, challenger: DataFrame | None
) -> CheckedChampion:
    """How the champion does on the test rows, and how much better the challenger ranks.

    @param challenger the challenger's test rows with their scores; none when there is no challenger
    """
    in_charge = plan["champion"]
    if in_charge is None:
        return CheckedChampion(None, None)
    checked: ChampionTest = {
        "runId": in_charge["runId"],
        "modelUri": in_charge["modelUri"],
        "testCutoff": in_charge["testCutoff"],
        "notUsable": None,
        "comparable": False,
        "evaluation": None,
        "difference": None,
        "testScores": None,
    }
    settings = plan["training"]
    try:
        description = describe(files, in_charge["modelUri"])
        reason = why_not_usable(description, settings["horizonDays"])
        model = load_model(description, in_charge["modelUri"]) if reason is None else None
    except Exception as error:
        # Whatever is wrong with its files, the run goes on without it, and people read why.
        traceback.print_exc()
        reason = f"its files cannot be read: {readable(error)}"
    if reason is not None:
        checked["notUsable"] = reason
        return CheckedChampion(checked, None)

    scored = scored_by(description, model, test).cache()
    histogram = histogram_of(scored)
    rows = int(histogram.rows.sum())
    difference = None
    if challenger is not None:
        paired = paired_rows(challenger, scored, rows)
        difference = precision_difference(paired, rows, settings["seed"])
    trained_until = description.get("trainedUntil", description["testCutoff"])
    kind = cast(ModelName, description["kind"])
    thresholds = cast(dict[ThresholdRule, float], description["scoreThresholds"])
    checked["comparable"] = trained_until <= str(cutoff)
    checked["evaluation"] = evaluate_stored(
        kind, histogram, description["calibration"], thresholds, settings["seed"]
    )
    checked["difference"] = difference
    checked["testScores"] = {**score_bins(histogram)}
    return CheckedChampion(checked, TestedModel(scored, description["calibration"]))


# --- emr-steps/fragments/single-inputs.ts ---

# One row each of about so many users, chosen by a hash.
SINGLE_INPUT_USERS = 20_000
SINGLE_INPUTS = 5
# Two-sided 99.9 % quantile of the normal distribution.
SINGLE_INPUT_QUANTILE = 3.29


def single_inputs(train: DataFrame, inputs: list[ModelInput], users: int) -> list[SingleInput]:
    """The inputs that rank best by themselves, in whichever direction; strongest first.

    One training row a user, so that rows are independent: of the user's cancellation if there is one. An input
    has learnt nothing, so all training rows are out of fold for it.
    """
    share = min(1.0, SINGLE_INPUT_USERS / max(users, 1))
    chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
    newest = F.struct("label", "cutoff")
    rows = (
        train.where(chosen)
        .groupBy("user_id")
        .agg(F.max_by(F.struct("label", input_array(inputs).alias("values")), newest).alias("row"))
        .select("row.label", "row.values")
        .toPandas()
    )
    labels = rows["label"].to_numpy(dtype=float)
    positives, negatives = labels.sum(), len(labels) - labels.sum()
    if positives == 0 or negatives == 0:
        return []
    values = np.array(rows["values"].tolist(), dtype=float)
    ranks = np.array([mean_ranks(values[:, index])[labels == 1].sum() for index in range(len(inputs))])
    below = ranks - positives * (positives + 1) / 2
    area = below / (positives * negatives)
    strength = np.maximum(area, 1 - area)
    low = strength - SINGLE_INPUT_QUANTILE * area_deviation(strength, positives, negatives)
    found: list[SingleInput] = [
        {"feature": feature["name"], "auc": stored(strength[index]), "low": stored(low[index])}
        for index, feature in enumerate(inputs)
    ]
    return sorted(found, key=lambda entry: (-entry["low"], entry["feature"]))[:SINGLE_INPUTS]


def mean_ranks(values: Numbers) -> Numbers:
    """The rank of each value from 1 upwards; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def area_deviation(area: Numbers, positives: float, negatives: float) -> Numbers:
    """Standard error of an AUC (Hanley and McNeil, Radiology 143, 1982)."""
    concordant_positives, concordant_negatives = area / (2 - area), 2 * area**2 / (1 + area)
    spread = (
        area * (1 - area)
        + (positives - 1) * (concordant_positives - area**2)
        + (negatives - 1) * (concordant_negatives - area**2)
    )
    deviation: Numbers = np.sqrt(np.maximum(spread, 0) / (positives * negatives))
    return deviation


# --- emr-steps/fragments/past-cutoffs.ts ---

PAST_FOLDS = 3
LEAST_TRAINING_CUTOFFS = 2
# Learns everything again from the training rows: the candidate, if it could be fitted, and the recency baseline.
Judge: TypeAlias = Callable[
    [DataFrame, dict[str, Census], TrainingSettings], tuple[ModelEvaluation | None, ModelEvaluation]
]


def ended_by(features: DataFrame, cutoff: datetime.date, horizon_days: int) -> DataFrame:
    """The rows at an earlier cutoff as test rows, and as training rows those whose labels were known by then."""
    is_test = F.col("cutoff") == F.lit(cutoff)
    has_ended = F.date_add("cutoff", horizon_days) <= F.lit(cutoff)
    known = features.where("role IN ('train', 'past')").where(is_test | has_ended)
    return known.withColumn("role", F.when(is_test, "test").otherwise("train"))


def past_cutoffs(features: DataFrame, horizon_days: int) -> dict[datetime.date, int]:
    """The earlier cutoffs that can be tested, oldest first, and how many cutoffs each may learn from."""
    horizon = datetime.timedelta(days=horizon_days)
    rows = features.where("role IN ('train', 'past')").select("cutoff").distinct().collect()
    days = sorted(row.cutoff for row in rows)
    ended = {day: sum(earlier + horizon <= day for earlier in days) for day in days}
    return {day: count for day, count in ended.items() if count >= LEAST_TRAINING_CUTOFFS}


def tested_before(features: DataFrame, settings: TrainingSettings, judge: Judge) -> list[PastTest]:
    """One row for each earlier cutoff, oldest first."""
    folded: TrainingSettings = {**settings, "folds": min(PAST_FOLDS, settings["folds"])}
    horizon_days = settings["horizonDays"]
    tests: list[PastTest] = []
    for cutoff, training_cutoffs in past_cutoffs(features, horizon_days).items():
        rows = ended_by(features, cutoff, horizon_days)
        counts = census(rows)
        train, test = counts["train"], counts["test"]
        candidate, recency = judge(rows, counts, folded)
        tests.append(
            {
                "cutoff": str(cutoff),
                "trainCutoffs": training_cutoffs,
                "trainRows": train["rows"],
                "trainCancellations": train["cancellations"],
                "testRows": test["rows"],
                "testCancellations": test["cancellations"],
                "metrics": candidate["metrics"] if candidate else {},
                "predicted": predicted_cancellations(candidate) if candidate else None,
                "recency": recency["metrics"],
            }
        )
    return tests


def predicted_cancellations(evaluation: ModelEvaluation) -> float:
    """What the probabilities of the test rows add up to."""
    return sum(part["predicted"] * part["users"] for part in evaluation["reliability"])


# --- emr-steps/fragments/mixture.ts ---

MOST_SEGMENTS = 7
MIXTURE_STARTS = 3
MIXTURE_ITERATIONS = 200
# EM ends when an iteration raises the log-likelihood by less than this share of it.
MIXTURE_TOLERANCE = 1e-6
# Rates start around the usual ones, and are drawn towards them as if so many events at the usual rate had been seen.
START_SPREAD = 0.5
USUAL_EVENTS = 1.0
# A gain in log-likelihood a user that is none: more segments then split the typical users.
NEGLIGIBLE_GAIN = 0.005
# Parameters are stored with so many digits: the others depend on the processor.
PARAMETER_DIGITS = 7


class ChannelCounts(NamedTuple):
    """Counts and exposures: a row for each user, a column for each channel."""

    counts: Numbers
    exposures: Numbers


class MixtureFit(NamedTuple):
    """One end of EM."""

    log_likelihood: float
    sizes: Numbers
    rates: Numbers


def counts_of(users: ChannelCounts, chosen: npt.NDArray[np.bool_]) -> ChannelCounts:
    """Those of some users."""
    return ChannelCounts(users.counts[chosen], users.exposures[chosen])


def log_joint(users: ChannelCounts, sizes: Numbers, rates: Numbers) -> Numbers:
    """Log-likelihood of each user with each segment, up to what is the same for all segments."""
    joint: Numbers = users.counts @ np.log(rates).T - users.exposures @ rates.T + np.log(sizes)
    return joint


def log_totals(joint: Numbers) -> Numbers:
    """Logarithm of the sum of each row's exponentials."""
    top = joint.max(axis=1)
    totals: Numbers = top + np.log(np.exp(joint - top[:, None]).sum(axis=1))
    return totals


def log_posteriors(users: ChannelCounts, mixture: Mixture) -> Numbers:
    """Logarithm of the probability of each segment, by user."""
    joint = log_joint(users, np.array(mixture["sizes"]), np.array(mixture["rates"]))
    return joint - log_totals(joint)[:, None]


def usual_rates(users: ChannelCounts) -> Numbers:
    """The rates of all users together; above 0 where no event was seen."""
    rates: Numbers = (users.counts.sum(axis=0) + USUAL_EVENTS) / (users.exposures.sum(axis=0) + 1)
    return rates


def fit_from(users: ChannelCounts, sizes: Numbers, rates: Numbers) -> MixtureFit:
    """EM from a start; sizes as if each segment had one user more, rates drawn towards the usual ones."""
    usual = usual_rates(users)
    before = -np.inf
    for _ in range(MIXTURE_ITERATIONS):
        joint = log_joint(users, sizes, rates)
        totals = log_totals(joint)
        belongs = np.exp(joint - totals[:, None])
        sizes = (belongs.sum(axis=0) + 1) / (len(totals) + len(sizes))
        rates = (belongs.T @ users.counts + USUAL_EVENTS) / (
            belongs.T @ users.exposures + USUAL_EVENTS / usual
        )
        reached = float(totals.sum())
        if reached - before < MIXTURE_TOLERANCE * abs(reached):
            break
        before = reached
    return MixtureFit(reached, sizes, rates)


def fit_segments(users: ChannelCounts, segments: int, seed: int) -> MixtureFit:
    """The best of a few starts."""
    generator = np.random.default_rng(seed)
    usual = usual_rates(users)
    starts = (
        usual * np.exp(generator.normal(0, START_SPREAD, (segments, len(usual))))
        for _ in range(MIXTURE_STARTS)
    )
    even = np.full(segments, 1 / segments)
    return max((fit_from(users, even, start) for start in starts), key=lambda fit: fit.log_likelihood)


def number_of_segments(users: ChannelCounts, seed: int) -> int:
    """The fewest segments whose held-out likelihood is within one standard error of the best."""
    is_learnt = np.arange(len(users.counts)) % 2 == 0
    learnt, held_out = counts_of(users, is_learnt), counts_of(users, ~is_learnt)
    likelihoods = []
    for segments in range(1, MOST_SEGMENTS + 1):
        fit = fit_segments(learnt, segments, seed)
        likelihoods.append(log_totals(log_joint(held_out, fit.sizes, fit.rates)))
    best = max(likelihoods, key=lambda likelihood: float(likelihood.mean()))
    for segments, likelihood in enumerate(likelihoods, start=1):
        behind = best - likelihood
        error = behind.std() / np.sqrt(len(behind))
        if behind.mean() <= max(error, NEGLIGIBLE_GAIN):
            return segments
    return MOST_SEGMENTS


def fit_mixture(users: ChannelCounts, segments: int, seed: int) -> Mixture:
    """The segments of these users as they are stored, the largest first."""
    fit = fit_segments(users, segments, seed)
    order = np.argsort(-fit.sizes, kind="stable")
    return {
        "sizes": [parameter(size) for size in fit.sizes[order]],
        "rates": [[parameter(rate) for rate in rates] for rates in fit.rates[order]],
    }


def parameter(value: float) -> float:
    """A number as it is stored."""
    return float(f"{value:.{PARAMETER_DIGITS}g}")


# --- emr-steps/fragments/segment-regression.ts ---

HALF_LIVES = ["28", "56", "none"]
CHANNEL_COUNTS = {
    "28": [
        "thumbs_up_half_life_28",
        "thumbs_down_half_life_28",
        "free_adverts_half_life_28",
        "paid_adverts_half_life_28",
        "upgrade_visits_half_life_28",
        "downgrade_visits_half_life_28",
    ],
    "56": [
        "thumbs_up_half_life_56",
        "thumbs_down_half_life_56",
        "free_adverts_half_life_56",
        "paid_adverts_half_life_56",
        "upgrade_visits_half_life_56",
        "downgrade_visits_half_life_56",
    ],
    "none": [
        "thumbs_up_ever",
        "thumbs_down_ever",
        "free_adverts_ever",
        "paid_adverts_ever",
        "upgrade_visits_ever",
        "downgrade_visits_ever",
    ],
}
CHANNEL_EXPOSURES = {
    "28": [
        "songs_half_life_28",
        "songs_half_life_28",
        "free_songs_half_life_28",
        "paid_songs_half_life_28",
        "free_events_half_life_28",
        "paid_events_half_life_28",
    ],
    "56": [
        "songs_half_life_56",
        "songs_half_life_56",
        "free_songs_half_life_56",
        "paid_songs_half_life_56",
        "free_events_half_life_56",
        "paid_events_half_life_56",
    ],
    "none": [
        "songs_ever",
        "songs_ever",
        "free_songs_ever",
        "paid_songs_ever",
        "free_events_ever",
        "paid_events_ever",
    ],
}
SEGMENT_PLAIN_INPUTS = [
    "is_paid",
    "days_since_last_seen",
    "tenure_days",
    "events_per_day",
    "begun_sessions_per_day",
    "active_days_per_day",
]
SEGMENT_PRODUCTS = [
    ["events_per_day", "events_per_day"],
    ["begun_sessions_per_day", "begun_sessions_per_day"],
    ["events_per_day", "begun_sessions_per_day"],
    ["is_paid", "events_per_day"],
    ["is_paid", "begun_sessions_per_day"],
]
# Hazards are drawn towards that of the level as if so many users of it had been seen.
HAZARD_USERS = 20.0
RIDGE_PENALTY = 20.0
# With fewer users, or fewer who cancel, segments differ by chance.
LEAST_SEGMENT_USERS = 150
LEAST_SEGMENT_CANCELLERS = 20


class SegmentRows(NamedTuple):
    """Training rows of the sample, in order of user and cutoff; plain inputs by name, counts by half-life."""

    users: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    labels: Numbers
    is_paid: Numbers
    plain: dict[str, Numbers]
    channels: dict[str, ChannelCounts]

    def newest(self) -> npt.NDArray[np.bool_]:
        """The newest row of each user."""
        return np.append(self.users[1:] != self.users[:-1], True)


class SegmentFit(NamedTuple):
    """The model of all training users, and those that did not see the users of a fold."""

    whole: SegmentModel
    by_fold: list[SegmentModel]


def clipped_posteriors(logarithms: Numbers) -> Numbers:
    """Log posteriors as the regression reads them."""
    return np.maximum(logarithms, LEAST_LOG_POSTERIOR)


def learn_hazards(logarithms: Numbers, labels: Numbers, is_paid: Numbers) -> Numbers:
    """The share of a segment's rows that cancel, while free and while paying."""
    posteriors = np.exp(logarithms)
    hazards = np.empty((posteriors.shape[1], 2))
    for level in (0, 1):
        chosen = is_paid == level
        usual = (labels[chosen].sum() + labels.mean() * HAZARD_USERS) / (chosen.sum() + HAZARD_USERS)
        cancelled = posteriors[chosen].T @ labels[chosen]
        hazards[:, level] = (cancelled + usual * HAZARD_USERS) / (
            posteriors[chosen].sum(axis=0) + HAZARD_USERS
        )
    return hazards


def segment_columns(
    logarithms: Numbers, hazards: Numbers, is_paid: Numbers, plain: dict[str, Numbers], names: list[str]
) -> Numbers:
    """The columns of the regression."""
    hazard = (np.exp(logarithms) * hazards[:, is_paid.astype(int)].T).sum(axis=1)
    products = [plain[one] * plain[other] for one, other in usable_products(names)]
    return np.column_stack(
        [
            np.log(hazard / (1 - hazard)),
            clipped_posteriors(logarithms),
            *(plain[name] for name in names),
            *products,
        ]
    )


def usable_products(names: list[str]) -> list[list[str]]:
    """The products of inputs that there are: a run may exclude some."""
    return [pair for pair in SEGMENT_PRODUCTS if all(name in names for name in pair)]


def fit_regression(
    rows: SegmentRows, logarithms: Numbers, chosen: npt.NDArray[np.bool_]
) -> SegmentRegression:
    """Hazards and weights from some of the rows, by the log posteriors of all."""
    names = list(rows.plain)
    plain = {name: values[chosen] for name, values in rows.plain.items()}
    labels, is_paid = rows.labels[chosen], rows.is_paid[chosen]
    hazards = learn_hazards(logarithms[chosen], labels, is_paid)
    columns = segment_columns(logarithms[chosen], hazards, is_paid, plain, names)
    mean, spread = columns.mean(axis=0), columns.std(axis=0)
    # What is the same for all users says nothing.
    varies = spread > 1e-9
    scaled = np.where(varies, (columns - mean) / np.where(varies, spread, 1), 0)
    ridge = RidgeRegression(C=1 / RIDGE_PENALTY, solver="newton-cholesky", tol=1e-8).fit(scaled, labels)
    weights = np.where(varies, ridge.coef_[0] / np.where(varies, spread, 1), 0)
    return {
        "hazards": [[parameter(hazard) for hazard in levels] for levels in hazards],
        "plain": names,
        "products": usable_products(names),
        "intercept": parameter(ridge.intercept_[0] - weights @ mean),
        "weights": [parameter(weight) for weight in weights],
    }


def regression_scores(rows: SegmentRows, logarithms: Numbers, regression: SegmentRegression) -> Numbers:
    """Log-odds of each row."""
    hazards = np.array(regression["hazards"])
    columns = segment_columns(logarithms, hazards, rows.is_paid, rows.plain, regression["plain"])
    scores: Numbers = columns @ np.array(regression["weights"]) + regression["intercept"]
    return scores


def mean_log_loss(labels: Numbers, scores: Numbers) -> float:
    """Mean negative log likelihood of log-odds."""
    return float((np.logaddexp(0, scores) - labels * scores).mean())


def fit_half_life(rows: SegmentRows, half_life: str, folds: int, seed: int) -> tuple[float, SegmentFit]:
    """Segments by counts of one half-life: the out-of-fold log loss, and the models."""
    channels = rows.channels[half_life]
    newest = counts_of(channels, rows.newest())
    mixture = fit_mixture(newest, number_of_segments(newest, seed), seed)
    logarithms = log_posteriors(channels, mixture)

    def model(chosen: npt.NDArray[np.bool_]) -> SegmentModel:
        return {
            "halfLife": half_life,
            "counts": CHANNEL_COUNTS[half_life],
            "exposures": CHANNEL_EXPOSURES[half_life],
            "usualRates": [parameter(rate) for rate in usual_rates(newest)],
            "mixture": mixture,
            "regression": fit_regression(rows, logarithms, chosen),
        }

    scores = np.zeros(len(rows.labels))
    by_fold = []
    for fold in range(folds):
        held_out = rows.folds == fold
        by_fold.append(model(~held_out))
        scores[held_out] = regression_scores(rows, logarithms, by_fold[-1]["regression"])[held_out]
    return mean_log_loss(rows.labels, scores), SegmentFit(model(np.ones(len(scores), dtype=bool)), by_fold)


def fit_segment_models(rows: SegmentRows, folds: int, seed: int) -> SegmentFit | None:
    """The models of the half-life with the least out-of-fold log loss; none where too few users cancel."""
    users = int(rows.newest().sum())
    cancellers = len(np.unique(rows.users[rows.labels == 1]))
    if users < LEAST_SEGMENT_USERS or cancellers < LEAST_SEGMENT_CANCELLERS:
        return None
    tried = [fit_half_life(rows, half_life, folds, seed) for half_life in HALF_LIVES]
    return min(tried, key=lambda one: one[0])[1]


# --- emr-steps/fragments/segment-sample.ts ---

SEGMENT_USERS = 20_000
# Users of long logs have many rows; so many are plenty for a few dozen parameters.
SEGMENT_ROWS = 150_000


def segment_rows(rows: DataFrame, names: list[str], users: int, train_rows: int) -> SegmentRows:
    """The training rows of the sample, in order of user and cutoff; takes prepared rows and the inputs' names."""
    share = min(1.0, SEGMENT_USERS / max(users, 1), SEGMENT_ROWS / max(train_rows, 1))
    chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
    plain = [name for name in SEGMENT_PLAIN_INPUTS if name in names]
    columns = list(dict.fromkeys(itertools.chain(*CHANNEL_COUNTS.values(), *CHANNEL_EXPOSURES.values())))
    inputs = vector_to_array(F.col("features"))
    collected = (
        rows.where("role = 'train'")
        .where(chosen)
        .select(
            "user_id",
            "cutoff",
            F.col("fold").cast("double").alias("fold"),
            F.array(
                "label",
                "is_paid",
                *(inputs[names.index(name)] for name in plain),
                *(F.col(column) for column in columns),
            ).alias("values"),
        )
        .toPandas()
        .sort_values(["user_id", "cutoff"])
    )
    values = np.array(collected["values"].tolist(), dtype=float).reshape(-1, 2 + len(plain) + len(columns))
    place = {column: values[:, 2 + len(plain) + index] for index, column in enumerate(columns)}

    def columns_of(chosen_columns: list[str]) -> Numbers:
        return np.column_stack([place[column] for column in chosen_columns])

    return SegmentRows(
        users=np.unique(collected["user_id"].to_numpy(), return_inverse=True)[1],
        folds=collected["fold"].to_numpy(dtype=np.int64),
        labels=values[:, 0],
        is_paid=values[:, 1],
        plain={name: values[:, 2 + index] for index, name in enumerate(plain)},
        channels={
            half_life: ChannelCounts(
                columns_of(CHANNEL_COUNTS[half_life]), columns_of(CHANNEL_EXPOSURES[half_life])
            )
            for half_life in HALF_LIVES
        },
    )


# --- emr-steps/fragments/segment-importance.ts ---

CHANNELS = 6


def segment_importance(rows: SegmentRows, model: SegmentModel, seed: int) -> dict[str, float]:
    """By how much the log loss rises when the values of an input, or of a channel, are dealt to other rows."""
    generator = np.random.default_rng(seed)
    channels = rows.channels[model["halfLife"]]
    logarithms = log_posteriors(channels, model["mixture"])

    def loss(rows: SegmentRows, logarithms: Numbers) -> float:
        return mean_log_loss(rows.labels, regression_scores(rows, logarithms, model["regression"]))

    usual = loss(rows, logarithms)
    rises = {}
    for name, values in rows.plain.items():
        dealt = rows._replace(plain={**rows.plain, name: generator.permutation(values)})
        rises[name] = loss(dealt, logarithms) - usual
    for channel in range(CHANNELS):
        order = generator.permutation(len(rows.labels))
        counts, exposures = channels.counts.copy(), channels.exposures.copy()
        counts[:, channel], exposures[:, channel] = counts[order, channel], exposures[order, channel]
        dealt_posteriors = log_posteriors(ChannelCounts(counts, exposures), model["mixture"])
        rises[model["counts"][channel]] = loss(rows, dealt_posteriors) - usual
    return {name: max(rise, 0.0) for name, rise in rises.items()}


def described_segments(model: SegmentModel) -> list[Segment]:
    """The segments as people read them."""
    return [
        {
            "size": size,
            "rates": [
                {"rate": rate, "usual": usual} for rate, usual in zip(rates, model["usualRates"], strict=True)
            ],
            "freeHazard": free,
            "paidHazard": paid,
        }
        for size, rates, (free, paid) in zip(
            model["mixture"]["sizes"],
            model["mixture"]["rates"],
            model["regression"]["hazards"],
            strict=True,
        )
    ]


# --- emr-steps/fragments/held-out-losses.ts ---

# Whole users in each, so that the spread between them holds what a user's rows have in common.
LOSS_PARTS = 200


@dataclasses.dataclass(frozen=True)
class HeldOutLosses:
    """Log loss of out-of-fold rows, and their number, by part of the users."""

    losses: Numbers
    rows: Numbers


def held_out_losses(scored: DataFrame, calibration: Calibration) -> HeldOutLosses:
    """Takes frames of sample, user_id, label and raw_score."""
    log_odds = calibration["slope"] * F.col("raw_score") + calibration["intercept"]
    loss = F.log1p(F.exp(-F.abs(log_odds))) + F.greatest(log_odds, F.lit(0.0)) - F.col("label") * log_odds
    parts = (
        scored.where("sample = 'out_of_fold'")
        .groupBy(F.pmod(F.xxhash64("user_id"), F.lit(LOSS_PARTS)).alias("part"))
        # A sum of decimals does not depend on the order of its parts.
        .agg(
            F.sum(loss.cast("decimal(20,9)")).cast("double").alias("loss"),
            F.count(F.lit(1)).alias("rows"),
        )
        .collect()
    )
    losses, rows = np.zeros(LOSS_PARTS), np.zeros(LOSS_PARTS)
    for part in parts:
        losses[part.part], rows[part.part] = part.loss, part.rows
    return HeldOutLosses(losses, rows)


def is_constant(scored: DataFrame) -> bool:
    """Whether a model gives all test rows, or all rows of a fold, one score: then it has learnt nothing there."""
    bounds = scored.groupBy("sample", "fold").agg(
        F.min("raw_score").alias("least"), F.max("raw_score").alias("most"), F.count(F.lit(1)).alias("rows")
    )
    return any(part.least == part.most and part.rows > 1 for part in bounds.collect())


def simplest_of_the_best(candidates: Sequence[HeldOutLosses]) -> int:
    """The first candidate that is worse than the best by no more than the standard error of their difference."""
    best = min(candidates, key=lambda candidate: float(candidate.losses.sum()))
    rows = best.rows.sum()
    parts = max(int((best.rows > 0).sum()), 2)
    for place, candidate in enumerate(candidates):
        behind = candidate.losses - best.losses
        mean = behind.sum() / rows
        spread = ((behind - mean * best.rows) ** 2).sum() * parts / (parts - 1)
        if mean <= np.sqrt(spread) / rows:
            return place
    return len(candidates) - 1


# --- emr-steps/fragments/survival.ts ---

SURVIVAL_TIMES = """
SELECT
  has_cancelled,
  GREATEST(DATEDIFF(first_at, registered_at), 0) AS entered,
  GREATEST(DATEDIFF(left_at, registered_at), DATEDIFF(first_at, registered_at), 0) + 1 AS ended,
  STACK(
    3,
    'all', 'all',
    'level', first_level,
    'joined', IF(
      registered_at < (SELECT MIN(first_at) FROM {users}),
      'before the log', STRING(DATE(DATE_TRUNC('WEEK', registered_at)))
    )
  ) AS (grouping, value)
FROM {users}
WHERE registered_at IS NOT NULL
"""

SURVIVAL_CHANGES = """
SELECT grouping, value, day, SUM(entered) AS entered, SUM(cancelled) AS cancelled, SUM(ended) AS ended
FROM (
  SELECT grouping, value, entered AS day, 1 AS entered, 0 AS cancelled, 0 AS ended FROM survival_times
  UNION ALL
  SELECT grouping, value, ended, 0, INT(has_cancelled), 1 FROM survival_times
)
GROUP BY grouping, value, day
"""

LEAST_AT_RISK = 10
NORMAL_QUANTILE_95 = 1.959964


class Change(NamedTuple):
    """How many users enter before the end of a day, and of those at risk on it, how many end, and how many by cancelling."""

    day: int
    entered: int
    cancelled: int
    ended: int


def survival_points(changes: Iterable[Change]) -> list[SurvivalPoint]:
    """The product-limit estimate on the days on which somebody cancels, with its log-log interval.

    It begins on the first day with enough users at risk: it says who stays of those who have got there.
    """
    points: list[SurvivalPoint] = []
    at_risk, share, variance, has_begun = 0, 1.0, 0.0, False
    for change in sorted(changes):
        has_begun = has_begun or at_risk >= LEAST_AT_RISK
        if change.cancelled and has_begun:
            share *= 1 - change.cancelled / at_risk
            left = at_risk - change.cancelled
            variance += change.cancelled / (at_risk * left) if left else 0.0
            low, high = share, share
            if 0 < share < 1:
                width = NORMAL_QUANTILE_95 * math.sqrt(variance) / abs(math.log(share))
                low, high = share ** math.exp(width), share ** math.exp(-width)
            points.append(
                {
                    "day": change.day,
                    "atRisk": at_risk,
                    "cancelled": change.cancelled,
                    "survival": stored(share),
                    "low": stored(low),
                    "high": stored(high),
                }
            )
        at_risk += change.entered - change.ended
    return points


def survival_curves(spark: SparkSession, users: str) -> list[SurvivalCurve]:
    """The curves of all users and of each group, from one row a user."""
    spark.sql(SURVIVAL_TIMES.format(users=users)).createOrReplaceTempView("survival_times")
    rows = sorted(spark.sql(SURVIVAL_CHANGES).collect())
    curves: list[SurvivalCurve] = []
    for (grouping, value), of_group in itertools.groupby(rows, key=lambda row: (row.grouping, row.value)):
        changes = [Change(row.day, row.entered, row.cancelled, row.ended) for row in of_group]
        curves.append(
            {
                "grouping": grouping,
                "value": value,
                "users": sum(change.entered for change in changes),
                "points": survival_points(changes),
            }
        )
    return curves


# --- emr-steps/fragments/days-with-spells.ts ---

DAYS_WITH_SPELLS = """
WITH neighbours AS (
  SELECT
    *,
    COALESCE(first_session_id = LAG(last_session_id) OVER chronology, FALSE) AS continues_session,
    LAG(last_session_ended_at) OVER chronology AS previous_session_ended_at,
    DATEDIFF(day, LAG(day) OVER chronology) AS absence_days,
    LEAD(day) OVER chronology AS next_day,
    MAX(last_cancelled_at) OVER chronology AS latest_cancelled_at
  FROM {user_days}
  WINDOW chronology AS (PARTITION BY user_id ORDER BY day)
),
ends AS (
  SELECT *, COALESCE(last_event_at <= latest_cancelled_at + INTERVAL 30 MINUTES, FALSE) AS spell_ended
  FROM neighbours
)
SELECT
  *,
  CASE
    WHEN spell_ended THEN NULL
    WHEN LAG(spell_ended) OVER chronology OR last_cancelled_at IS NOT NULL THEN IF(
      first_event_at > latest_cancelled_at + INTERVAL 30 MINUTES,
      first_event_at,
      GREATEST(last_session_started_at, latest_cancelled_at)
    )
  END AS returned_at,
  COLLECT_LIST(IF(cancellations > 0, day, NULL)) OVER (PARTITION BY user_id) AS cancelled_on,
  COLLECT_LIST(IF(spell_ended, STRUCT(day AS after, COALESCE(next_day, DATE '9999-12-31') AS until), NULL))
    OVER (PARTITION BY user_id) AS absences,
  sessions - INT(continues_session) AS begun_sessions,
  session_seconds + IF(
    continues_session,
    TIMESTAMPDIFF(MILLISECOND, previous_session_ended_at, first_session_started_at) / 1000,
    0
  ) AS joined_session_seconds
FROM ends
WINDOW chronology AS (PARTITION BY user_id ORDER BY day)
"""


def days_with_spells(user_days: DataFrame) -> DataFrame:
    """The days, with what they say about the spells of their users."""
    return user_days.sparkSession.sql(DAYS_WITH_SPELLS, user_days=user_days)


# --- emr-steps/fragments/hazards.ts ---

DAYS_AT_RISK = """
SELECT
  user_id,
  cancelled,
  -- Days since a Sunday, 4 January 1970.
  DATEDIFF(day, DATE '1970-01-04') AS first,
  DATEDIFF(last, DATE '1970-01-04') AS last,
  DATEDIFF(day, changed_on) AS since_first,
  DATEDIFF(last, changed_on) AS since_last
FROM (
  SELECT
    user_id,
    day,
    IF(spell_ended, day, DATE_SUB(COALESCE(next_day, DATE '{end}'), 1)) AS last,
    last_cancelled_at IS NOT NULL AS cancelled,
    MAX(IF(upgrades + downgrades > 0, day, NULL)) OVER chronology AS changed_on,
    COALESCE(
      spell_ended
        AND LAG(spell_ended) OVER chronology
        AND last_event_at <= LAG(latest_cancelled_at) OVER chronology + INTERVAL 30 MINUTES,
      FALSE
    ) AS is_trailing
  FROM {days}
  WINDOW chronology AS (PARTITION BY user_id ORDER BY day)
)
WHERE NOT is_trailing
"""

DAYS_AT_RISK_BY_USER = """
SELECT
  user_id,
  SUM(FLOOR((last - 0) / 7) - FLOOR((first - 1 - 0) / 7)) AS days_0,
  COUNT_IF(cancelled AND PMOD(first, 7) = 0) AS cancelled_0,
  SUM(FLOOR((last - 1) / 7) - FLOOR((first - 1 - 1) / 7)) AS days_1,
  COUNT_IF(cancelled AND PMOD(first, 7) = 1) AS cancelled_1,
  SUM(FLOOR((last - 2) / 7) - FLOOR((first - 1 - 2) / 7)) AS days_2,
  COUNT_IF(cancelled AND PMOD(first, 7) = 2) AS cancelled_2,
  SUM(FLOOR((last - 3) / 7) - FLOOR((first - 1 - 3) / 7)) AS days_3,
  COUNT_IF(cancelled AND PMOD(first, 7) = 3) AS cancelled_3,
  SUM(FLOOR((last - 4) / 7) - FLOOR((first - 1 - 4) / 7)) AS days_4,
  COUNT_IF(cancelled AND PMOD(first, 7) = 4) AS cancelled_4,
  SUM(FLOOR((last - 5) / 7) - FLOOR((first - 1 - 5) / 7)) AS days_5,
  COUNT_IF(cancelled AND PMOD(first, 7) = 5) AS cancelled_5,
  SUM(FLOOR((last - 6) / 7) - FLOOR((first - 1 - 6) / 7)) AS days_6,
  COUNT_IF(cancelled AND PMOD(first, 7) = 6) AS cancelled_6,
  SUM(IF(since_last IS NULL, 0, GREATEST(0, LEAST(since_last, 0) - GREATEST(since_first, 0) + 1))) AS days_7,
  COUNT_IF(cancelled AND since_first >= 0 AND since_first <= 0) AS cancelled_7,
  SUM(IF(since_last IS NULL, 0, GREATEST(0, LEAST(since_last, 3) - GREATEST(since_first, 1) + 1))) AS days_8,
  COUNT_IF(cancelled AND since_first >= 1 AND since_first <= 3) AS cancelled_8,
  SUM(IF(since_last IS NULL, 0, GREATEST(0, LEAST(since_last, 7) - GREATEST(since_first, 4) + 1))) AS days_9,
  COUNT_IF(cancelled AND since_first >= 4 AND since_first <= 7) AS cancelled_9,
  SUM(IF(since_last IS NULL, 0, GREATEST(0, LEAST(since_last, 14) - GREATEST(since_first, 8) + 1))) AS days_10,
  COUNT_IF(cancelled AND since_first >= 8 AND since_first <= 14) AS cancelled_10,
  SUM(IF(since_last IS NULL, 0, GREATEST(0, LEAST(since_last, 28) - GREATEST(since_first, 15) + 1))) AS days_11,
  COUNT_IF(cancelled AND since_first >= 15 AND since_first <= 28) AS cancelled_11,
  SUM(IF(since_last IS NULL, 0, GREATEST(0, since_last - GREATEST(since_first, 29) + 1))) AS days_12,
  COUNT_IF(cancelled AND since_first >= 29) AS cancelled_12,
  SUM(IF(since_last IS NULL, last - first + 1, 0)) AS days_13,
  COUNT_IF(cancelled AND since_first IS NULL) AS cancelled_13
FROM {stretches}
GROUP BY user_id
"""

DAYS_AT_RISK_IN_ALL = """
SELECT
  COUNT_IF(days_0 > 0) AS users_0,
  COALESCE(SUM(days_0), 0) AS days_0,
  COALESCE(SUM(cancelled_0), 0) AS cancelled_0,
  COUNT_IF(days_1 > 0) AS users_1,
  COALESCE(SUM(days_1), 0) AS days_1,
  COALESCE(SUM(cancelled_1), 0) AS cancelled_1,
  COUNT_IF(days_2 > 0) AS users_2,
  COALESCE(SUM(days_2), 0) AS days_2,
  COALESCE(SUM(cancelled_2), 0) AS cancelled_2,
  COUNT_IF(days_3 > 0) AS users_3,
  COALESCE(SUM(days_3), 0) AS days_3,
  COALESCE(SUM(cancelled_3), 0) AS cancelled_3,
  COUNT_IF(days_4 > 0) AS users_4,
  COALESCE(SUM(days_4), 0) AS days_4,
  COALESCE(SUM(cancelled_4), 0) AS cancelled_4,
  COUNT_IF(days_5 > 0) AS users_5,
  COALESCE(SUM(days_5), 0) AS days_5,
  COALESCE(SUM(cancelled_5), 0) AS cancelled_5,
  COUNT_IF(days_6 > 0) AS users_6,
  COALESCE(SUM(days_6), 0) AS days_6,
  COALESCE(SUM(cancelled_6), 0) AS cancelled_6,
  COUNT_IF(days_7 > 0) AS users_7,
  COALESCE(SUM(days_7), 0) AS days_7,
  COALESCE(SUM(cancelled_7), 0) AS cancelled_7,
  COUNT_IF(days_8 > 0) AS users_8,
  COALESCE(SUM(days_8), 0) AS days_8,
  COALESCE(SUM(cancelled_8), 0) AS cancelled_8,
  COUNT_IF(days_9 > 0) AS users_9,
  COALESCE(SUM(days_9), 0) AS days_9,
  COALESCE(SUM(cancelled_9), 0) AS cancelled_9,
  COUNT_IF(days_10 > 0) AS users_10,
  COALESCE(SUM(days_10), 0) AS days_10,
  COALESCE(SUM(cancelled_10), 0) AS cancelled_10,
  COUNT_IF(days_11 > 0) AS users_11,
  COALESCE(SUM(days_11), 0) AS days_11,
  COALESCE(SUM(cancelled_11), 0) AS cancelled_11,
  COUNT_IF(days_12 > 0) AS users_12,
  COALESCE(SUM(days_12), 0) AS days_12,
  COALESCE(SUM(cancelled_12), 0) AS cancelled_12,
  COUNT_IF(days_13 > 0) AS users_13,
  COALESCE(SUM(days_13), 0) AS days_13,
  COALESCE(SUM(cancelled_13), 0) AS cancelled_13
FROM {users}
"""

# Variable and value of each part of the days, in the order of the columns.
HAZARD_VARIABLES: list[HazardVariable] = [
    "weekday",
    "weekday",
    "weekday",
    "weekday",
    "weekday",
    "weekday",
    "weekday",
    "level_change",
    "level_change",
    "level_change",
    "level_change",
    "level_change",
    "level_change",
    "level_change",
]
HAZARD_VALUES = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "same day",
    "1 to 3 days",
    "4 to 7 days",
    "8 to 14 days",
    "15 to 28 days",
    "29 days or more",
    "no change seen",
]


def daily_hazards(user_days: DataFrame, end: datetime.date) -> list[Hazard]:
    """How many days users were at risk before the end of the log, and on how many of them one cancelled."""
    spark = user_days.sparkSession
    days = days_with_spells(user_days.where(F.col("day") < F.lit(end)))
    stretches = spark.sql(DAYS_AT_RISK, days=days, end=end)
    users = spark.sql(DAYS_AT_RISK_BY_USER, stretches=stretches)
    (totals,) = spark.sql(DAYS_AT_RISK_IN_ALL, users=users).collect()
    return [
        {
            "variable": variable,
            "value": value,
            "users": totals[f"users_{index}"],
            "days": totals[f"days_{index}"],
            "cancelled": totals[f"cancelled_{index}"],
        }
        for index, (variable, value) in enumerate(zip(HAZARD_VARIABLES, HAZARD_VALUES, strict=True))
    ]


# --- emr-steps/fragments/exploration.ts ---

EXPLORED_USERS = """
SELECT
  user_id,
  MAX(last_cancelled_at) IS NOT NULL AS has_cancelled,
  COALESCE(MIN(last_cancelled_at), TIMESTAMP_NTZ '{end}') AS left_at,
  MIN(first_event_at) AS first_at,
  MAX_BY(registered_at, last_event_at) AS registered_at,
  COALESCE(MAX_BY(level, last_event_at), 'unknown') AS level,
  COALESCE(MIN_BY(level, first_event_at), 'unknown') AS first_level,
  COALESCE(MAX_BY(gender, last_event_at), 'unknown') AS gender,
  MAX_BY(location, last_event_at) AS location,
  MAX_BY(user_agent, last_event_at) AS user_agent,
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
  SUM(sessions) AS sessions,
  SUM(session_seconds) AS session_seconds,
  SUM(events) AS events,
  SUM(IF(DAYOFWEEK(day) = 1, events, 0)) AS weekday_1,
  SUM(IF(DAYOFWEEK(day) = 2, events, 0)) AS weekday_2,
  SUM(IF(DAYOFWEEK(day) = 3, events, 0)) AS weekday_3,
  SUM(IF(DAYOFWEEK(day) = 4, events, 0)) AS weekday_4,
  SUM(IF(DAYOFWEEK(day) = 5, events, 0)) AS weekday_5,
  SUM(IF(DAYOFWEEK(day) = 6, events, 0)) AS weekday_6,
  SUM(IF(DAYOFWEEK(day) = 7, events, 0)) AS weekday_7,
  SUM(SHIFTRIGHT(active_hours, 0) & 1) AS hour_0,
  SUM(SHIFTRIGHT(active_hours, 1) & 1) AS hour_1,
  SUM(SHIFTRIGHT(active_hours, 2) & 1) AS hour_2,
  SUM(SHIFTRIGHT(active_hours, 3) & 1) AS hour_3,
  SUM(SHIFTRIGHT(active_hours, 4) & 1) AS hour_4,
  SUM(SHIFTRIGHT(active_hours, 5) & 1) AS hour_5,
  SUM(SHIFTRIGHT(active_hours, 6) & 1) AS hour_6,
  SUM(SHIFTRIGHT(active_hours, 7) & 1) AS hour_7,
  SUM(SHIFTRIGHT(active_hours, 8) & 1) AS hour_8,
  SUM(SHIFTRIGHT(active_hours, 9) & 1) AS hour_9,
  SUM(SHIFTRIGHT(active_hours, 10) & 1) AS hour_10,
  SUM(SHIFTRIGHT(active_hours, 11) & 1) AS hour_11,
  SUM(SHIFTRIGHT(active_hours, 12) & 1) AS hour_12,
  SUM(SHIFTRIGHT(active_hours, 13) & 1) AS hour_13,
  SUM(SHIFTRIGHT(active_hours, 14) & 1) AS hour_14,
  SUM(SHIFTRIGHT(active_hours, 15) & 1) AS hour_15,
  SUM(SHIFTRIGHT(active_hours, 16) & 1) AS hour_16,
  SUM(SHIFTRIGHT(active_hours, 17) & 1) AS hour_17,
  SUM(SHIFTRIGHT(active_hours, 18) & 1) AS hour_18,
  SUM(SHIFTRIGHT(active_hours, 19) & 1) AS hour_19,
  SUM(SHIFTRIGHT(active_hours, 20) & 1) AS hour_20,
  SUM(SHIFTRIGHT(active_hours, 21) & 1) AS hour_21,
  SUM(SHIFTRIGHT(active_hours, 22) & 1) AS hour_22,
  SUM(SHIFTRIGHT(active_hours, 23) & 1) AS hour_23,
  SUM(BIT_COUNT(active_hours)) AS active_hours,
  SUM(session_seconds) / 3600D AS hours,
  (DATEDIFF(IF(MAX(last_cancelled_at) IS NULL, DATE_SUB('{end}', 1), MAX(day)), MIN(day)) + 1) / 7D AS weeks
FROM {days}
WHERE day < DATE '{end}'
GROUP BY user_id
"""

EXPLORED_GROUPS = """
SELECT variable, value, COUNT_IF(has_cancelled) AS churned, COUNT_IF(NOT has_cancelled) AS stayed
FROM (
  SELECT has_cancelled, STACK(
    5,
    'level', level,
    'gender', gender,
    'device', CASE WHEN user_agent IS NULL THEN 'unknown'
    WHEN CONTAINS(user_agent, 'iPhone') THEN 'iPhone'
    WHEN CONTAINS(user_agent, 'iPad') THEN 'iPad'
    WHEN CONTAINS(user_agent, 'Android') THEN 'Android'
    WHEN CONTAINS(user_agent, 'Windows') THEN 'Windows'
    WHEN CONTAINS(user_agent, 'Macintosh') THEN 'Mac'
    WHEN CONTAINS(user_agent, 'Linux') THEN 'Linux'
    ELSE 'other' END,
    'tenure', CASE WHEN registered_at IS NULL THEN 'unknown'
    WHEN DATEDIFF(left_at, registered_at) >= 112 THEN '16 weeks or more'
    WHEN DATEDIFF(left_at, registered_at) >= 56 THEN '8 to 16 weeks'
    WHEN DATEDIFF(left_at, registered_at) >= 28 THEN '4 to 8 weeks'
    WHEN DATEDIFF(left_at, registered_at) >= 14 THEN '2 to 4 weeks'
    ELSE 'under 2 weeks' END,
    'state', COALESCE(NULLIF(REGEXP_EXTRACT(location, ', ([A-Z][A-Z])', 1), ''), 'unknown')
  ) AS (variable, value)
  FROM explored_users
)
GROUP BY variable, value
"""

EXPLORED_FIGURES = """
SELECT
  has_cancelled,
  COUNT(*) AS users,
  SUM(songs) / NULLIF(SUM(hours), 0) AS page_songs,
  SUM(home_visits) / NULLIF(SUM(hours), 0) AS page_home_visits,
  SUM(thumbs_up) / NULLIF(SUM(hours), 0) AS page_thumbs_up,
  SUM(thumbs_down) / NULLIF(SUM(hours), 0) AS page_thumbs_down,
  SUM(playlist_adds) / NULLIF(SUM(hours), 0) AS page_playlist_adds,
  SUM(friend_adds) / NULLIF(SUM(hours), 0) AS page_friend_adds,
  SUM(adverts) / NULLIF(SUM(hours), 0) AS page_adverts,
  SUM(logouts) / NULLIF(SUM(hours), 0) AS page_logouts,
  SUM(downgrade_visits) / NULLIF(SUM(hours), 0) AS page_downgrade_visits,
  SUM(downgrades) / NULLIF(SUM(hours), 0) AS page_downgrades,
  SUM(upgrade_visits) / NULLIF(SUM(hours), 0) AS page_upgrade_visits,
  SUM(upgrades) / NULLIF(SUM(hours), 0) AS page_upgrades,
  SUM(help_visits) / NULLIF(SUM(hours), 0) AS page_help_visits,
  SUM(settings_visits) / NULLIF(SUM(hours), 0) AS page_settings_visits,
  SUM(settings_saves) / NULLIF(SUM(hours), 0) AS page_settings_saves,
  SUM(about_visits) / NULLIF(SUM(hours), 0) AS page_about_visits,
  SUM(errors) / NULLIF(SUM(hours), 0) AS page_errors,
  SUM(weekday_1) / NULLIF(SUM(events), 0) AS weekday_1,
  SUM(weekday_2) / NULLIF(SUM(events), 0) AS weekday_2,
  SUM(weekday_3) / NULLIF(SUM(events), 0) AS weekday_3,
  SUM(weekday_4) / NULLIF(SUM(events), 0) AS weekday_4,
  SUM(weekday_5) / NULLIF(SUM(events), 0) AS weekday_5,
  SUM(weekday_6) / NULLIF(SUM(events), 0) AS weekday_6,
  SUM(weekday_7) / NULLIF(SUM(events), 0) AS weekday_7,
  SUM(hour_0) / NULLIF(SUM(active_hours), 0) AS hour_0,
  SUM(hour_1) / NULLIF(SUM(active_hours), 0) AS hour_1,
  SUM(hour_2) / NULLIF(SUM(active_hours), 0) AS hour_2,
  SUM(hour_3) / NULLIF(SUM(active_hours), 0) AS hour_3,
  SUM(hour_4) / NULLIF(SUM(active_hours), 0) AS hour_4,
  SUM(hour_5) / NULLIF(SUM(active_hours), 0) AS hour_5,
  SUM(hour_6) / NULLIF(SUM(active_hours), 0) AS hour_6,
  SUM(hour_7) / NULLIF(SUM(active_hours), 0) AS hour_7,
  SUM(hour_8) / NULLIF(SUM(active_hours), 0) AS hour_8,
  SUM(hour_9) / NULLIF(SUM(active_hours), 0) AS hour_9,
  SUM(hour_10) / NULLIF(SUM(active_hours), 0) AS hour_10,
  SUM(hour_11) / NULLIF(SUM(active_hours), 0) AS hour_11,
  SUM(hour_12) / NULLIF(SUM(active_hours), 0) AS hour_12,
  SUM(hour_13) / NULLIF(SUM(active_hours), 0) AS hour_13,
  SUM(hour_14) / NULLIF(SUM(active_hours), 0) AS hour_14,
  SUM(hour_15) / NULLIF(SUM(active_hours), 0) AS hour_15,
  SUM(hour_16) / NULLIF(SUM(active_hours), 0) AS hour_16,
  SUM(hour_17) / NULLIF(SUM(active_hours), 0) AS hour_17,
  SUM(hour_18) / NULLIF(SUM(active_hours), 0) AS hour_18,
  SUM(hour_19) / NULLIF(SUM(active_hours), 0) AS hour_19,
  SUM(hour_20) / NULLIF(SUM(active_hours), 0) AS hour_20,
  SUM(hour_21) / NULLIF(SUM(active_hours), 0) AS hour_21,
  SUM(hour_22) / NULLIF(SUM(active_hours), 0) AS hour_22,
  SUM(hour_23) / NULLIF(SUM(active_hours), 0) AS hour_23,
  PERCENTILE_APPROX(
    1D * sessions / NULLIF(weeks, 0),
    ARRAY(0.1, 0.25, 0.5, 0.75, 0.9), 1000
  ) AS measure_sessions_per_week,
  PERCENTILE_APPROX(
    0.0002777777777777778D * session_seconds / NULLIF(weeks, 0),
    ARRAY(0.1, 0.25, 0.5, 0.75, 0.9), 1000
  ) AS measure_hours_per_week,
  PERCENTILE_APPROX(
    0.016666666666666666D * session_seconds / NULLIF(sessions, 0),
    ARRAY(0.1, 0.25, 0.5, 0.75, 0.9), 1000
  ) AS measure_minutes_per_session,
  PERCENTILE_APPROX(
    1D * songs / NULLIF(hours, 0),
    ARRAY(0.1, 0.25, 0.5, 0.75, 0.9), 1000
  ) AS measure_songs_per_hour,
  PERCENTILE_APPROX(
    100D * thumbs_up / NULLIF(songs, 0),
    ARRAY(0.1, 0.25, 0.5, 0.75, 0.9), 1000
  ) AS measure_thumbs_up_per_100_songs,
  PERCENTILE_APPROX(
    100D * thumbs_down / NULLIF(songs, 0),
    ARRAY(0.1, 0.25, 0.5, 0.75, 0.9), 1000
  ) AS measure_thumbs_down_per_100_songs,
  PERCENTILE_APPROX(
    1D * adverts / NULLIF(hours, 0),
    ARRAY(0.1, 0.25, 0.5, 0.75, 0.9), 1000
  ) AS measure_adverts_per_hour,
  PERCENTILE_APPROX(
    100D * playlist_adds / NULLIF(songs, 0),
    ARRAY(0.1, 0.25, 0.5, 0.75, 0.9), 1000
  ) AS measure_playlist_adds_per_100_songs,
  PERCENTILE_APPROX(
    1D * friend_adds / NULLIF(weeks, 0),
    ARRAY(0.1, 0.25, 0.5, 0.75, 0.9), 1000
  ) AS measure_friend_adds_per_week,
  PERCENTILE_APPROX(
    1D * errors / NULLIF(weeks, 0),
    ARRAY(0.1, 0.25, 0.5, 0.75, 0.9), 1000
  ) AS measure_errors_per_week
FROM explored_users
GROUP BY has_cancelled
"""

EXPLORED_PAGES = [
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
]
EXPLORED_MEASURES = [
    "sessions_per_week",
    "hours_per_week",
    "minutes_per_session",
    "songs_per_hour",
    "thumbs_up_per_100_songs",
    "thumbs_down_per_100_songs",
    "adverts_per_hour",
    "playlist_adds_per_100_songs",
    "friend_adds_per_week",
    "errors_per_week",
]
WEEKDAYS = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
]
HOURS = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
    23,
]


def explored_figure(name: str, column: str, rows: dict[bool, Row]) -> ExploredFigure:
    """A figure of those who cancelled and of those who stayed."""
    churned, stayed = (rows[which][column] if which in rows else None for which in (True, False))
    return {
        "name": name,
        "churned": None if churned is None else stored(churned),
        "stayed": None if stayed is None else stored(stayed),
    }


def explored_measure(name: str, rows: dict[bool, Row]) -> ExploredMeasure:
    """The quantiles of a measure among those who cancelled and those who stayed."""
    churned, stayed = (rows[which][f"measure_{name}"] if which in rows else None for which in (True, False))
    return {
        "name": name,
        "churned": [stored(quantile) for quantile in churned or []],
        "stayed": [stored(quantile) for quantile in stayed or []],
    }


def explore(spark: SparkSession, user_days: DataFrame, end: datetime.date) -> Exploration:
    """Who leaves, by what was known of the users before the end of the log."""
    user_days.createOrReplaceTempView("explored_days")
    users = spark.sql(EXPLORED_USERS.format(days="explored_days", end=end)).cache()
    users.createOrReplaceTempView("explored_users")
    try:
        groups = spark.sql(EXPLORED_GROUPS).collect()
        rows = {row.has_cancelled: row for row in spark.sql(EXPLORED_FIGURES).collect()}
        curves = survival_curves(spark, "explored_users")
    finally:
        users.unpersist()
    held: list[ExploredGroup] = [
        {"variable": row.variable, "value": row.value, "churned": row.churned, "stayed": row.stayed}
        for row in sorted(groups, key=lambda row: (row.variable, -row.churned - row.stayed, row.value))
    ]
    return {
        "churned": rows[True].users if True in rows else 0,
        "stayed": rows[False].users if False in rows else 0,
        "groups": held,
        "measures": [explored_measure(name, rows) for name in EXPLORED_MEASURES],
        "pages": [explored_figure(name, f"page_{name}", rows) for name in EXPLORED_PAGES],
        "weekdays": [
            explored_figure(name, f"weekday_{index}", rows) for index, name in enumerate(WEEKDAYS, 1)
        ],
        "hours": [explored_figure(str(hour), f"hour_{hour}", rows) for hour in HOURS],
        "survival": curves,
        "hazards": daily_hazards(user_days, end),
    }


# --- emr-steps/fragments/channel-rates.ts ---

CHANNEL_GROUPS = [
    "enjoyment",
    "enjoyment",
    "adverts",
    "adverts",
    "subscription",
    "subscription",
]


def counts_of_channels(segments: SegmentModel | None) -> list[str]:
    """The columns that count the events of the channels."""
    return segments["counts"] if segments else []


def channel_rates(segments: SegmentModel | None) -> list[str]:
    """Events per exposure of each channel, in SQL; null without exposure."""
    if segments is None:
        return []
    channels = zip(segments["counts"], segments["exposures"], strict=True)
    return [f"{count} / NULLIF({exposure}, 0)" for count, exposure in channels]


# --- emr-steps/fragments/scores-in-numpy.ts ---


@dataclasses.dataclass(frozen=True)
class UserValues:
    """What models read of users, a row for each; a column for each input, and for each channel of the segments."""

    inputs: Numbers
    is_paid: Numbers
    channels: ChannelCounts


@dataclasses.dataclass(frozen=True)
class Forest:
    """The nodes of all trees one after another; a leaf leads to itself."""

    roots: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: Numbers
    # Of each node two: where a value goes that is not above the threshold, and where one goes that is.
    children: npt.NDArray[np.int64]
    # Of training rows in the node, the share that cancelled.
    share: Numbers
    depth: int


@dataclasses.dataclass(frozen=True)
class ScoreFunction:
    """A candidate as numpy computes it."""

    model: CandidateModel | None
    segments: SegmentModel | None
    names: list[str]
    forest: Forest | None

    def __call__(self, users: UserValues) -> Numbers:
        """Log-odds of each user, rounded as raw scores are."""
        return np.round(self.exact(users), SCORE_DECIMALS) + 0.0

    def exact(self, users: UserValues) -> Numbers:
        """Log-odds of each user."""
        if self.segments is None:
            return self.of_inputs(users.inputs)
        regression = self.segments["regression"]
        columns = segment_columns(
            log_posteriors(users.channels, self.segments["mixture"]),
            np.array(regression["hazards"]),
            users.is_paid,
            {name: users.inputs[:, self.names.index(name)] for name in regression["plain"]},
            regression["plain"],
        )
        by_segments: Numbers = columns @ np.array(regression["weights"]) + regression["intercept"]
        if self.model is None:
            return by_segments
        told = columns[:, : 1 + len(self.segments["mixture"]["sizes"])]
        return (by_segments + self.of_inputs(np.column_stack([users.inputs, told]))) / 2

    def of_inputs(self, inputs: Numbers) -> Numbers:
        """Log-odds by the model of Spark or XGBoost."""
        if self.forest is not None:
            share = forest_shares(self.forest, inputs)
            return np.log((share + LEAST_PROBABILITY) / (1 - share + LEAST_PROBABILITY))
        if isinstance(self.model, SparkXGBClassifierModel):
            margins: Numbers = self.model.get_booster().inplace_predict(inputs, predict_type="margin")
            return margins.astype(float)
        if isinstance(self.model, classification.LogisticRegressionModel):
            log_odds: Numbers = inputs @ self.model.coefficients.toArray() + self.model.intercept
            return log_odds
        return np.zeros(len(inputs))


def score_function(
    spark: SparkSession,
    model: CandidateModel | None,
    segments: SegmentModel | None,
    names: list[str],
    folder: str,
) -> ScoreFunction:
    """A candidate that has been stored in a folder; takes the names of its inputs, in their order."""
    is_forest = isinstance(model, classification.RandomForestClassificationModel)
    return ScoreFunction(model, segments, names, read_forest(spark, folder) if is_forest else None)


def read_forest(spark: SparkSession, folder: str) -> Forest:
    """The trees of a stored forest, from the files in which Spark keeps them: in memory they are the JVM's."""
    node = "nodeData"
    nodes = (
        spark.read.parquet(f"{folder}/model/data")
        .select(
            F.col("treeID").alias("tree"),
            F.col(f"{node}.id").alias("id"),
            F.col(f"{node}.split.featureIndex").alias("feature"),
            F.try_element_at(f"{node}.split.leftCategoriesOrThreshold", F.lit(1)).alias("threshold"),
            F.col(f"{node}.leftChild").alias("left"),
            F.col(f"{node}.rightChild").alias("right"),
            F.element_at(f"{node}.impurityStats", 1).alias("stayed"),
            F.element_at(f"{node}.impurityStats", 2).alias("cancelled"),
        )
        .toPandas()
        .sort_values(["tree", "id"])
    )
    tree = nodes["tree"].to_numpy(dtype=np.int64)
    roots = np.searchsorted(tree, np.unique(tree))
    place = np.arange(len(nodes))
    feature = nodes["feature"].to_numpy(dtype=np.int64)
    is_leaf = feature < 0
    first = roots[np.unique(tree, return_inverse=True)[1]]
    sides = [first + nodes[side].to_numpy(dtype=np.int64) for side in ("left", "right")]
    children = np.column_stack([np.where(is_leaf, place, side) for side in sides])
    cancelled, stayed = nodes["cancelled"].to_numpy(dtype=float), nodes["stayed"].to_numpy(dtype=float)
    return Forest(
        roots=roots,
        feature=np.maximum(feature, 0),
        threshold=nodes["threshold"].fillna(0).to_numpy(dtype=float),
        children=children.ravel(),
        share=cancelled / (cancelled + stayed),
        depth=forest_depth(roots, children),
    )


def forest_depth(roots: npt.NDArray[np.int64], children: npt.NDArray[np.int64]) -> int:
    """Steps from the roots after which every path has ended."""
    depth, reached = 0, roots
    while (children[reached] != reached[:, None]).any():
        depth, reached = depth + 1, np.unique(children[reached])
    return depth


def forest_shares(forest: Forest, inputs: Numbers) -> Numbers:
    """The mean share of the leaves that each user reaches."""
    values, width = np.ascontiguousarray(inputs).ravel(), inputs.shape[1]
    start = (np.arange(len(inputs)) * width)[:, None]
    reached = np.broadcast_to(forest.roots, (len(inputs), len(forest.roots)))
    for _ in range(forest.depth):
        is_above = values[start + forest.feature[reached]] > forest.threshold[reached]
        reached = forest.children[2 * reached + is_above]
    shares: Numbers = forest.share[reached].mean(axis=1)
    return shares


# --- emr-steps/fragments/feature-ranges.ts ---

# A band holds about a tenth of the users, or all who have the same value.
RANGE_BANDS = 10
MISSING_BAND = -1


def band_starts(values: Numbers) -> list[float]:
    """Where each band but the first begins; takes the values of a sample, without missing ones."""
    distinct, counts = np.unique(values, return_counts=True)
    full = len(values) / RANGE_BANDS
    starts: list[float] = []
    held = 0
    for value, users in zip(distinct.tolist(), counts.tolist(), strict=True):
        # A value of many users has a band of its own, which no other value shifts.
        if held and (held >= full or users >= full):
            starts.append(value)
            held = 0
        held += users
    if starts and held < full / 2:
        before = distinct[(distinct < starts[-1]) & (distinct >= max(starts[:-1], default=-np.inf))]
        # The few that are left join the band before them, unless that is of one value.
        return starts[:-1] if len(before) > 1 else starts
    return starts


def band_of(value: Column, starts: list[float]) -> Column:
    """The number of a value's band."""
    band = F.when(value.isNull(), F.lit(MISSING_BAND))
    for number, start in reversed(list(enumerate(starts, start=1))):
        band = band.when(value >= start, F.lit(number))
    return band.otherwise(F.lit(0))


def ranges_of(
    test: DataFrame, tested: TestedModel, features: dict[str, str], sample: Numbers
) -> list[list[FeatureBand]]:
    """The bands of each feature; takes rows of features, the features in SQL, and a row of values for each."""
    log_odds = F.col("raw_score") * tested.calibration["slope"] + tested.calibration["intercept"]
    # Sums of decimals do not depend on the order in which tasks finish.
    probability = (1 / (1 + F.exp(-log_odds))).cast("decimal(20,9)")
    starts = [band_starts(values[~np.isnan(values)]) for values in sample]
    values = [F.expr(sql).cast("double") for sql in features.values()]
    cells = [
        F.struct(F.lit(number).alias("feature"), value.alias("value"), band_of(value, own).alias("band"))
        for number, (value, own) in enumerate(zip(values, starts, strict=True))
    ]
    scores = tested.scores.select("user_id", "label", probability.alias("probability"))
    rows = (
        test.select("user_id", F.array(*cells).alias("cells"))
        .join(scores, "user_id")
        .select("label", "probability", F.explode("cells").alias("cell"))
        .groupBy("cell.feature", "cell.band")
        .agg(
            F.min("cell.value").alias("lowest"),
            F.max("cell.value").alias("highest"),
            F.count(F.lit(1)).alias("users"),
            F.sum("label").alias("cancelled"),
            F.sum("probability").alias("predicted"),
        )
        .collect()
    )
    # Those who lack the value come last.
    ordered = sorted(rows, key=lambda row: (row["feature"], row["band"] == MISSING_BAND, row["band"]))
    bands: list[list[FeatureBand]] = [[] for _ in features]
    for row in ordered:
        bands[row["feature"]].append(
            {
                "lowest": row["lowest"],
                "highest": row["highest"],
                "users": row["users"],
                "cancelled": int(row["cancelled"]),
                "predicted": stored(row["predicted"]),
            }
        )
    return bands


# --- emr-steps/fragments/drivers.ts ---

# About so many test users, chosen by a hash; of fewer, all.
DRIVER_USERS = 5000
GROUP_DEALS = 5
FEATURE_DEALS = 3
LEADING_FEATURES = 20
# In the order of the catalogue.
GROUPS = [
    "activity",
    "listening",
    "enjoyment",
    "adverts",
    "subscription",
    "service",
    "habit",
    "tenure",
    "person",
    "device",
]


class Fall(TypedDict):
    """By how much the AUC falls: the mean of the deals, the least and the most of them."""

    fall: float
    least: float
    most: float


@dataclasses.dataclass(frozen=True)
class DriverSample:
    """Test users: whether they cancelled, what the model reads of them, and the leading features as they are."""

    labels: Numbers
    users: UserValues
    # A row for each feature; not a number where the value is missing.
    values: Numbers


def driver_sample(
    test: DataFrame,
    inputs: list[ModelInput],
    segments: SegmentModel | None,
    sources: list[str],
    users: int,
) -> DriverSample:
    """The sample, in the order of the users; takes rows of features, the features in SQL, and how many users there are."""
    share = min(1.0, DRIVER_USERS / max(users, 1))
    chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
    counted = [*segments["counts"], *segments["exposures"]] if segments else []
    rows = (
        test.where(chosen)
        .withColumns({"read": input_array(inputs), "values": F.array(*(F.expr(sql) for sql in sources))})
        .select("user_id", "label", "read", "values", F.array(*segment_source()).alias("source"))
        .toPandas()
        .sort_values("user_id")
        .head(DRIVER_USERS)
    )

    def matrix(column: str) -> Numbers:
        return np.array(rows[column].tolist(), dtype=float).reshape(len(rows), -1)

    source = dict(zip(["is_paid", *CHANNEL_COLUMNS], matrix("source").T, strict=True))
    columns = np.array([source[name] for name in counted]).reshape(len(counted), len(rows)).T
    channels = ChannelCounts(*np.split(columns, 2, axis=1))
    return DriverSample(
        labels=rows["label"].to_numpy(dtype=float),
        users=UserValues(matrix("read"), source["is_paid"], channels),
        values=matrix("values").T,
    )


def area_of(scores: Numbers, labels: Numbers) -> float:
    """Area under the ROC curve; ties count half."""
    positives = labels.sum()
    ranks = mean_ranks(scores)[labels == 1].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * (len(labels) - positives)))


def dealt(
    users: UserValues, order: npt.NDArray[np.int64], columns: list[int], channels: list[int], paid: int | None
) -> UserValues:
    """The users with some inputs and channels of others; takes the number of the input that is also the level."""
    inputs = users.inputs.copy()
    inputs[:, columns] = users.inputs[order][:, columns]
    counts, exposures = users.channels.counts.copy(), users.channels.exposures.copy()
    counts[:, channels] = users.channels.counts[order][:, channels]
    exposures[:, channels] = users.channels.exposures[order][:, channels]
    is_paid = users.is_paid[order] if paid in columns else users.is_paid
    return UserValues(inputs, is_paid, ChannelCounts(counts, exposures))


def rank_correlation(values: Numbers, scores: Numbers) -> float | None:
    """Spearman's, of the users whose value is known; none where all have the same."""
    known = ~np.isnan(values)
    ranks = [mean_ranks(numbers[known]) for numbers in (values, scores)]
    if not known.any() or min(float(np.ptp(numbers)) for numbers in ranks) == 0:
        return None
    return stored(np.corrcoef(ranks)[0, 1])


def leading_features(
    ranked: list[Importance], inputs: list[ModelInput], segments: SegmentModel | None
) -> dict[str, str]:
    """The features that bring the model most, each as SQL over features; of channels events per exposure."""
    rates = dict(zip(counts_of_channels(segments), channel_rates(segments), strict=True))
    sources = {**{feature["name"]: feature["name"] for feature in inputs}, **rates}
    return {one["feature"]: sources[one["feature"]] for one in ranked[:LEADING_FEATURES]}


def what_drives(
    test: DataFrame,
    users: int,
    tested: TestedModel,
    score: ScoreFunction,
    inputs: list[ModelInput],
    ranked: list[Importance],
    seed: int,
) -> Drivers | None:
    """What drives the model; none where its features bring nothing, or the users hold one outcome only.

    @param test rows of features at the test cutoff
    @param users how many these are
    @param ranked what each feature brings, largest first
    """
    leading = leading_features(ranked, inputs, score.segments)
    if not leading:
        return None
    sample = driver_sample(test, inputs, score.segments, list(leading.values()), users)
    if np.ptp(sample.labels) == 0:
        return None
    generator = np.random.default_rng(seed)
    names = [feature["name"] for feature in inputs]
    channels = counts_of_channels(score.segments)
    places = {name: place for place, name in enumerate([*names, *channels])}
    of_group = dict(zip(places, [*(one["group"] for one in inputs), *CHANNEL_GROUPS], strict=False))
    paid = names.index("is_paid") if "is_paid" in names else None
    scores = score(sample.users)
    usual = area_of(scores, sample.labels)

    def fall(of: list[str], deals: int) -> Fall:
        columns = [places[name] for name in of if places[name] < len(names)]
        behind = [places[name] - len(names) for name in of if places[name] >= len(names)]
        falls = []
        for _ in range(deals):
            order = generator.permutation(len(sample.labels))
            changed = score(dealt(sample.users, order, columns, behind, paid))
            falls.append(usual - area_of(changed, sample.labels))
        return {"fall": stored(np.mean(falls)), "least": stored(min(falls)), "most": stored(max(falls))}

    used = {of_group[one["feature"]] for one in ranked}
    groups: list[GroupDriver] = [
        {"group": group, **fall([name for name in of_group if of_group[name] == group], GROUP_DEALS)}
        for group in GROUPS
        if group in used
    ]
    bands = ranges_of(test, tested, leading, sample.values)
    features: list[FeatureDriver] = [
        {
            "feature": name,
            **fall([name], FEATURE_DEALS),
            "correlation": rank_correlation(sample.values[number], scores),
            "bands": bands[number],
        }
        for number, name in enumerate(leading)
    ]
    return {
        "users": len(sample.labels),
        "auc": stored(usual),
        "groups": sorted(groups, key=lambda one: -one["fall"]),
        "features": sorted(features, key=lambda one: -one["fall"]),
    }


# --- emr-steps/fragments/homogeneity.ts ---

SAMPLE_SHARES: dict[SampleName, float] = {"one_percent": 0.01}
SAMPLE_SIZES: dict[SampleName, int] = {"medium_set": 449}
SAMPLE_ORDER: list[SampleName] = ["one_percent", "medium_set"]
MOST_SAMPLED_SHARE = 0.1
LEAST_SAMPLED_USERS = 10
MOST_COMPARED_USERS = 20000
SAMPLE_TEST_LEVEL = 0.05
SAMPLE_TEST_POWER = 0.8
# With less in a cell, the chi-square distribution is a poor approximation (Cochran, Biometrics 10, 1954).
LEAST_EXPECTED = 5
COMPARED_LABEL = "label"
# Whether they cancel, and everything that models read.
COMPARED = [COMPARED_LABEL, *(feature.name for feature in CATALOGUE)]
YES_OR_NO = [
    "label",
    "is_paid",
    "is_female",
    "in_northeast",
    "in_midwest",
    "in_south",
    "in_west",
    "on_windows",
    "on_mac",
    "on_linux",
    "on_phone_or_tablet",
]


def sample_users(users: int) -> dict[SampleName, int]:
    """How many users each sample has, in order."""
    sizes = {name: round(share * users) for name, share in SAMPLE_SHARES.items()} | SAMPLE_SIZES
    return {name: min(sizes[name], MOST_COMPARED_USERS) for name in SAMPLE_ORDER}


def is_tested(size: int, users: int) -> bool:
    """Whether a sample of so many users can be told from the whole."""
    return LEAST_SAMPLED_USERS <= size <= MOST_SAMPLED_SHARE * users


def compared_values(rows: DataFrame, users: int) -> Numbers:
    """The label and the features of the users in the order of a hash: a sample is the first of them.

    A missing amount is less than any other; where yes or no is missing, it counts as no.
    """

    def value(name: str) -> str:
        missing = "0D" if name in YES_OR_NO else "double('-Infinity')"
        return f"coalesce(double({name}), {missing})"

    values = F.expr(f"array({', '.join(value(name) for name in COMPARED)})")
    drawn = (
        rows.select(F.xxhash64(F.lit("sample"), "user_id").alias("place"), "user_id", values.alias("values"))
        .orderBy("place", "user_id")
        .limit(users)
        .toPandas()
    )
    return np.array(drawn["values"].tolist(), dtype=float).reshape(-1, len(COMPARED))


def adjusted_by_holm(p_values: Numbers) -> Numbers:
    """P-values that may be compared with the level for all tests together (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted


def smallest_distance(size: float, level: float) -> float:
    """A distance that Kolmogorov and Smirnov's test finds with the stated power, wherever it is.

    The difference at the place of the distance alone has at most the variance of two shares of a half, and the test
    looks at the largest of all. So the power is at least the stated one, ties or not.

    @param size of the one sample whose distance is as sure: the product of the two sizes over their sum
    """
    critical = stats.kstwo.isf(level, round(size))
    return float(critical + stats.norm.ppf(SAMPLE_TEST_POWER) / (2 * math.sqrt(size)))


def smallest_share_distance(share: float, size: float, level: float) -> float:
    """A difference from a share, towards the half, that an exact test finds with the stated power; 1 where none is.

    @param size as for the distance
    """
    rarer, rows = min(share, 1 - share), round(size)
    needed = stats.binom.isf(level / 2, rows, rarer) + 1
    if needed > rows:
        return 1.0
    found = stats.beta.ppf(SAMPLE_TEST_POWER, needed, rows - needed + 1)
    return float(found - rarer)


def compare_shares(name: str, sample: Numbers, others: Numbers, level: float) -> SampleDifference:
    """Chi-square, or Fisher's exact test where it would be a poor approximation."""
    ones = np.array([sample.sum(), others.sum()])
    sizes = np.array([len(sample), len(others)])
    cells = np.column_stack([ones, sizes - ones])
    expected = np.outer(sizes, cells.sum(axis=0)) / sizes.sum()
    share = ones / sizes
    is_exact = expected.min() < LEAST_EXPECTED
    exact, plain = stats.fisher_exact, stats.chi2_contingency
    test = exact(cells.astype(int)) if is_exact else plain(cells, correction=False)
    smallest = smallest_share_distance(float(share[1]), sizes.prod() / sizes.sum(), level)
    return {
        "feature": name,
        "test": "fisher_exact" if is_exact else "chi_square",
        "distance": stored(abs(share[0] - share[1])),
        "pValue": stored(test.pvalue),
        "adjusted": 1.0,
        "smallestFound": stored(smallest) if smallest < 1 else None,
    }


def compare_amounts(name: str, sample: Numbers, others: Numbers, level: float) -> SampleDifference:
    """Kolmogorov and Smirnov's test of two samples."""
    test = stats.ks_2samp(sample, others, method="asymp")
    smallest = smallest_distance(len(sample) * len(others) / (len(sample) + len(others)), level)
    return {
        "feature": name,
        "test": "kolmogorov_smirnov",
        "distance": stored(test.statistic),
        "pValue": stored(test.pvalue),
        "adjusted": 1.0,
        "smallestFound": stored(smallest) if smallest < 1 else None,
    }


def compare_sample(name: SampleName, values: Numbers, size: int) -> SampleComparison:
    """The first users compared with those behind them, in each column; those that differ most first."""
    sample, others = values[:size], values[size : size + MOST_COMPARED_USERS]
    # Holm's first step: a single feature that differs must pass it.
    level = SAMPLE_TEST_LEVEL / len(COMPARED)
    differences = [
        (compare_shares if column in YES_OR_NO else compare_amounts)(
            column, sample[:, index], others[:, index], level
        )
        for index, column in enumerate(COMPARED)
    ]
    adjusted = adjusted_by_holm(np.array([difference["pValue"] for difference in differences]))
    for difference, p_value in zip(differences, adjusted, strict=True):
        difference["adjusted"] = stored(p_value)
    return {
        "sample": name,
        "users": size,
        "others": len(others),
        "cancelled": int(sample[:, COMPARED.index(COMPARED_LABEL)].sum()),
        "differences": sorted(differences, key=lambda one: (one["pValue"], -one["distance"], one["feature"])),
    }


def homogeneity(rows: DataFrame, users: int) -> Homogeneity:
    """How samples of the users differ from the others.

    @param rows one labelled row a user
    @param users how many they are
    """
    sizes = sample_users(users)
    tested = [size for size in sizes.values() if is_tested(size, users)]
    values = np.empty((0, len(COMPARED)))
    if tested:
        values = compared_values(rows, max(tested) + MOST_COMPARED_USERS)
    samples: list[SampleComparison] = [
        compare_sample(name, values, size)
        if is_tested(size, users)
        else {"sample": name, "users": size, "others": 0, "cancelled": 0, "differences": []}
        for name, size in sizes.items()
    ]
    return {"users": users, "samples": samples}


# --- emr-steps/fragments/retrospective.ts ---

MOST_RETROSPECTIVE_USERS = 10000
LEAST_RETROSPECTIVE_USERS = 20
RETROSPECTIVE_TRAINING_SHARE = 0.7
RETROSPECTIVE_FOLDS = 3
PUBLISHED_RATIO = 1.25
PUBLISHED_POSITIVES = 0.56
RETROSPECTIVE_SLICES: list[RetrospectiveSlice] = ["test", "test_reweighted", "whole", "whole_reweighted"]
RETROSPECTIVE_INPUTS = [
    "events_last_3_days",
    "events_last_7_days",
    "events_last_14_days",
    "events_last_28_days",
    "events_per_day",
    "active_days_last_3_days",
    "active_days_last_7_days",
    "active_days_last_14_days",
    "active_days_last_28_days",
    "active_days_per_day",
    "begun_sessions_last_3_days",
    "begun_sessions_last_7_days",
    "begun_sessions_last_14_days",
    "begun_sessions_last_28_days",
    "begun_sessions_per_day",
    "session_hours_last_3_days",
    "session_hours_last_7_days",
    "session_hours_last_14_days",
    "session_hours_last_28_days",
    "session_hours_per_day",
    "songs_last_3_days",
    "songs_last_7_days",
    "songs_last_14_days",
    "songs_last_28_days",
    "songs_per_day",
    "hours_listened_last_3_days",
    "hours_listened_last_7_days",
    "hours_listened_last_14_days",
    "hours_listened_last_28_days",
    "hours_listened_per_day",
    "home_visits_last_7_days",
    "home_visits_last_28_days",
    "home_visits_per_day",
    "logouts_last_7_days",
    "logouts_last_28_days",
    "logouts_per_day",
    "thumbs_up_last_3_days",
    "thumbs_up_last_7_days",
    "thumbs_up_last_14_days",
    "thumbs_up_last_28_days",
    "thumbs_up_per_day",
    "thumbs_down_last_3_days",
    "thumbs_down_last_7_days",
    "thumbs_down_last_14_days",
    "thumbs_down_last_28_days",
    "thumbs_down_per_day",
    "playlist_adds_last_3_days",
    "playlist_adds_last_7_days",
    "playlist_adds_last_14_days",
    "playlist_adds_last_28_days",
    "playlist_adds_per_day",
    "friend_adds_last_3_days",
    "friend_adds_last_7_days",
    "friend_adds_last_14_days",
    "friend_adds_last_28_days",
    "friend_adds_per_day",
    "adverts_last_3_days",
    "adverts_last_7_days",
    "adverts_last_14_days",
    "adverts_last_28_days",
    "adverts_per_day",
    "downgrade_visits_last_3_days",
    "downgrade_visits_last_7_days",
    "downgrade_visits_last_14_days",
    "downgrade_visits_last_28_days",
    "downgrade_visits_per_day",
    "settings_visits_last_3_days",
    "settings_visits_last_7_days",
    "settings_visits_last_14_days",
    "settings_visits_last_28_days",
    "settings_visits_per_day",
    "help_visits_last_3_days",
    "help_visits_last_7_days",
    "help_visits_last_14_days",
    "help_visits_last_28_days",
    "help_visits_per_day",
    "errors_last_3_days",
    "errors_last_7_days",
    "errors_last_14_days",
    "errors_last_28_days",
    "errors_per_day",
    "upgrade_visits_last_28_days",
    "upgrade_visits_per_day",
    "level_changes_last_28_days",
    "level_changes_per_day",
    "settings_saves_last_28_days",
    "settings_saves_per_day",
    "about_visits_last_28_days",
    "about_visits_per_day",
    "thumbs_up_per_song_last_7_days",
    "thumbs_up_per_song_last_28_days",
    "thumbs_up_per_song",
    "thumbs_down_per_song_last_7_days",
    "thumbs_down_per_song_last_28_days",
    "thumbs_down_per_song",
    "playlist_adds_per_song_last_28_days",
    "playlist_adds_per_song",
    "friend_adds_per_song_last_28_days",
    "friend_adds_per_song",
    "adverts_per_free_song_last_7_days",
    "adverts_per_free_song_last_28_days",
    "adverts_per_free_song",
    "thumbs_down_per_thumb_up_last_28_days",
    "thumbs_down_per_thumb_up",
    "home_visits_per_event_last_28_days",
    "home_visits_per_event",
    "logouts_per_event_last_28_days",
    "logouts_per_event",
    "help_visits_per_event_last_28_days",
    "help_visits_per_event",
    "settings_visits_per_event_last_28_days",
    "settings_visits_per_event",
    "errors_per_event_last_28_days",
    "errors_per_event",
    "downgrade_visits_per_event_last_28_days",
    "downgrade_visits_per_event",
    "upgrade_visits_per_event_last_28_days",
    "upgrade_visits_per_event",
    "paid_events_per_event_last_7_days",
    "paid_events_per_event_last_28_days",
    "paid_events_per_event",
    "songs_per_event_last_28_days",
    "songs_per_event",
    "events_per_session_last_28_days",
    "events_per_session",
    "session_hours_per_session_last_28_days",
    "session_hours_per_session",
    "songs_per_active_day_last_28_days",
    "songs_per_active_day",
    "events_trend",
    "active_days_trend",
    "begun_sessions_trend",
    "songs_trend",
    "thumbs_up_trend",
    "thumbs_down_trend",
    "adverts_trend",
    "days_since_last_seen",
    "longest_absence_days",
    "most_songs_in_a_day",
    "artists_last_28_days",
    "artists",
    "tenure_days",
    "days_since_level_change",
    "spells_before",
    "days_since_return",
    "is_paid",
    "is_female",
    "in_northeast",
    "in_midwest",
    "in_south",
    "in_west",
    "on_windows",
    "on_mac",
    "on_linux",
    "on_phone_or_tablet",
]
SIX_FEATURES = [
    "six_features_is_paid",
    "six_features_sessions_per_month",
    "six_features_thumbs_up_per_day",
    "six_features_thumbs_down_per_day",
    "six_features_errors_per_day",
    "six_features_membership_days",
]

# Each user's days, with sessions that go on over midnight joined.
# Where each user's history ends, and whether the user ever cancelled.
RETROSPECTIVE_ENDS = """
SELECT
  user_id,
  COALESCE(DATE(MIN(last_cancelled_at)), MAX(day)) AS cutoff,
  INT(MAX(last_cancelled_at) IS NOT NULL) AS label
FROM {user_days}
GROUP BY user_id
"""

# The days before the own last one.
RETROSPECTIVE_HISTORY = """
SELECT days.*, cutoff, 'retrospective' AS role, DATE '{first_day}' AS first_day, DATEDIFF(cutoff, day) AS age, label
FROM days JOIN retrospective_ends USING (user_id)
WHERE day < cutoff
"""

# From the feature catalogue, as in build-features, and the six features of the published recipe.
RETROSPECTIVE_AGGREGATE = """
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
  SUM(cancellations) AS ended_spells_ever,
  MAX(returned_at) AS latest_returned_at,
  MAX_BY(level, IF(level IS NULL, NULL, day)) AS latest_level,
  MAX_BY(gender, IF(gender IS NULL, NULL, day)) AS latest_gender,
  MAX_BY(location, IF(location IS NULL, NULL, day)) AS latest_location,
  MAX_BY(user_agent, IF(user_agent IS NULL, NULL, day)) AS latest_user_agent,
  MIN(first_event_at) AS six_first_at,
  MAX(last_event_at) AS six_last_at,
  MAX_BY(level, last_event_at) AS six_level,
  MAX_BY(registered_at, last_event_at) AS six_registered_at,
  SUM(begun_sessions) AS six_sessions,
  SUM(thumbs_up) AS six_thumbs_up,
  SUM(thumbs_down) AS six_thumbs_down,
  SUM(errors) AS six_errors
FROM history
GROUP BY user_id, cutoff, role, label, first_day
"""

RETROSPECTIVE_PROJECTION = """
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
  DOUBLE(IF(level_changed_at >= cutoff, 0, TIMESTAMPDIFF(SECOND, level_changed_at, cutoff) / 86400))
    AS days_since_level_change,
  DOUBLE(ended_spells_ever) AS spells_before,
  DOUBLE(IF(latest_returned_at >= cutoff, 0, TIMESTAMPDIFF(SECOND, latest_returned_at, cutoff) / 86400))
    AS days_since_return,
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
    OR CONTAINS(latest_user_agent, 'Mobile'))) AS on_phone_or_tablet,
  DOUBLE(COALESCE(INT(six_level = 'paid'), 0)) AS six_features_is_paid,
  DOUBLE(30 * six_sessions / GREATEST(CEIL(TIMESTAMPDIFF(SECOND, six_first_at, six_last_at) / 86400D), 1))
    AS six_features_sessions_per_month,
  DOUBLE(six_thumbs_up / GREATEST(CEIL(TIMESTAMPDIFF(SECOND, six_first_at, six_last_at) / 86400D), 1))
    AS six_features_thumbs_up_per_day,
  DOUBLE(six_thumbs_down / GREATEST(CEIL(TIMESTAMPDIFF(SECOND, six_first_at, six_last_at) / 86400D), 1))
    AS six_features_thumbs_down_per_day,
  DOUBLE(six_errors / GREATEST(CEIL(TIMESTAMPDIFF(SECOND, six_first_at, six_last_at) / 86400D), 1))
    AS six_features_errors_per_day,
  DOUBLE(COALESCE(TIMESTAMPDIFF(SECOND, six_registered_at, six_last_at) / 86400D, 0))
    AS six_features_membership_days
FROM aggregated
"""

# Makes an untrained classifier of scikit-learn's kind.
Recipe: TypeAlias = Callable[[int], Any]


class RetrospectiveUsers(NamedTuple):
    """Users in the order of their ids: whether they ever cancelled, the six features, and ours."""

    labels: Numbers
    six: Numbers
    ours: Numbers


class RetrospectiveScores(NamedTuple):
    """What a model gives all users, and what models that had not seen them gave the training users."""

    whole: Numbers
    held_out: Numbers


# The largest models of the grids that the published analysis searched, with scikit-learn in place of MLlib.
SIX_FEATURE_RECIPES: dict[RetrospectiveModelName, Recipe] = {
    "six_features_logistic_regression": lambda seed: make_pipeline(
        StandardScaler(), PlainLogisticRegression(C=np.inf)
    ),
    "six_features_random_forest": lambda seed: RandomForestClassifier(
        n_estimators=25, max_depth=7, random_state=seed
    ),
    "six_features_boosted_trees": lambda seed: GradientBoostingClassifier(
        n_estimators=20, max_depth=5, random_state=seed
    ),
}


def retrospective_users(spark: SparkSession, user_days: DataFrame, end: datetime.date) -> RetrospectiveUsers:
    """The users of the log, or so many of a large one, with what was known before the own last day of each."""
    known = user_days.where(F.col("day") < F.lit(end))
    users, first_day = F.countDistinct("user_id"), F.min("day")
    (counted,) = known.agg(users.alias("users"), first_day.alias("first_day")).collect()
    share = min(1.0, MOST_RETROSPECTIVE_USERS / max(counted.users, 1))
    chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
    compared = known.where(chosen)
    days_with_spells(compared).createOrReplaceTempView("days")
    spark.sql(RETROSPECTIVE_ENDS, user_days=compared).createOrReplaceTempView("retrospective_ends")
    history = RETROSPECTIVE_HISTORY.format(first_day=counted.first_day)
    spark.sql(history).createOrReplaceTempView("history")
    spark.sql(RETROSPECTIVE_AGGREGATE).createOrReplaceTempView("aggregated")
    values = F.array(*SIX_FEATURES, *RETROSPECTIVE_INPUTS).alias("values")
    rows = spark.sql(RETROSPECTIVE_PROJECTION).select("user_id", "label", values).toPandas()
    rows = rows.sort_values("user_id")
    known_values = np.array(rows["values"].tolist(), dtype=float)
    known_values = known_values.reshape(-1, len(SIX_FEATURES) + len(RETROSPECTIVE_INPUTS))
    return RetrospectiveUsers(
        labels=rows["label"].to_numpy(dtype=float),
        six=known_values[:, : len(SIX_FEATURES)],
        ours=known_values[:, len(SIX_FEATURES) :],
    )


def undersampled(labels: Numbers, generator: np.random.Generator) -> Any:
    """Places of all who cancelled, and of as many of the others as the published ratio asks for."""
    (cancelled,), (stayed,) = np.nonzero(labels == 1), np.nonzero(labels == 0)
    wanted = min(len(stayed), round(len(cancelled) / PUBLISHED_RATIO))
    return np.sort(np.concatenate([cancelled, generator.choice(stayed, wanted, replace=False)]))


def retrospective_scores(
    recipe: Recipe, values: Numbers, labels: Numbers, is_training: Any, folds: Any, seed: int, is_even: bool
) -> RetrospectiveScores:
    """Fits on the training users, and once more without each fold of them.

    @param is_even whether others are left out until five of nine have cancelled, as in the published recipe
    """

    def scored(train: Any, rows: Any) -> Numbers:
        (places,) = np.nonzero(train)
        if is_even:
            places = places[undersampled(labels[places], np.random.default_rng(seed))]
        model = recipe(seed).fit(values[places], labels[places])
        probabilities: Numbers = model.predict_proba(values[rows])[:, 1]
        return probabilities

    held_out = np.zeros(len(labels))
    for fold in range(RETROSPECTIVE_FOLDS):
        rows = is_training & (folds == fold)
        held_out[rows] = scored(is_training & (folds != fold), rows)
    return RetrospectiveScores(scored(is_training, np.ones(len(labels), dtype=bool)), held_out[is_training])


def weights_of(labels: Numbers, is_reweighted: bool) -> Numbers:
    """One for each user, or as if so many had cancelled as in the published test set."""
    if not is_reweighted:
        return np.ones(len(labels))
    cancelled = PUBLISHED_POSITIVES / (1 - PUBLISHED_POSITIVES) * (labels == 0).sum() / labels.sum()
    return np.where(labels == 1, cancelled, 1.0)


def best_f1_threshold(scores: Numbers, labels: Numbers, weights: Numbers) -> float:
    """The score from which on users are taken to cancel, for the best F1."""
    order = np.argsort(-scores, kind="stable")
    caught = np.cumsum((weights * labels)[order])
    chosen = np.cumsum(weights[order])
    figure = 2 * caught / (chosen + (weights * labels).sum())
    # Only the last of equal scores takes all of them.
    is_last = np.append(scores[order][1:] != scores[order][:-1], True)
    return float(scores[order][np.argmax(np.where(is_last, figure, -1))])


def retrospective_figures(
    scores: Numbers, labels: Numbers, weights: Numbers, threshold: float
) -> RetrospectiveFigures:
    """The figures of the published table; precision, recall and F1 are of the users who cancelled."""
    taken = scores >= threshold
    caught, all_taken = (weights * labels)[taken].sum(), weights[taken].sum()
    cancelled = (weights * labels).sum()
    right = caught + (weights * (1 - labels))[~taken].sum()
    return {
        "auc": stored(roc_auc_score(labels, scores)),
        "accuracy": stored(right / weights.sum()),
        "recall": stored(caught / cancelled),
        "precision": stored(caught / all_taken) if all_taken > 0 else 0.0,
        "f1": stored(2 * caught / (all_taken + cancelled)),
    }


def judged_retrospectively(
    name: RetrospectiveModelName, scores: RetrospectiveScores, labels: Numbers, is_training: Any
) -> RetrospectiveEvaluation:
    """A model's figures on held-out and on all users, as they are and reweighted."""

    def figures_on(slice_name: RetrospectiveSlice) -> RetrospectiveFigures:
        is_reweighted = slice_name.endswith("reweighted")
        learnt = labels[is_training]
        threshold = best_f1_threshold(scores.held_out, learnt, weights_of(learnt, is_reweighted))
        rows = ~is_training if slice_name.startswith("test") else np.ones(len(labels), dtype=bool)
        weights = weights_of(labels[rows], is_reweighted)
        return retrospective_figures(scores.whole[rows], labels[rows], weights, threshold)

    return {"model": name, "figures": {one: figures_on(one) for one in RETROSPECTIVE_SLICES}}


def weighted_auc(score: Numbers, label: Numbers, weights: Numbers) -> Numbers:
    """The AUC of each row of weights."""
    order = np.argsort(score, kind="stable")
    _, first = np.unique(score[order], return_index=True)
    counts = weights[:, order]
    positives = np.add.reduceat(counts * label[order], first, axis=1)
    return auc(positives, np.add.reduceat(counts, first, axis=1) - positives)


def auc_difference(ours: Numbers, theirs: Numbers, labels: Numbers, seed: int) -> Estimate:
    """How much better our scores rank the same users, with the interval of a bootstrap of whole users."""
    paired = PairedRows(labels, ours, theirs, np.ones(len(labels)))

    def difference(weights: Numbers) -> Numbers:
        return weighted_auc(ours, labels, weights) - weighted_auc(theirs, labels, weights)

    drawn = np.concatenate([difference(weights) for weights in resampled_weights(paired, seed)])
    low, high = np.quantile(drawn, INTERVAL)
    value = difference(np.ones((1, len(labels))))[0]
    return {"value": stored(value), "low": stored(low), "high": stored(high)}


def compare_retrospectively(users: RetrospectiveUsers, seed: int) -> Retrospective | None:
    """All models on one split; None where too few users cancelled, or stayed."""
    labels = users.labels
    if min(labels.sum(), len(labels) - labels.sum()) < LEAST_RETROSPECTIVE_USERS:
        return None
    generator = np.random.default_rng(seed)
    # As at random, but with equal shares of those who cancelled in both parts.
    place = np.zeros(len(labels))
    for outcome in (0, 1):
        rows = labels == outcome
        place[rows] = (generator.permutation(int(rows.sum())) + 0.5) / rows.sum()
    is_training = place < RETROSPECTIVE_TRAINING_SHARE
    folds = np.floor(place * RETROSPECTIVE_FOLDS / RETROSPECTIVE_TRAINING_SHARE)
    scores = {
        name: retrospective_scores(recipe, users.six, labels, is_training, folds, seed, True)
        for name, recipe in SIX_FEATURE_RECIPES.items()
    }
    best = max(scores, key=lambda name: roc_auc_score(labels[~is_training], scores[name].whole[~is_training]))
    # One thread: beside a busy Spark, several wait for each other and cost three times the processor time.
    scores["boosted_trees"] = retrospective_scores(
        lambda seed: XGBClassifier(random_state=seed, n_jobs=1, **BOOSTING),
        *(users.ours, labels, is_training, folds, seed, False),
    )
    test = ~is_training
    return {
        "users": len(labels),
        "cancelled": int(labels.sum()),
        "testUsers": int(test.sum()),
        "testCancelled": int(labels[test].sum()),
        "evaluations": [
            judged_retrospectively(name, one, labels, is_training) for name, one in scores.items()
        ],
        "bestSix": best,
        "difference": auc_difference(
            scores["boosted_trees"].whole[test], scores[best].whole[test], labels[test], seed
        ),
    }


# --- emr-steps/train-models.ts ---

STEP: StepName = "train-models"
USER_DAYS = "user_days"
CANDIDATES: list[ModelName] = [
    "segments",
    "logistic_regression",
    "random_forest",
    "boosted_trees",
    "segments_and_trees",
]
ROWS_PER_TASK = 50_000
# With fewer users who cancel than this, nothing can be learnt, nor can they be dealt to folds.
LEAST_CANCELLERS = 4
TOO_FEW = "too few"


class Trained(NamedTuple):
    """A candidate, fitted on all training rows, with its scores and their evaluation."""

    kind: ModelName
    model: CandidateModel | None
    segments: SegmentModel | None
    histograms: dict[str, Histogram]
    evaluation: ModelEvaluation
    losses: HeldOutLosses
    test_scores: DataFrame


class TrainingRows(NamedTuple):
    """The prepared rows, the names of their inputs, and the segments of their users."""

    rows: DataFrame
    train_rows: int
    names: list[str]
    seen: SegmentRows | None
    segments: SegmentFit | None


def sampled(scored: DataFrame, sample: str) -> DataFrame:
    """What an evaluation needs of scored rows."""
    return scored.select(F.lit(sample).alias("sample"), "user_id", "fold", "label", "raw_score")


def fit(
    kind: ModelName,
    segments: SegmentModel | None,
    train: DataFrame,
    given: TrainingRows,
    settings: TrainingSettings,
) -> CandidateModel | None:
    """A candidate fitted to some of the rows; none where its segments are all of it."""
    if segments is None:
        return FIT[kind](train, given.train_rows, settings)
    return None if kind == "segments" else fit_segments_and_trees(train, segments, settings)


def train_candidate(kind: ModelName, given: TrainingRows, settings: TrainingSettings) -> Trained | None:
    """Scores training rows by models that did not see their users, and test rows by a model of all of them.

    None where the candidate cannot be fitted: too few users cancel, and all of a fold get one score.
    """
    rows, names = given.rows, given.names
    told_apart = given.segments if kind not in FIT else None
    if kind not in FIT and told_apart is None:
        return None
    started = time.monotonic()
    train = rows.where("role = 'train'")
    samples = []
    for fold in range(settings["folds"]):
        segments = told_apart.by_fold[fold] if told_apart else None
        others = fit(kind, segments, train.where(F.col("fold") != fold), given, settings)
        held_out = with_raw_score(kind, others, train.where(F.col("fold") == fold), segments, names)
        samples.append(sampled(held_out, "out_of_fold"))
    segments = told_apart.whole if told_apart else None
    model = fit(kind, segments, train, given, settings)
    fit_seconds = time.monotonic() - started
    test_scores = with_raw_score(kind, model, rows.where("role = 'test'"), segments, names)
    samples.append(sampled(test_scores, "test"))
    scored = functools.reduce(DataFrame.union, samples).cache()
    try:
        if is_constant(scored):
            return None
        histograms = score_histograms(scored)
        evaluation = evaluate(kind, "candidate", histograms, settings["seed"], fit_seconds)
        losses = held_out_losses(scored, platt_scaling(histograms["out_of_fold"]))
    finally:
        scored.unpersist()
    return Trained(
        kind, model, segments, histograms, evaluation, losses, test_scores.select(*TEST_SCORE_COLUMNS)
    )


def train_candidates(given: TrainingRows, settings: TrainingSettings) -> list[Trained]:
    """Trains the candidates side by side: each leaves the cores idle for much of its time."""
    with ThreadPoolExecutor(len(CANDIDATES)) as pool:
        trained = pool.map(lambda kind: train_candidate(kind, given, settings), CANDIDATES)
        return [candidate for candidate in trained if candidate is not None]


def scored_by_recency(rows: DataFrame) -> DataFrame:
    """Training and test rows scored by the days since the user was last seen, in the direction that ranks."""
    correlation = rows.where("role = 'train'").stat.corr("days_since_last_seen", "label")
    # Rounded: that of unrelated columns is nearly 0, with a sign that comes from the order of summation.
    direction = 1.0 if round(correlation, 9) > 0 else -1.0
    return rows.select(
        F.when(rows.role == "train", "out_of_fold").otherwise("test").alias("sample"),
        "label",
        rounded_score(F.log1p("days_since_last_seen") * direction).alias("raw_score"),
    )


def judge_baselines(rows: DataFrame, counts: dict[str, Census], seed: int) -> list[ModelEvaluation]:
    """The trivial models that any candidate must beat."""
    by_recency = score_histograms(scored_by_recency(rows))
    return [
        evaluate("base_rate", "baseline", constant_histograms(counts), seed, 0),
        evaluate("days_since_last_seen", "baseline", by_recency, seed, 0),
    ]


def judge_again(
    kind: ModelName, known: DataFrame, counts: dict[str, Census], settings: TrainingSettings
) -> tuple[ModelEvaluation | None, ModelEvaluation]:
    """A kind of candidate and recency on other training and test rows: everything is learnt again from these."""
    train = counts["train"]
    inputs = learn_inputs(known.where("role = 'train'"), train["rows"], settings["excludedFeatures"])
    prepared = prepare(known, inputs, tasks_for(train["rows"]), settings)
    rows = prepared.rows
    by_recency = score_histograms(scored_by_recency(rows))
    recency = evaluate("days_since_last_seen", "baseline", by_recency, settings["seed"], 0)
    candidate = None
    if is_trainable(train):
        trained = train_candidate(kind, given_rows(rows, inputs, train, settings, kind not in FIT), settings)
        candidate = trained.evaluation if trained else None
    prepared.release()
    return candidate, recency


def given_rows(
    rows: DataFrame,
    inputs: list[ModelInput],
    train: Census,
    settings: TrainingSettings,
    are_told_apart: bool,
) -> TrainingRows:
    """Prepared rows with what candidates need of them; segments are fitted only where one needs them."""
    names = [feature["name"] for feature in inputs]
    seen = segment_rows(rows, names, train["users"], train["rows"]) if are_told_apart else None
    segments = fit_segment_models(seen, settings["folds"], settings["seed"]) if seen else None
    return TrainingRows(rows, train["rows"], names, seen, segments)


def is_trainable(train: Census) -> bool:
    """Whether anything can be learnt from the rows."""
    return train["cancellers"] >= LEAST_CANCELLERS and train["cancellations"] < train["rows"]


def tasks_for(rows: int) -> int:
    """Tasks among which training rows are dealt."""
    return max(2, math.ceil(rows / ROWS_PER_TASK))


def reliability_reason(counts: dict[str, Census], least: int) -> str:
    """Why the figures cannot be trusted; empty when they can."""
    cancellers = counts["train"]["cancellers"]
    if cancellers < least:
        return (
            f"only {cancellers} users cancel in the training rows and {least} are needed: "
            "the figures are guesses, and this model does not replace another"
        )
    if counts["test"]["cancellations"] in (0, counts["test"]["rows"]):
        return "the test rows hold one outcome only: nothing could be measured on them"
    return ""


def judged_in_retrospect(
    spark: SparkSession, days: DataFrame, end: datetime.date, settings: TrainingSettings
) -> Retrospective | None:
    """Models by the retrospective protocol, from the days that the features were made of; None unless asked for."""
    if not settings["retrospective"]:
        return None
    return compare_retrospectively(retrospective_users(spark, days, end), settings["seed"])


def run(spark: SparkSession, plan: Plan) -> TrainingResult:
    """Trains, judges, chooses and stores."""
    settings = plan["training"]
    if str(spark.sparkContext.master).partition("[")[0] == "local":
        atexit.register(release_barrier_timer, spark)
    files = Files(spark)
    built: FeaturesResult = files.read_json(plan["outputs"]["results"]["build-features"])
    snapshot = built["snapshots"]["features"]
    features = feature_rows(spark, plan, built)
    # Of the users, as the features were made of them.
    days = read_snapshot(spark, table_name(plan, USER_DAYS), built["snapshots"]["user_days"])
    end = datetime.date.fromisoformat(built["observationEnd"])
    counts = census(features)
    train, test = counts["train"], counts["test"]
    tasks = tasks_for(train["rows"])
    spark.conf.set("spark.sql.shuffle.partitions", tasks)
    # Planning each of some hundred small queries again after each of their stages costs more than it finds.
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    inputs = learn_inputs(features.where("role = 'train'"), train["rows"], settings["excludedFeatures"])
    rows = prepare(features, inputs, tasks, settings).rows

    evaluations = judge_baselines(rows, counts, settings["seed"])
    given = given_rows(rows, inputs, train, settings, is_trainable(train))
    candidates = train_candidates(given, settings) if is_trainable(train) else []
    evaluations += [trained.evaluation for trained in candidates]
    chosen = candidates[simplest_of_the_best([one.losses for one in candidates])] if candidates else None
    fitted = {trained.kind for trained in candidates}
    reason = reliability_reason(counts, settings["minCancellations"])
    histograms = chosen.histograms if chosen else constant_histograms(counts)
    kind: ModelName = chosen.kind if chosen else "base_rate"
    description: ModelDescription = {
        "kind": kind,
        "inputs": inputs,
        "calibration": platt_scaling(histograms["out_of_fold"]),
        "scoreThresholds": dict(score_thresholds(histograms["out_of_fold"]).items()),
        "runId": plan["runId"],
        "horizonDays": settings["horizonDays"],
        "testCutoff": str(test["cutoff"]),
        "trainedUntil": str(train["cutoff"] + datetime.timedelta(days=settings["horizonDays"])),
        "featuresSnapshot": snapshot,
        "testScores": score_bins(histograms["test"]),
        "testInputs": input_bins(
            features.where("role = 'test'"), [one["name"] for one in inputs], test["rows"]
        ),
        "libraries": {
            "python": platform.python_version(),
            "spark": spark.version,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "xgboost": xgboost.__version__,
        },
    }
    if chosen and chosen.segments:
        model = chosen.segments
        description["segments"] = model
        columns = dict.fromkeys([*model["counts"], *model["exposures"]])
        description["segmentDefinitions"] = {name: DEFINITIONS[name] for name in columns}
        if chosen.model is None:
            description["inputs"] = [one for one in inputs if one["name"] in model["regression"]["plain"]]
    store(files, plan["outputs"]["model"], description, chosen.model if chosen else None)
    test_rows = features.where("role = 'test'")
    challenger = TestedModel(chosen.test_scores.cache(), description["calibration"]) if chosen else None
    champion = check_champion(
        files, plan, test_rows, test["cutoff"], challenger.scores if challenger else None
    )
    tested: dict[SlicedModel, TestedModel | None] = {"challenger": challenger, "champion": champion.model}
    ranked: list[Importance] = []
    driven: Drivers | None = None
    # Side by side: each leaves the cores idle for much of its time.
    with ThreadPoolExecutor() as pool:
        again = functools.partial(judge_again, kind)
        past = pool.submit(tested_before, features, settings, again) if chosen else None
        in_retrospect = pool.submit(judged_in_retrospect, spark, days, end, settings)
        explored = pool.submit(explore, spark, days, end)
        parts = pool.submit(
            sliced,
            test_rows,
            {name: model for name, model in tested.items() if model is not None},
            given.segments.whole if given.segments else None,
        )
        alike = pool.submit(homogeneity, test_rows, test["rows"])
        alone = pool.submit(single_inputs, features.where("role = 'train'"), inputs, train["users"])
        if chosen and challenger:
            told_apart = chosen.segments
            seen = given.seen
            rises = segment_importance(seen, told_apart, settings["seed"]) if seen and told_apart else {}
            behind = 1 + len(told_apart["mixture"]["sizes"]) if told_apart else 0
            ranked = importance(chosen.model, inputs, rows.where("role = 'train'"), rises, behind)
            folder = plan["outputs"]["model"]
            score = score_function(spark, chosen.model, chosen.segments, given.names, folder)
            driven = what_drives(test_rows, test["rows"], challenger, score, inputs, ranked, settings["seed"])
    return {
        "trainRows": train["rows"],
        "trainCancellations": train["cancellations"],
        "testRows": test["rows"],
        "testCancellations": test["cancellations"],
        "testCutoff": str(test["cutoff"]),
        "evaluations": evaluations,
        "chosen": kind,
        "reliable": reason == "",
        "reliabilityReason": reason,
        "importance": ranked,
        "modelUri": plan["outputs"]["model"],
        "featuresSnapshot": snapshot,
        "champion": champion.test,
        "notFitted": [{"model": kind, "reason": TOO_FEW} for kind in CANDIDATES if kind not in fitted],
        "segments": described_segments(given.segments.whole) if given.segments else [],
        "singleInputs": alone.result(),
        "past": past.result() if past else [],
        "exploration": explored.result(),
        "slices": parts.result(),
        "drivers": driven,
        "homogeneity": alike.result(),
        "retrospective": in_retrospect.result(),
    }


if __name__ == "__main__":
    main(STEP, run)
