"""Scores every living user, says what raises the score of those most at risk, and measures drift.

Generated from emr-steps/score-users.ts and the files named below by `npm run generate`: change it there. Run by
spark-submit score-users.py --plan <uri of plan.json>
"""

import argparse
import datetime
import itertools
import json
import math
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, NotRequired, Protocol, TypeAlias, TypedDict

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkContext
from pyspark.errors.exceptions.captured import CapturedException
from pyspark.ml import classification
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import Column, DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as F
from xgboost.spark import SparkXGBClassifierModel

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


def as_source(rows: DataFrame) -> DataFrame:
    """The same rows, to Spark a source; they are computed when they are read, and again where they are lost.

    Spark analyses and optimises each query together with all that it is built on. Where that is a column for each
    feature, this takes longer than to compute the rows. A checkpoint would do the same, but a local one does not
    survive the loss of an executor, and a reliable one is written to S3.
    """
    spark, computed = rows.sparkSession, rows._jdf.queryExecution().toRdd()
    source = spark._jsparkSession.internalCreateDataFrame(computed, rows._jdf.schema(), False)
    return DataFrame(source, spark)


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


# --- emr-steps/generated/types/choice.py ---

ScorerKind: TypeAlias = Literal[
    "segments",
    "logistic_regression",
    "random_forest",
    "boosted_trees",
    "segments_and_trees",
    "base_rate",
    "days_since_last_seen",
]


class ScorerScores(TypedDict):
    """Tenths of the test rows by its score."""

    starts: list[float]
    rows: list[int]


class Gate(TypedDict):
    """What a challenger must pass."""

    name: Literal[
        "candidate", "cancellations", "leak", "leaking_input", "baselines", "predicted_observed", "quarantine"
    ]
    passed: bool
    finding: str


class ScoreDifference(TypedDict):
    """Challenger minus champion."""

    value: float
    low: float | None
    high: float | None


class Scorer(TypedDict):
    """The model that scores."""

    runId: str
    modelUri: str
    testCutoff: str
    model: ScorerKind
    testScores: ScorerScores | None


class Choice(TypedDict):
    """Which model scores, and why."""

    runId: str
    rule: Literal[
        "first", "nobody", "not_worse", "gate_failed", "shown_worse", "not_comparable", "waiting", "in_charge"
    ]
    scorer: Scorer | None
    challengerScores: bool
    list: Literal["yes", "order only", "no"]
    baseRate: float
    comparedWith: str | None
    makesCurrent: bool
    gates: list[Gate]
    difference: ScoreDifference | None
    reasons: list[str]


# --- emr-steps/generated/types/scoring_result.py ---


class TopUser(TypedDict):
    """One of the users most at risk."""

    userId: str
    probability: float | None
    level: str | None
    inControlGroup: bool
    reasons: list[str]


class TypicalValue(TypedDict):
    """What is typical of the users of a level."""

    feature: str
    free: float | None
    paid: float | None


class ProbabilityBin(TypedDict):
    """Living users of nearly the same probability."""

    bin: int
    users: int
    expected: float
    control: int


class Campaign(TypedDict):
    """The list that was written."""

    uri: str
    users: int


class LivingRate(TypedDict):
    """Events of a channel per exposure."""

    rate: float
    usual: float


class SegmentMove(TypedDict):
    """Users of one segment before and of one now."""

    before: int
    now: int
    users: int


class OutcomeGroup(TypedDict):
    """Users of an earlier run, and what came of them."""

    decile: int | None
    inControlGroup: bool
    worthContacting: bool | None
    users: int
    predicted: float | None
    observed: int


class FeatureDrift(TypedDict):
    """How far a feature has drifted."""

    feature: str
    psi: float


class ComparedWith(TypedDict):
    """The test users that the scored users were compared with."""

    testCutoff: str
    users: int


class ScoringSnapshots(TypedDict):
    """The snapshot that was written."""

    scores: str


class LivingSegment(TypedDict):
    """A segment with its living users."""

    size: float
    rates: list[LivingRate]
    freeHazard: float
    paidHazard: float
    users: int
    expected: float | None


class Moved(TypedDict):
    """Who has moved between segments since when."""

    since: str
    moves: list[SegmentMove]


class RunOutcome(TypedDict):
    """What came true of the scores of an earlier run."""

    runId: str
    cutoff: str
    horizonEnd: str
    groups: list[OutcomeGroup]


class Drift(TypedDict):
    """How far the scored users differ from the test users."""

    features: list[FeatureDrift]
    score: float
    comparedWith: NotRequired[ComparedWith | None]


class LivingSegments(TypedDict):
    """The living users by segment."""

    segments: list[LivingSegment]
    moved: Moved | None


class ScoringResult(TypedDict):
    """Result of score-users."""

    users: int
    cutoff: str
    expectedCancellations: float
    top: list[TopUser]
    typical: NotRequired[list[TypicalValue]]
    probabilities: NotRequired[list[ProbabilityBin]]
    campaign: NotRequired[Campaign | None]
    segments: NotRequired[LivingSegments | None]
    outcomes: NotRequired[list[RunOutcome]]
    drift: Drift
    snapshots: ScoringSnapshots


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


# --- emr-steps/fragments/model-storage.ts ---

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


# --- emr-steps/fragments/stability-index.ts ---

# About so many users of each cutoff, chosen by a hash, are enough: chance hardly moves their index by .01.
DRIFT_USERS = 5_000


def is_in_drift_sample(tested_users: int) -> Column:
    """Whether a user is counted: as large a share of all users as is needed of those who were tested."""
    share = min(1.0, DRIFT_USERS / max(tested_users, 1))
    return F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000


MISSING = -1
EMPTY_BIN_ROWS = 0.5
INDEX_DECIMALS = 6


def stability_index(bins: list[tuple[int, int]]) -> float:
    """Population stability index of tested and scored rows by bin: the sum of (s - t) ln(s / t) over shares.

    It is the symmetric divergence of Kullback and Leibler (Ann. Math. Statist. 22, 1951). An empty bin counts as
    half a row, so that the index stays finite; one that is empty on both sides counts for nothing. Where a side
    has no rows at all there is nothing to compare.
    """
    tested, scored = sum(before for before, _ in bins), sum(after for _, after in bins)
    if tested == 0 or scored == 0:
        return 0.0
    shares = [
        (max(before, EMPTY_BIN_ROWS) / tested, max(after, EMPTY_BIN_ROWS) / scored)
        for before, after in bins
        if before or after
    ]
    index = math.fsum((after - before) * math.log(after / before) for before, after in shares)
    return round(index, INDEX_DECIMALS)


def feature_drift(
    users: DataFrame, names: list[str], tested: dict[str, InputBins], tested_users: int
) -> list[FeatureDrift]:
    """Each feature's stability index between the test users and the scored ones, largest first; one job for all.

    @param tested the test users, counted when the model was trained; features that it does not know are left out
    """
    names = [name for name in names if name in tested]
    if not names:
        return []
    starts = F.lit([tested[name]["starts"] for name in names]).cast("array<array<double>>")
    values = users.where(is_in_drift_sample(tested_users)).select(
        F.posexplode(F.array(*names)).alias("feature", "value")
    )
    # A missing value has a bin of its own.
    reached = F.filter(starts[F.col("feature")], lambda start: start <= F.col("value"))
    bin_of_value = F.when(F.col("value").isNotNull(), F.size(reached)).otherwise(MISSING)
    scored: dict[str, dict[int, int]] = {name: {} for name in names}
    for row in values.groupBy("feature", bin_of_value.alias("bin")).count().collect():
        scored[names[row.feature]][row.bin] = row["count"]

    def index_of(name: str) -> float:
        bins = {MISSING: tested[name]["missing"], **dict(enumerate(tested[name]["rows"]))}
        every = sorted(bins.keys() | scored[name].keys())
        return stability_index([(bins.get(number, 0), scored[name].get(number, 0)) for number in every])

    drift: list[FeatureDrift] = [{"feature": name, "psi": index_of(name)} for name in names]
    return sorted(drift, key=lambda entry: (-entry["psi"], entry["feature"]))


def reaching(starts: list[float]) -> Column:
    """How many users' scores reach each start: an aggregate."""
    return F.array(*(F.count_if(F.col("raw_score") >= start) for start in starts))


def score_drift(test_scores: ScoreBins, users: int, reached: list[int]) -> float:
    """The score's stability index, from how many users reach each tenth's start."""
    scored = [more - fewer for more, fewer in itertools.pairwise([users, *reached, 0])]
    return stability_index(list(zip(test_scores["rows"], scored, strict=True)))


# --- emr-steps/fragments/missing-columns.ts ---


def add_missing_columns(spark: SparkSession, table: str, types: Mapping[str, str]) -> None:
    """Gives the table of an earlier version the columns that it lacks; takes the types of all by name."""
    known = spark.table(table).columns
    for name, column_type in types.items():
        if name not in known:
            spark.sql(f"ALTER TABLE {table} ADD COLUMN {name} {column_type}")


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


# --- emr-steps/fragments/typical-values.ts ---

# Medians are taken from about this many users, chosen by a hash; of fewer users, from all.
TYPICAL_USERS = 20_000
LEVEL = "INT(COALESCE(is_paid, 0))"
# Missing where most users have no value.
MEDIAN = "IF(2 * COUNT({value}) < COUNT(1), NULL, PERCENTILE_APPROX({value}, 0.5, 100000))"


class Typical(NamedTuple):
    """The medians of the inputs and, behind them, of the channels' rates: of free users, and of those who pay."""

    names: list[str]
    groups: list[str]
    # As they are; none where most users have no value.
    values: list[list[float | None]]
    # As the model reads them.
    read: list[list[float | None]]


def typical_values(
    living: DataFrame, inputs: list[ModelInput], segments: SegmentModel | None, users: int
) -> Typical:
    """The medians by level; takes the rows of the living users, and how many they are."""
    share = min(1.0, TYPICAL_USERS / max(users, 1))
    chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
    names, counted = [feature["name"] for feature in inputs], counts_of_channels(segments)
    rates = {f"rate_of_{count}": rate for count, rate in zip(counted, channel_rates(segments), strict=True)}
    sources = {**{name: name for name in names}, **rates}
    medians = [F.expr(MEDIAN.format(value=source)).alias(name) for name, source in sources.items()]
    by_level = living.where(chosen).groupBy(F.expr(LEVEL).alias("level")).agg(*medians)
    read = F.concat(input_array(inputs), F.array(*rates)) if rates else input_array(inputs)
    found = {
        row.level: row
        for row in by_level.select("level", F.array(*sources).alias("own"), read.alias("read")).collect()
    }
    nothing: list[float | None] = [None] * len(sources)
    return Typical(
        names=[*names, *counted],
        groups=[*(feature["group"] for feature in inputs), *(CHANNEL_GROUPS if segments else [])],
        values=[found[level].own if level in found else nothing for level in (0, 1)],
        read=[found[level].read if level in found else nothing for level in (0, 1)],
    )


def described_typical(typical: Typical) -> list[TypicalValue]:
    """The medians as the result holds them."""
    free, paid = typical.values
    return [
        {"feature": name, "free": of_free, "paid": of_paid}
        for name, of_free, of_paid in zip(typical.names, free, paid, strict=True)
    ]


# --- emr-steps/fragments/reasons.ts ---

UNKNOWN = "unknown"


def read_words(table: str) -> dict[str, list[str]]:
    """The words of each feature by its name."""
    rows = (line.strip().split("|") for line in table.strip().splitlines())
    return {name: [label, amount, *(absent or [UNKNOWN])] for name, label, amount, *absent in rows}


LEAST_REASON = 0.1
# By name: what is before a colon|after a number|instead of a missing value, where that is not unknown.
WORDS = read_words(
    """
    events_last_3_days|Events, last 3 days|event(s) in 3 days
    events_last_7_days|Events, last 7 days|event(s) in 7 days
    events_last_14_days|Events, last 14 days|event(s) in 14 days
    events_last_28_days|Events, last 28 days|event(s) in 28 days
    events_per_day|Events per day|event(s) per day
    active_days_last_3_days|Active days, last 3 days|active day(s) in 3 days
    active_days_last_7_days|Active days, last 7 days|active day(s) in 7 days
    active_days_last_14_days|Active days, last 14 days|active day(s) in 14 days
    active_days_last_28_days|Active days, last 28 days|active day(s) in 28 days
    active_days_per_day|Active days per day|active day(s) per day
    begun_sessions_last_3_days|Sessions, last 3 days|session(s) in 3 days
    begun_sessions_last_7_days|Sessions, last 7 days|session(s) in 7 days
    begun_sessions_last_14_days|Sessions, last 14 days|session(s) in 14 days
    begun_sessions_last_28_days|Sessions, last 28 days|session(s) in 28 days
    begun_sessions_per_day|Sessions per day|session(s) per day
    session_hours_last_3_days|Hours in sessions, last 3 days|hour(s) in sessions in 3 days
    session_hours_last_7_days|Hours in sessions, last 7 days|hour(s) in sessions in 7 days
    session_hours_last_14_days|Hours in sessions, last 14 days|hour(s) in sessions in 14 days
    session_hours_last_28_days|Hours in sessions, last 28 days|hour(s) in sessions in 28 days
    session_hours_per_day|Hours in sessions per day|hour(s) in sessions per day
    songs_last_3_days|Songs, last 3 days|song(s) in 3 days
    songs_last_7_days|Songs, last 7 days|song(s) in 7 days
    songs_last_14_days|Songs, last 14 days|song(s) in 14 days
    songs_last_28_days|Songs, last 28 days|song(s) in 28 days
    songs_per_day|Songs per day|song(s) per day
    hours_listened_last_3_days|Hours listened, last 3 days|hour(s) listened in 3 days
    hours_listened_last_7_days|Hours listened, last 7 days|hour(s) listened in 7 days
    hours_listened_last_14_days|Hours listened, last 14 days|hour(s) listened in 14 days
    hours_listened_last_28_days|Hours listened, last 28 days|hour(s) listened in 28 days
    hours_listened_per_day|Hours listened per day|hour(s) listened per day
    home_visits_last_7_days|Visits to Home, last 7 days|visit(s) to Home in 7 days
    home_visits_last_28_days|Visits to Home, last 28 days|visit(s) to Home in 28 days
    home_visits_per_day|Visits to Home per day|visit(s) to Home per day
    logouts_last_7_days|Logouts, last 7 days|logout(s) in 7 days
    logouts_last_28_days|Logouts, last 28 days|logout(s) in 28 days
    logouts_per_day|Logouts per day|logout(s) per day
    thumbs_up_last_3_days|Thumbs up, last 3 days|thumb(s) up in 3 days
    thumbs_up_last_7_days|Thumbs up, last 7 days|thumb(s) up in 7 days
    thumbs_up_last_14_days|Thumbs up, last 14 days|thumb(s) up in 14 days
    thumbs_up_last_28_days|Thumbs up, last 28 days|thumb(s) up in 28 days
    thumbs_up_per_day|Thumbs up per day|thumb(s) up per day
    thumbs_down_last_3_days|Thumbs down, last 3 days|thumb(s) down in 3 days
    thumbs_down_last_7_days|Thumbs down, last 7 days|thumb(s) down in 7 days
    thumbs_down_last_14_days|Thumbs down, last 14 days|thumb(s) down in 14 days
    thumbs_down_last_28_days|Thumbs down, last 28 days|thumb(s) down in 28 days
    thumbs_down_per_day|Thumbs down per day|thumb(s) down per day
    playlist_adds_last_3_days|Playlist adds, last 3 days|playlist add(s) in 3 days
    playlist_adds_last_7_days|Playlist adds, last 7 days|playlist add(s) in 7 days
    playlist_adds_last_14_days|Playlist adds, last 14 days|playlist add(s) in 14 days
    playlist_adds_last_28_days|Playlist adds, last 28 days|playlist add(s) in 28 days
    playlist_adds_per_day|Playlist adds per day|playlist add(s) per day
    friend_adds_last_3_days|Friends added, last 3 days|friend(s) added in 3 days
    friend_adds_last_7_days|Friends added, last 7 days|friend(s) added in 7 days
    friend_adds_last_14_days|Friends added, last 14 days|friend(s) added in 14 days
    friend_adds_last_28_days|Friends added, last 28 days|friend(s) added in 28 days
    friend_adds_per_day|Friends added per day|friend(s) added per day
    adverts_last_3_days|Adverts, last 3 days|advert(s) in 3 days
    adverts_last_7_days|Adverts, last 7 days|advert(s) in 7 days
    adverts_last_14_days|Adverts, last 14 days|advert(s) in 14 days
    adverts_last_28_days|Adverts, last 28 days|advert(s) in 28 days
    adverts_per_day|Adverts per day|advert(s) per day
    downgrade_visits_last_3_days|Visits to Downgrade, last 3 days|visit(s) to Downgrade in 3 days
    downgrade_visits_last_7_days|Visits to Downgrade, last 7 days|visit(s) to Downgrade in 7 days
    downgrade_visits_last_14_days|Visits to Downgrade, last 14 days|visit(s) to Downgrade in 14 days
    downgrade_visits_last_28_days|Visits to Downgrade, last 28 days|visit(s) to Downgrade in 28 days
    downgrade_visits_per_day|Visits to Downgrade per day|visit(s) to Downgrade per day
    settings_visits_last_3_days|Visits to Settings, last 3 days|visit(s) to Settings in 3 days
    settings_visits_last_7_days|Visits to Settings, last 7 days|visit(s) to Settings in 7 days
    settings_visits_last_14_days|Visits to Settings, last 14 days|visit(s) to Settings in 14 days
    settings_visits_last_28_days|Visits to Settings, last 28 days|visit(s) to Settings in 28 days
    settings_visits_per_day|Visits to Settings per day|visit(s) to Settings per day
    help_visits_last_3_days|Visits to Help, last 3 days|visit(s) to Help in 3 days
    help_visits_last_7_days|Visits to Help, last 7 days|visit(s) to Help in 7 days
    help_visits_last_14_days|Visits to Help, last 14 days|visit(s) to Help in 14 days
    help_visits_last_28_days|Visits to Help, last 28 days|visit(s) to Help in 28 days
    help_visits_per_day|Visits to Help per day|visit(s) to Help per day
    errors_last_3_days|Errors, last 3 days|error(s) in 3 days
    errors_last_7_days|Errors, last 7 days|error(s) in 7 days
    errors_last_14_days|Errors, last 14 days|error(s) in 14 days
    errors_last_28_days|Errors, last 28 days|error(s) in 28 days
    errors_per_day|Errors per day|error(s) per day
    upgrade_visits_last_28_days|Visits to Upgrade, last 28 days|visit(s) to Upgrade in 28 days
    upgrade_visits_per_day|Visits to Upgrade per day|visit(s) to Upgrade per day
    level_changes_last_28_days|Changes of level, last 28 days|change(s) of level in 28 days
    level_changes_per_day|Changes of level per day|change(s) of level per day
    settings_saves_last_28_days|Settings saved, last 28 days|setting(s) saved in 28 days
    settings_saves_per_day|Settings saved per day|setting(s) saved per day
    about_visits_last_28_days|Visits to About, last 28 days|visit(s) to About in 28 days
    about_visits_per_day|Visits to About per day|visit(s) to About per day
    thumbs_up_per_song_last_7_days|Thumbs up per song, last 7 days|thumb(s) up per song in 7 days
    thumbs_up_per_song_last_28_days|Thumbs up per song, last 28 days|thumb(s) up per song in 28 days
    thumbs_up_per_song|Thumbs up per song, ever|thumb(s) up per song so far
    thumbs_down_per_song_last_7_days|Thumbs down per song, last 7 days|thumb(s) down per song in 7 days
    thumbs_down_per_song_last_28_days|Thumbs down per song, last 28 days|thumb(s) down per song in 28 days
    thumbs_down_per_song|Thumbs down per song, ever|thumb(s) down per song so far
    playlist_adds_per_song_last_28_days|Playlist adds per song, last 28 days|playlist add(s) per song in 28 days
    playlist_adds_per_song|Playlist adds per song, ever|playlist add(s) per song so far
    friend_adds_per_song_last_28_days|Friends added per song, last 28 days|friend(s) added per song in 28 days
    friend_adds_per_song|Friends added per song, ever|friend(s) added per song so far
    adverts_per_free_song_last_7_days|Adverts per free song, last 7 days|advert(s) per free song in 7 days
    adverts_per_free_song_last_28_days|Adverts per free song, last 28 days|advert(s) per free song in 28 days
    adverts_per_free_song|Adverts per free song, ever|advert(s) per free song so far
    thumbs_down_per_thumb_up_last_28_days|Thumbs down per thumb up, last 28 days|thumb(s) down per thumb up in 28 days
    thumbs_down_per_thumb_up|Thumbs down per thumb up, ever|thumb(s) down per thumb up so far
    home_visits_per_event_last_28_days|Visits to Home per event, last 28 days|visit(s) to Home per event in 28 days
    home_visits_per_event|Visits to Home per event, ever|visit(s) to Home per event so far
    logouts_per_event_last_28_days|Logouts per event, last 28 days|logout(s) per event in 28 days
    logouts_per_event|Logouts per event, ever|logout(s) per event so far
    help_visits_per_event_last_28_days|Visits to Help per event, last 28 days|visit(s) to Help per event in 28 days
    help_visits_per_event|Visits to Help per event, ever|visit(s) to Help per event so far
    settings_visits_per_event_last_28_days|Visits to Settings per event, last 28 days|visit(s) to Settings per event in 28 days
    settings_visits_per_event|Visits to Settings per event, ever|visit(s) to Settings per event so far
    errors_per_event_last_28_days|Errors per event, last 28 days|error(s) per event in 28 days
    errors_per_event|Errors per event, ever|error(s) per event so far
    downgrade_visits_per_event_last_28_days|Visits to Downgrade per event, last 28 days|visit(s) to Downgrade per event in 28 days
    downgrade_visits_per_event|Visits to Downgrade per event, ever|visit(s) to Downgrade per event so far
    upgrade_visits_per_event_last_28_days|Visits to Upgrade per event, last 28 days|visit(s) to Upgrade per event in 28 days
    upgrade_visits_per_event|Visits to Upgrade per event, ever|visit(s) to Upgrade per event so far
    paid_events_per_event_last_7_days|Paid events per event, last 7 days|paid event(s) per event in 7 days
    paid_events_per_event_last_28_days|Paid events per event, last 28 days|paid event(s) per event in 28 days
    paid_events_per_event|Paid events per event, ever|paid event(s) per event so far
    songs_per_event_last_28_days|Songs per event, last 28 days|song(s) per event in 28 days
    songs_per_event|Songs per event, ever|song(s) per event so far
    events_per_session_last_28_days|Events per session, last 28 days|event(s) per session in 28 days
    events_per_session|Events per session, ever|event(s) per session so far
    session_hours_per_session_last_28_days|Hours in sessions per session, last 28 days|hour(s) in sessions per session in 28 days
    session_hours_per_session|Hours in sessions per session, ever|hour(s) in sessions per session so far
    songs_per_active_day_last_28_days|Songs per active day, last 28 days|song(s) per active day in 28 days
    songs_per_active_day|Songs per active day, ever|song(s) per active day so far
    events_trend|Events, last week against month|times the month's events per day in the last week
    active_days_trend|Active days, last week against month|times the month's active days per day in the last week
    begun_sessions_trend|Sessions, last week against month|times the month's sessions per day in the last week
    songs_trend|Songs, last week against month|times the month's songs per day in the last week
    thumbs_up_trend|Thumbs up, last week against month|times the month's thumbs up per day in the last week
    thumbs_down_trend|Thumbs down, last week against month|times the month's thumbs down per day in the last week
    adverts_trend|Adverts, last week against month|times the month's adverts per day in the last week
    days_since_last_seen|Days since last seen|day(s) since last seen
    longest_absence_days|Longest absence|day(s) without an event at the longest
    most_songs_in_a_day|Most songs in a day|song(s) on the busiest of 28 days
    artists_last_28_days|Artists, last 28 days|artist(s) in 28 days
    artists|Artists, ever|artist(s) so far
    tenure_days|Tenure|day(s) since registration
    days_since_level_change|Days since change of level|day(s) since the last change of level|never
    spells_before|Cancellations before|cancellation(s) before
    days_since_return|Days since return|day(s) since the return|never
    is_paid|Paid subscription|yes or no
    is_female|Registered as female|yes or no
    in_northeast|Lives in the Northeast|yes or no
    in_midwest|Lives in the Midwest|yes or no
    in_south|Lives in the South|yes or no
    in_west|Lives in the West|yes or no
    on_windows|Uses Windows|yes or no
    on_mac|Uses a Mac|yes or no
    on_linux|Uses Linux|yes or no
    on_phone_or_tablet|Uses a phone or tablet|yes or no
    thumbs_up_half_life_28|Thumbs up per song|thumbs up per song
    thumbs_down_half_life_28|Thumbs down per song|thumbs down per song
    free_adverts_half_life_28|Adverts per free song|adverts per free song
    paid_adverts_half_life_28|Adverts per paid song|adverts per paid song
    upgrade_visits_half_life_28|Visits to Upgrade per free event|visits to Upgrade per free event
    downgrade_visits_half_life_28|Visits to Downgrade per paid event|visits to Downgrade per paid event
    thumbs_up_half_life_56|Thumbs up per song|thumbs up per song
    thumbs_down_half_life_56|Thumbs down per song|thumbs down per song
    free_adverts_half_life_56|Adverts per free song|adverts per free song
    paid_adverts_half_life_56|Adverts per paid song|adverts per paid song
    upgrade_visits_half_life_56|Visits to Upgrade per free event|visits to Upgrade per free event
    downgrade_visits_half_life_56|Visits to Downgrade per paid event|visits to Downgrade per paid event
    thumbs_up_ever|Thumbs up per song|thumbs up per song
    thumbs_down_ever|Thumbs down per song|thumbs down per song
    free_adverts_ever|Adverts per free song|adverts per free song
    paid_adverts_ever|Adverts per paid song|adverts per paid song
    upgrade_visits_ever|Visits to Upgrade per free event|visits to Upgrade per free event
    downgrade_visits_ever|Visits to Downgrade per paid event|visits to Downgrade per paid event
    """
)

VALUE_TEXT = """
IF(
  value = ROUND(value),
  FORMAT_NUMBER(value, 0),
  TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM
    FORMAT_NUMBER(value, GREATEST(1, LEAST(6, 2 - INT(FLOOR(LOG10(ABS(value)))))))
  ))
)
"""

TYPICAL_TEXT = """
IF(
  typical = ROUND(typical),
  FORMAT_NUMBER(typical, 0),
  TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM
    FORMAT_NUMBER(typical, GREATEST(1, LEAST(6, 2 - INT(FLOOR(LOG10(ABS(typical)))))))
  ))
)
"""

REASON_TEXT = """
CASE
  WHEN amount = 'yes or no' THEN CONCAT(
    label, ': ', CASE value WHEN 1 THEN 'yes' WHEN 0 THEN 'no' ELSE absent END,
    ', typically ', CASE typical WHEN 1 THEN 'yes' WHEN 0 THEN 'no' ELSE absent END
  )
  WHEN value IS NULL THEN CONCAT(label, ': ', absent, ', typically ', COALESCE(typical_text, absent))
  ELSE CONCAT(
    value_text, ' ', REPLACE(amount, '(s)', IF(value_text = '1', '', 's')), ', ',
    CASE
      WHEN value_text = typical_text AND value > typical THEN 'a little more than typical'
      WHEN value_text = typical_text THEN 'a little less than typical'
      ELSE CONCAT('typically ', COALESCE(typical_text, absent))
    END
  )
END
"""

REASON_DETAIL = """
TO_JSON(
  NAMED_STRUCT(
    'text', text, 'feature', feature, 'group', group, 'value', value, 'typical', typical,
    'direction', CASE WHEN value > typical THEN 'above' WHEN value < typical THEN 'below' END,
    'change', change
  ),
  MAP('ignoreNullFields', 'false')
)
"""

BEST_REASONS = "SLICE(FILTER(found, (one, at) -> NOT EXISTS(SLICE(found, 1, at), other -> other.group = one.group)), 1, 3)"


def numbers_used(description: ModelDescription, model: CandidateModel | None) -> list[int]:
    """The inputs that the model looks at, and behind all inputs the channels, by their numbers."""
    inputs = len(description["inputs"])
    used = set(range(inputs))
    if isinstance(model, SparkXGBClassifierModel):
        splits = model.get_booster().get_score(importance_type="weight")
        used = {int(name.removeprefix("f")) for name in splits} & used
    elif isinstance(model, classification.RandomForestClassificationModel):
        used = {index for index, share in enumerate(model.featureImportances.toArray().tolist()) if share > 0}
    segments = description.get("segments")
    if segments is not None:
        plain = segments["regression"]["plain"]
        used |= {index for index, one in enumerate(description["inputs"]) if one["name"] in plain}
        used |= {inputs + channel for channel in range(len(segments["counts"]))}
    return sorted(used)


def with_one_typical(
    users: DataFrame, typical: Typical, used: list[int], inputs: int, segments: SegmentModel | None
) -> DataFrame:
    """Each user once for each value that is not typical, with that value as is typical of the level."""
    rates = [F.expr(rate) for rate in channel_rates(segments)]
    usual = F.lit(typical.read).cast("array<array<double>>")
    rows = users.withColumn("own", F.concat("inputs", F.array(*rates)) if rates else F.col("inputs"))
    rows = rows.withColumn("usual", usual[F.col("level")])
    differing = F.filter(F.lit(used), lambda number: F.col("own")[number] != F.col("usual")[number])
    rows = rows.withColumn("number", F.explode(differing))
    number, returned = F.col("number"), F.col("usual")[F.col("number")]
    others = F.slice("inputs", F.lit(1), number), F.slice("inputs", number + 2, F.lit(inputs))
    read = F.when(number < inputs, F.concat(others[0], F.array(returned), others[1]))
    rows = rows.withColumn("features", array_to_vector(read.otherwise(F.col("inputs"))))
    if segments is not None:
        for channel, (count, exposure) in enumerate(
            zip(segments["counts"], segments["exposures"], strict=True), start=inputs
        ):
            expected = F.when(number == channel, F.col(exposure) * returned)
            rows = rows.withColumn(count, expected.otherwise(F.col(count)))
    return rows


def in_words(rows: DataFrame, typical: Typical) -> DataFrame:
    """Adds to what has changed a score: the feature, its value, the typical one, and both in words."""
    words = [WORDS.get(name, [name, name, UNKNOWN]) for name in typical.names]
    number = F.col("number")

    def looked_up(entries: list[str]) -> Column:
        return F.lit(entries)[number]

    named = rows.withColumns(
        {
            "feature": looked_up(typical.names),
            "group": looked_up(typical.groups),
            "typical": F.lit(typical.values).cast("array<array<double>>")[F.col("level")][number],
            "value": F.col("values")[number],
            **{
                part: looked_up([entry[place] for entry in words])
                for place, part in enumerate(["label", "amount", "absent"])
            },
        }
    )
    texts = {"value_text": F.expr(VALUE_TEXT), "typical_text": F.expr(TYPICAL_TEXT)}
    return named.withColumns(texts).withColumn("text", F.expr(REASON_TEXT))


def reasons_of(
    users: DataFrame, description: ModelDescription, model: CandidateModel | None, typical: Typical
) -> DataFrame:
    """The reasons of users for whom something stands out: user_id, reasons, reason_details.

    @param users user_id, level, own_score, inputs, values (of the inputs and the channels), and what segments need
    """
    inputs, segments = description["inputs"], description.get("segments")
    # Of trees without a split any input will do: no score changes.
    used = numbers_used(description, model) or [0]
    variants = with_one_typical(users, typical, used, len(inputs), segments)
    names = [feature["name"] for feature in inputs]
    scored = as_source(with_raw_score(description["kind"], model, as_source(variants), segments, names))
    change = F.round(F.col("own_score") - F.col("raw_score"), SCORE_DECIMALS)
    raising = scored.withColumn("change", change).where(F.col("change") >= LEAST_REASON)
    # The strongest first; of equal ones, the first of the catalogue.
    order = (-F.col("number")).alias("before")
    worded = in_words(raising, typical).withColumn("detail", F.expr(REASON_DETAIL))
    worded = worded.select("user_id", F.struct("change", order, "group", "text", "detail").alias("reason"))
    found = worded.groupBy("user_id").agg(F.sort_array(F.collect_list("reason"), asc=False).alias("found"))
    return found.withColumn("best", F.expr(BEST_REASONS)).selectExpr(
        "user_id",
        "TRANSFORM(best, one -> one.text) AS reasons",
        "CONCAT('[', ARRAY_JOIN(TRANSFORM(best, one -> one.detail), ','), ']') AS reason_details",
    )


# --- emr-steps/fragments/campaign.ts ---

CAMPAIGN_COLUMNS = ["user_id", "probability", "value", "reasons", "run_id"]
# A spreadsheet takes a cell that begins like this for a formula, and would run it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
QUOTED = {'"', ",", "\r", "\n"}
NOTHING_STANDS_OUT = "nothing stands out"
LINES_AT_ONCE = 1_000


def csv_cell(text: str) -> str:
    """One cell: what would be a formula is made text by an apostrophe."""
    safe = f"'{text}" if text.startswith(FORMULA_STARTS) else text
    if QUOTED.isdisjoint(safe):
        return safe
    doubled = safe.replace('"', '""')
    return f'"{doubled}"'


def csv_line(cells: list[str]) -> str:
    """One line of a file."""
    return ",".join(csv_cell(cell) for cell in cells) + "\r\n"


def campaign_line(row: Row) -> str:
    """One user of the list."""
    reasons = "; ".join(row.reasons or []) or NOTHING_STANDS_OUT
    return csv_line([row.user_id, f"{row.probability:.6f}", f"{row.value:.2f}", reasons, row.run_id])


def write_campaign(
    files: Files, plan: Plan, choice: Choice, scores: DataFrame, value: str
) -> Campaign | None:
    """Writes the users outside the control group whose contact is worth it, the most probable first.

    None where nobody is in charge, where probabilities are withheld, and for scores that do not become current.
    """
    uri = plan["outputs"].get("campaign")
    if uri is None or choice["list"] != "yes" or not choice["makesCurrent"]:
        return None
    listed = scores.withColumn("value", F.expr(value)).where("value >= 0 AND NOT in_control_group")
    rows = listed.select("user_id", "probability", "value", "reasons", "run_id", "rank").orderBy("rank")
    users = 0

    def lines() -> Iterator[str]:
        nonlocal users
        yield csv_line(CAMPAIGN_COLUMNS)
        known = rows.toLocalIterator()
        while part := list(itertools.islice(known, LINES_AT_ONCE)):
            users += len(part)
            yield "".join(map(campaign_line, part))

    files.write_parts(uri, lines())
    return {"uri": uri, "users": users}


# --- emr-steps/fragments/living-segments.ts ---

# A run that was repeated has left snapshots of the same cutoff.
SNAPSHOTS_LOOKED_AT = 5


def segment_of_users(living: DataFrame, model: SegmentModel) -> DataFrame:
    """The segment of each user that is most probable, by its place in the model."""
    joint = segment_joint(model)
    place = f"array_position(array({', '.join(joint)}), greatest({', '.join([*joint, joint[0]])})) - 1"
    return living.select("user_id", *segment_source()).select("user_id", F.expr(place).alias("segment"))


def users_before(
    spark: SparkSession, table: str, cutoff: datetime.date
) -> tuple[datetime.date, DataFrame] | None:
    """The living users of the newest earlier cutoff of which there is still a snapshot."""
    newest = spark.table(f"{table}.snapshots").orderBy(F.desc("committed_at")).limit(SNAPSHOTS_LOOKED_AT)
    for (snapshot,) in newest.select("snapshot_id").collect():
        rows = read_snapshot(spark, table, str(snapshot))
        (earlier,) = rows.agg(F.max("cutoff")).collect()[0]
        if earlier is not None and earlier < cutoff:
            return earlier, rows
    return None


def moved_users(
    spark: SparkSession, table: str, cutoff: datetime.date, own: DataFrame, model: SegmentModel
) -> Moved | None:
    """How many of those who lived before too were of which segment then, and are of which now."""
    before = users_before(spark, table, cutoff)
    if before is None or not {"is_paid", *model["counts"], *model["exposures"]} <= set(before[1].columns):
        return None
    then = segment_of_users(before[1], model).withColumnRenamed("segment", "earlier")
    counts = own.join(then, "user_id").groupBy("earlier", "segment").agg(F.count(F.lit(1)).alias("users"))
    return {
        "since": str(before[0]),
        "moves": [
            {"before": row.earlier, "now": row.segment, "users": row.users}
            for row in counts.orderBy("earlier", "segment").collect()
        ],
    }


def living_segments(
    spark: SparkSession, living: DataFrame, scores: DataFrame, table: str, model: SegmentModel
) -> LivingSegments:
    """The living users by segment.

    @param living their rows of features
    @param scores user_id, cutoff and probability of each; null where probabilities are withheld
    @param table the features of living users, with earlier snapshots
    """
    own = segment_of_users(living, model).cache()
    # A sum of decimals does not depend on the order of its parts.
    expected = F.sum(F.col("probability").cast("decimal(20,12)")).cast("double")
    counted = {
        row.segment: row
        for row in own.join(scores.select("user_id", "probability"), "user_id")
        .groupBy("segment")
        .agg(F.count(F.lit(1)).alias("users"), expected.alias("expected"))
        .collect()
    }
    (cutoff,) = scores.agg(F.max("cutoff")).collect()[0]
    mixture, hazards = model["mixture"], model["regression"]["hazards"]
    found: LivingSegments = {
        "segments": [
            {
                "size": size,
                "rates": [
                    {"rate": rate, "usual": usual}
                    for rate, usual in zip(rates, model["usualRates"], strict=True)
                ],
                "freeHazard": free,
                "paidHazard": paid,
                "users": counted[place].users if place in counted else 0,
                "expected": counted[place].expected if place in counted else 0.0,
            }
            for place, (size, rates, (free, paid)) in enumerate(
                zip(mixture["sizes"], mixture["rates"], hazards, strict=True)
            )
        ],
        "moved": moved_users(spark, table, cutoff, own, model),
    }
    own.unpersist()
    return found


# --- emr-steps/fragments/outcomes.ts ---

OUTCOMES_FOLDER = "tables/outcomes"
RECORD_OF_RUN = "tables/runs/{run_id}.json"
# Of a lake that has not counted any, the newest come first and the others with the next runs.
MOST_OUTCOMES = 100

DUE_OUTCOMES = """
SELECT *
FROM (
  SELECT run_id, MAX(cutoff) AS scored_at, MAX(COALESCE(horizon_end, DATE_ADD(cutoff, {horizon}))) AS known_from
  FROM {scores}
  WHERE run_id IN ({runs})
  GROUP BY run_id
)
WHERE known_from <= DATE '{end}'
ORDER BY scored_at DESC, run_id
"""

OUTCOME_GROUPS = """
WITH cancelled AS (
  SELECT user_id, COLLECT_SET(day) AS days
  FROM outcome_days
  WHERE cancellations > 0 AND day >= DATE '{first}' AND day < DATE '{last}'
  GROUP BY user_id
)
SELECT
  run_id,
  decile,
  in_control_group,
  worth_contacting,
  COUNT(*) AS users,
  CAST(SUM(CAST(probability AS DECIMAL(20, 12))) AS DOUBLE) AS predicted,
  COUNT_IF(COALESCE(
    EXISTS(days, day -> day >= cutoff AND day < COALESCE(horizon_end, DATE_ADD(cutoff, {horizon}))),
    FALSE
  )) AS observed
FROM {scores}
LEFT JOIN cancelled USING (user_id)
WHERE run_id IN ({runs})
GROUP BY run_id, decile, in_control_group, worth_contacting
ORDER BY run_id, decile, in_control_group, worth_contacting
"""


def runs_without_outcome(spark: SparkSession, files: Files, plan: Plan, scores: str) -> list[str]:
    """Earlier runs that have scored and succeeded, and of which it is not known what came true."""
    root = plan["lakeRoot"]
    known = {name.removesuffix(".json") for name in files.names(f"{root}/{OUTCOMES_FOLDER}")}
    # Iceberg's own list of the partitions: no row is read.
    scored = {row.run_id for row in spark.table(f"{scores}.partitions").select("partition.run_id").collect()}

    def has_succeeded(run_id: str) -> bool:
        uri = f"{root}/{RECORD_OF_RUN.format(run_id=run_id)}"
        return files.exists(uri) and files.read_json(uri)["status"] == "SUCCEEDED"

    return [run_id for run_id in sorted(scored - known - {plan["runId"]}) if has_succeeded(run_id)]


def run_literals(run_ids: list[str]) -> str:
    """Ids of runs as literals of SQL: they are made of letters, digits and what needs no escape."""
    return ", ".join(json.dumps(run_id) for run_id in run_ids)


def count_outcomes(
    spark: SparkSession, files: Files, plan: Plan, scores: str, user_days: DataFrame, observation_end: str
) -> list[RunOutcome]:
    """What came true of the runs whose horizon the log has passed and whose outcome is not known yet.

    A second call counts the same, until StoreMetrics has stored it; no user is named.
    """
    waiting = runs_without_outcome(spark, files, plan, scores)
    if not waiting:
        return []
    terms = {"scores": scores, "horizon": plan["training"]["horizonDays"]}
    due = spark.sql(DUE_OUTCOMES.format(runs=run_literals(waiting), end=observation_end, **terms)).collect()
    if not due:
        return []
    due = due[:MOST_OUTCOMES]
    user_days.createOrReplaceTempView("outcome_days")
    counted = spark.sql(
        OUTCOME_GROUPS.format(
            runs=run_literals([run.run_id for run in due]),
            first=min(run.scored_at for run in due),
            last=max(run.known_from for run in due),
            **terms,
        )
    ).collect()
    groups: dict[str, list[OutcomeGroup]] = {run.run_id: [] for run in due}
    for row in counted:
        groups[row.run_id].append(
            {
                "decile": row.decile,
                "inControlGroup": row.in_control_group,
                "worthContacting": row.worth_contacting,
                "users": row.users,
                "predicted": row.predicted,
                "observed": row.observed,
            }
        )
    return [
        {
            "runId": run.run_id,
            "cutoff": str(run.scored_at),
            "horizonEnd": str(run.known_from),
            "groups": groups[run.run_id],
        }
        for run in due
    ]


# --- emr-steps/fragments/expired-scores.ts ---


def drop_expired_scores(spark: SparkSession, plan: Plan, scores: str) -> None:
    """Drops the partitions of the runs that the plan names, as far as they are there: no row is read."""
    expired = set(plan["expiredRuns"]) - {plan["runId"]}
    if not expired:
        return
    held = spark.table(f"{scores}.partitions").select("partition.run_id").collect()
    dropped = sorted(expired & {row.run_id for row in held})
    if dropped:
        spark.sql(f"DELETE FROM {scores} WHERE run_id IN ({run_literals(dropped)})")  # noqa: S608
    print(f"dropped the scores of {len(dropped)} runs that have had their time", file=sys.stderr)


# --- emr-steps/score-users.ts ---

STEP: StepName = "score-users"
SCORING_FEATURES = "scoring_features"
SCORES = "scores"
USER_DAYS = "user_days"
SCORES_DEFINITION = """
CREATE TABLE IF NOT EXISTS {table} (
  run_id string COMMENT 'run that scored',
  user_id string COMMENT 'user',
  cutoff date COMMENT 'scoring cutoff: everything before midnight (UTC) at the start of this day was known',
  probability double COMMENT 'calibrated probability that the user cancels within the horizon; null when it is withheld',
  raw_score double COMMENT 'the model\\'s uncalibrated score (log-odds), by which users are ranked',
  decile int COMMENT 'tenth of the users by score; 1 is the most at risk; null when no model is in charge',
  rank bigint COMMENT 'rank by score; 1 is the most at risk; null when no model is in charge',
  level string COMMENT 'subscription at the latest event',
  in_control_group boolean COMMENT 'never to be contacted, so that the effect of contacting can be measured',
  horizon_end date COMMENT 'midnight (UTC) that ends the horizon: from then on it is known who cancelled',
  worth_contacting boolean COMMENT 'whether a contact is expected to pay: outside the control group, the list; null without one',
  reasons array<string> COMMENT 'what raises the score most, strongest first; empty when nothing stands out, null when not asked',
  reason_details string COMMENT 'JSON: of each reason feature, group, value, typical value, direction and rise of the score'
) USING iceberg
PARTITIONED BY (run_id)
COMMENT 'living user x run'
TBLPROPERTIES (
  'format-version' = '2',
  'write.distribution-mode' = 'none',
  'write.metadata.delete-after-commit.enabled' = 'true'
)
"""
COLUMNS = [
    "run_id",
    "user_id",
    "cutoff",
    "probability",
    "raw_score",
    "decile",
    "rank",
    "level",
    "in_control_group",
    "horizon_end",
    "worth_contacting",
    "reasons",
    "reason_details",
]
REASON_COLUMNS = ["reasons", "reason_details"]
SCORES_TYPES = {
    "run_id": "string",
    "user_id": "string",
    "cutoff": "date",
    "probability": "double",
    "raw_score": "double",
    "decile": "int",
    "rank": "bigint",
    "level": "string",
    "in_control_group": "boolean",
    "horizon_end": "date",
    "worth_contacting": "boolean",
    "reasons": "array<string>",
    "reason_details": "string",
}
TOP_USERS = 2200
PROBABILITY_BINS = 2000
HASH_VALUES = 2**32
LEAST_RATE = 1e-6
LEAST_REASONED = 5000
REASONED_SHARE = 0.1
# What contacting a user is worth; those of whom it is not negative are the list.
VALUE = """
probability * ({acceptance} * ({customerValue} - {offerCost}) - {contactCost})
- (1 - probability) * ({offerCost} + {contactCost})
"""


class Compared(NamedTuple):
    """The test users that the scored users are compared with: tenths by each input, and how many they were."""

    inputs: dict[str, InputBins]
    users: int
    test_cutoff: str


def compared_with(files: Files, choice: Choice) -> Compared | None:
    """The test users of the model that was trained last or scores; none where there is no such model."""
    if choice["comparedWith"] is None:
        return None
    description = describe(files, choice["comparedWith"])
    users = sum(description["testScores"]["rows"])
    return Compared(description.get("testInputs", {}), users, description["testCutoff"])


def flat(rate: float) -> Calibration:
    """The same probability whatever the score; finite even where nobody or everybody cancels."""
    bounded = min(max(rate, LEAST_RATE), 1 - LEAST_RATE)
    return {"slope": 0.0, "intercept": math.log(bounded / (1 - bounded))}


def by_base_rate(living: DataFrame) -> DataFrame:
    """One row a user, all with the same score: nobody ranks before another."""
    return living.select(
        "user_id",
        "cutoff",
        F.col("is_paid").alias("level_is_paid"),
        F.lit(0.0).alias("raw_score"),
    )


def living_users(living: DataFrame, inputs: list[ModelInput], segments: SegmentModel | None) -> DataFrame:
    """The rows to score, with what the model must know of them."""
    missing = [feature["name"] for feature in inputs if feature["name"] not in living.columns]
    if missing:
        raise StepError(
            f"the model needs features that the table does not have: {', '.join(missing)}",
            "the feature catalogue changed after the model was trained",
            "run the pipeline from build-features",
        )
    values = [F.expr(value) for value in [*(feature["name"] for feature in inputs), *channel_rates(segments)]]
    return living.select(
        "user_id",
        "cutoff",
        F.col("is_paid").alias("level_is_paid"),
        F.expr(LEVEL).alias("level"),
        *segment_source(),
        input_array(inputs).alias("inputs"),
        F.array(*values).alias("values"),
    )


def ranked(users: DataFrame, calibration: Calibration, plan: Plan, choice: Choice) -> DataFrame:
    """The rows of the table but for the reasons: probability, rank and decile, who is to be contacted, and who never is.

    Without a model in charge nobody ranks before another; withheld probabilities are missing.
    """
    log_odds = calibration["slope"] * F.col("raw_score") + calibration["intercept"]
    is_ranked, is_believed = F.lit(choice["list"] != "no"), F.lit(choice["list"] != "order only")
    has_list = F.lit(choice["list"] == "yes" and choice["makesCurrent"])
    order = Window.orderBy(F.desc("raw_score"), F.xxhash64("user_id"), "user_id")
    settings = plan["scoring"]
    salted = F.concat(F.lit(settings["controlGroupSalt"]), F.lit(":"), "user_id")
    control_below = settings["controlGroupShare"] * HASH_VALUES
    first_bytes = F.conv(F.substring(F.sha2(salted, 256), 1, 8), 16, 10)
    return (
        users.withColumn("run_id", F.lit(plan["runId"]))
        .withColumn("probability", F.when(is_believed, 1 / (1 + F.exp(-log_odds))))
        .withColumn("rank", F.when(is_ranked, F.row_number().over(order).cast("bigint")))
        .withColumn("decile", F.when(is_ranked, F.ntile(10).over(order)))
        .withColumn("level", F.expr("CASE level_is_paid WHEN 1 THEN 'paid' WHEN 0 THEN 'free' END"))
        .withColumn("in_control_group", first_bytes.cast("bigint") < control_below)
        .withColumn("horizon_end", F.date_add("cutoff", plan["training"]["horizonDays"]))
        .withColumn("worth_contacting", F.when(has_list, F.expr(contact_value(settings["terms"])) >= 0))
        .select(*(name for name in COLUMNS if name not in REASON_COLUMNS))
        .cache()
    )


def sql_number(value: float) -> str:
    """A literal of Spark SQL."""
    return f"{float(value)!r}D"


def contact_value(terms: Terms) -> str:
    """What contacting a user is worth, in SQL."""
    return VALUE.format(
        customerValue=sql_number(terms["customerValue"]),
        offerCost=sql_number(terms["offerCost"]),
        contactCost=sql_number(terms["contactCost"]),
        acceptance=sql_number(terms["acceptance"]),
    )


def without_reasons(scores: DataFrame) -> DataFrame:
    """Scores with reasons for nobody: all users have the same."""
    nothing = F.array().cast("array<string>")
    return scores.withColumn("reasons", nothing).withColumn("reason_details", F.lit("[]"))


def with_reasons(
    scores: DataFrame,
    users: DataFrame,
    charge: tuple[ModelDescription, CandidateModel | None],
    typical: Typical,
    chosen: Column,
) -> DataFrame:
    """Scores with the reasons of the chosen users: only these are scored again.

    A model that gives all users the same score has reasons for nobody.
    """
    description, model = charge
    if description["kind"] == "base_rate":
        return without_reasons(scores)
    asked = scores.where(chosen).select("user_id", F.col("raw_score").alias("own_score"))
    found = reasons_of(users.join(asked, "user_id"), description, model, typical)
    nothing = F.array().cast("array<string>")
    return scores.join(found, "user_id", "left").withColumns(
        {
            "reasons": F.when(chosen, F.coalesce("reasons", nothing)),
            "reason_details": F.when(chosen, F.coalesce("reason_details", F.lit("[]"))),
        }
    )


def top_users(scores: DataFrame) -> list[TopUser]:
    """The users most at risk."""
    return [
        {
            "userId": row.user_id,
            "probability": row.probability,
            "level": row.level,
            "inControlGroup": row.in_control_group,
            "reasons": row.reasons,
        }
        for row in scores.where(scores["rank"] <= TOP_USERS).orderBy("rank").collect()
    ]


def probability_bins(scores: DataFrame) -> list[ProbabilityBin]:
    """Users by probability, so that the worth of a list can be computed for any cost of contacting."""
    scores = scores.where(F.col("probability").isNotNull())
    own = F.floor(F.col("probability") * PROBABILITY_BINS).cast("int")
    control = F.when(F.col("in_control_group"), 1).otherwise(0)
    # A sum of decimals does not depend on the order of its parts.
    part = F.when(~F.col("in_control_group"), F.col("probability").cast("decimal(20,12)")).otherwise(F.lit(0))
    bins = (
        scores.withColumn("bin", F.least(own, F.lit(PROBABILITY_BINS - 1)))
        .groupBy("bin")
        .agg(
            F.count(F.lit(1)).alias("users"),
            F.sum(control).alias("control"),
            F.sum(part).cast("double").alias("expected"),
        )
    )
    return [
        {
            "bin": row.bin,
            "users": row.users - row.control,
            "expected": row.expected,
            "control": row.control,
        }
        for row in bins.orderBy("bin").collect()
    ]


def measured_drift(features: DataFrame, names: list[str], compared: Compared | None, score: float) -> Drift:
    """How far the scored users are from the test users; of nobody's model there is none."""
    if compared is None:
        return {"features": [], "score": score, "comparedWith": None}
    return {
        "features": feature_drift(features, names, compared.inputs, compared.users),
        "score": score,
        "comparedWith": {"testCutoff": compared.test_cutoff, "users": compared.users},
    }


def run(spark: SparkSession, plan: Plan) -> ScoringResult:
    """Scores, writes this run's partition, and counts what was written."""
    files = Files(spark)
    choice: Choice = files.read_json(plan["outputs"]["choice"])
    scorer, compared = choice["scorer"], compared_with(files, choice)
    features_table, scores_table = table_name(plan, SCORING_FEATURES), table_name(plan, SCORES)
    built: FeaturesResult = files.read_json(plan["outputs"]["results"]["build-features"])
    living = read_snapshot(spark, features_table, built["snapshots"]["scoring_features"])
    spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
    # Without a model in charge there are no scores to compare.
    test_scores: ScoreBins = {"starts": [], "rows": [0]}
    typical: Typical | None = None
    segments: SegmentModel | None = None
    if scorer is None:
        ranks = ranked(by_base_rate(living), flat(choice["baseRate"]), plan, choice)
        scores = without_reasons(ranks)
        names = list(compared.inputs) if compared else []
        kind = "base_rate"
    else:
        description, model = load(files, scorer["modelUri"])
        inputs, segments = description["inputs"], description.get("segments")
        names = [feature["name"] for feature in inputs]
        users = living_users(living, inputs, segments)
        number = sum(cutoff["rows"] for cutoff in built["cutoffs"] if cutoff["role"] == "score")
        typical = typical_values(living, inputs, segments, number)
        as_they_are = users.withColumn("features", array_to_vector(F.col("inputs")))
        scored = with_raw_score(description["kind"], model, as_they_are, segments, names)
        ranks = ranked(scored, description["calibration"], plan, choice)
        # The list, or so many of those most at risk, whichever is more.
        most = max(LEAST_REASONED, math.ceil(REASONED_SHARE * number))
        listed = F.coalesce(F.expr(contact_value(plan["scoring"]["terms"])) >= 0, F.lit(False))
        chosen = (F.col("rank") <= most) | listed
        scores = with_reasons(ranks, users, (description, model), typical, chosen)
        kind = description["kind"]
        test_scores = {**(scorer["testScores"] or description["testScores"])}
    scores = scores.select(*COLUMNS)
    spark.sql(SCORES_DEFINITION.format(table=scores_table))
    add_missing_columns(spark, scores_table, SCORES_TYPES)
    scores.writeTo(scores_table).overwrite(F.col("run_id") == plan["runId"])
    drop_expired_scores(spark, plan, scores_table)
    expire_snapshots(spark, plan, [SCORES], SNAPSHOT_RETENTION_DAYS)

    snapshot = current_snapshot(spark, scores_table)
    written = read_snapshot(spark, scores_table, snapshot).where(F.col("run_id") == plan["runId"]).cache()
    # A sum of decimals does not depend on the order of its parts.
    expected = F.sum(F.col("probability").cast("decimal(20,12)")).cast("double")
    (totals,) = written.agg(
        F.count(F.lit(1)).alias("users"),
        F.max("cutoff").alias("cutoff"),
        expected.alias("expected_cancellations"),
        reaching(test_scores["starts"]).alias("reached"),
    ).collect()
    score = score_drift(test_scores, totals.users, totals.reached)
    is_believed = choice["list"] != "order only"
    value = contact_value(plan["scoring"]["terms"])
    user_days = read_snapshot(spark, table_name(plan, USER_DAYS), built["snapshots"]["user_days"])
    return {
        "users": totals.users,
        "cutoff": str(totals.cutoff),
        # Where probabilities are withheld, as many as at the newest test cutoff.
        "expectedCancellations": (
            totals.expected_cancellations if is_believed else totals.users * choice["baseRate"]
        ),
        # By the base rate alone all users are equal, and who is first would be an accident of hashing.
        "top": [] if kind == "base_rate" else top_users(written),
        "typical": described_typical(typical) if typical else [],
        "probabilities": probability_bins(written),
        "segments": living_segments(spark, living, written, features_table, segments) if segments else None,
        "campaign": write_campaign(files, plan, choice, written, value),
        "outcomes": count_outcomes(spark, files, plan, scores_table, user_days, built["observationEnd"]),
        "drift": measured_drift(living, names, compared, score),
        "snapshots": {"scores": snapshot},
    }


if __name__ == "__main__":
    main(STEP, run)
