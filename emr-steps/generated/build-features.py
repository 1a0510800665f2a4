"""Makes point-in-time rows, one per user and cutoff, from the days of each user.

Generated from emr-steps/build-features.ts and the files named below by `npm run generate`: change it there. Run by
spark-submit build-features.py --plan <uri of plan.json>
"""

import argparse
import datetime
import itertools
import json
import math
import os
import statistics
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, NoReturn, NotRequired, Protocol, TypeAlias, TypedDict

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkContext
from pyspark.errors.exceptions.captured import CapturedException
from pyspark.sql import DataFrame, DataFrameWriterV2, Row, SparkSession
from pyspark.sql import functions as F

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


# --- emr-steps/fragments/cutoffs.ts ---


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


# A cutoff can be tested for the record over time where so many training cutoffs had ended by it.
LEAST_TRAINING_CUTOFFS = 2


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


# --- emr-steps/fragments/feature-versions.ts ---

USER_DAYS = "user_days"
FEATURES = "features"
CATALOGUE_HASH = "a590ace8fe211337"

# Properties of a snapshot of features: the snapshot of user_days that it was computed from, what else it depends on, and
# the version of each cutoff as JSON.
COMPUTED_FROM = "computed-from-user-days-snapshot"
COMPUTED_BY = "computed-by"
CUTOFF_VERSIONS = "cutoff-versions"


class Computed(NamedTuple):
    """What features were computed from: a snapshot of user_days, and all else; with the version of each cutoff."""

    user_days: str
    by: str
    versions: dict[datetime.date, str]

    def properties(self) -> dict[str, str]:
        """As properties of a snapshot."""
        versions = {str(cutoff): version for cutoff, version in sorted(self.versions.items())}
        return {COMPUTED_FROM: self.user_days, COMPUTED_BY: self.by, CUTOFF_VERSIONS: json.dumps(versions)}


def computed_by(period: Period, settings: TrainingSettings) -> str:
    """What features depend on besides days: with another one, all of them are other rows."""
    anchor = grid_anchor(period, settings)
    return json.dumps([CATALOGUE_HASH, settings["horizonDays"], str(anchor), str(period.first_day)])


def computed_before(spark: SparkSession, plan: Plan) -> Computed | None:
    """What the features that readers see were computed from; none where an earlier release wrote them."""
    table = table_name(plan, FEATURES)
    if not spark.catalog.tableExists(table):
        return None
    snapshot = last_change(iceberg_table(spark, table))
    if snapshot is None:
        return None
    found = [snapshot.summary().get(name) for name in (COMPUTED_FROM, COMPUTED_BY, CUTOFF_VERSIONS)]
    user_days, by, versions = found
    if user_days is None or by is None or versions is None:
        return None
    by_cutoff: dict[str, str] = json.loads(versions)
    known = {datetime.date.fromisoformat(cutoff): version for cutoff, version in by_cutoff.items()}
    return Computed(user_days, by, known)


def first_changed_day(spark: SparkSession, plan: Plan, user_days: str, since: str) -> datetime.date:
    """The first day of user_days that another snapshot does not share; the first of all where it is gone."""
    table = iceberg_table(spark, table_name(plan, USER_DAYS))
    snapshots = snapshots_since(table, table.snapshot(int(user_days)), since)
    if snapshots is None:
        return datetime.date.min
    return min(days_changed_by_all(spark, table, snapshots), default=datetime.date.max)


def unchanged_versions(
    spark: SparkSession, plan: Plan, user_days: str, before: Computed
) -> dict[datetime.date, str]:
    """The cutoffs whose rows are the same as before, with their versions."""
    horizon = datetime.timedelta(days=plan["training"]["horizonDays"])
    changed = first_changed_day(spark, plan, user_days, before.user_days)
    return {cutoff: version for cutoff, version in before.versions.items() if cutoff + horizon <= changed}


def kept_versions(
    unchanged: dict[datetime.date, str],
    wanted: list[datetime.date],
    period: Period,
    settings: TrainingSettings,
) -> dict[datetime.date, str]:
    """Of the cutoffs that are the same, those to keep: of this run, and newer ones of the grid.

    A run that looks back to an earlier day leaves what later ones have computed.
    """
    anchor, step = grid_anchor(period, settings), datetime.timedelta(days=settings["cutoffStepDays"])
    newest = max(wanted)
    return {
        cutoff: version
        for cutoff, version in unchanged.items()
        if cutoff in wanted or (cutoff > newest and not (cutoff - anchor) % step)
    }


# --- emr-steps/fragments/sources.ts ---

# Devices are counted in users, all others in events.
EVENT_SOURCE_COUNTS = """
SELECT
  day,
  SUM(events) AS events,
  SUM(IF(page = 'NextSong', events, 0)) AS source_0,
  SUM(IF(page = 'Home', events, 0)) AS source_1,
  SUM(IF(page = 'Thumbs Up', events, 0)) AS source_2,
  SUM(IF(page = 'Thumbs Down', events, 0)) AS source_3,
  SUM(IF(page = 'Add to Playlist', events, 0)) AS source_4,
  SUM(IF(page = 'Add Friend', events, 0)) AS source_5,
  SUM(IF(page = 'Roll Advert', events, 0)) AS source_6,
  SUM(IF(page = 'Login', events, 0)) AS source_7,
  SUM(IF(page = 'Logout', events, 0)) AS source_8,
  SUM(IF(page = 'Downgrade', events, 0)) AS source_9,
  SUM(IF(page = 'Submit Downgrade', events, 0)) AS source_10,
  SUM(IF(page = 'Upgrade', events, 0)) AS source_11,
  SUM(IF(page = 'Submit Upgrade', events, 0)) AS source_12,
  SUM(IF(page = 'Help', events, 0)) AS source_13,
  SUM(IF(page = 'Settings', events, 0)) AS source_14,
  SUM(IF(page = 'Save Settings', events, 0)) AS source_15,
  SUM(IF(page = 'About', events, 0)) AS source_16,
  SUM(IF(page = 'Error', events, 0)) AS source_17,
  SUM(IF(page = 'Cancel', events, 0)) AS source_18,
  SUM(IF(page = 'Cancellation Confirmation', events, 0)) AS source_19,
  SUM(IF(page = 'Register', events, 0)) AS source_20,
  SUM(IF(page = 'Submit Registration', events, 0)) AS source_21,
  SUM(IF(level = 'free', events, 0)) AS source_22,
  SUM(IF(level = 'paid', events, 0)) AS source_23,
  SUM(IF(auth = 'Logged In', events, 0)) AS source_24,
  SUM(IF(auth = 'Logged Out', events, 0)) AS source_25,
  SUM(IF(auth = 'Guest', events, 0)) AS source_26,
  SUM(IF(auth = 'Cancelled', events, 0)) AS source_27
FROM event_source_days
GROUP BY day
ORDER BY day
"""

USER_SOURCE_COUNTS = """
SELECT
  day,
  COUNT(*) AS users,
  COUNT_IF(device = 'iPhone') AS source_0,
  COUNT_IF(device = 'iPad') AS source_1,
  COUNT_IF(device = 'Android') AS source_2,
  COUNT_IF(device = 'Windows') AS source_3,
  COUNT_IF(device = 'Mac') AS source_4,
  COUNT_IF(device = 'Linux') AS source_5,
  COUNT_IF(device = 'other') AS source_6,
  COUNT_IF(device = 'unknown') AS source_7
FROM (
  SELECT *, CASE WHEN user_agent IS NULL THEN 'unknown'
    WHEN CONTAINS(user_agent, 'iPhone') THEN 'iPhone'
    WHEN CONTAINS(user_agent, 'iPad') THEN 'iPad'
    WHEN CONTAINS(user_agent, 'Android') THEN 'Android'
    WHEN CONTAINS(user_agent, 'Windows') THEN 'Windows'
    WHEN CONTAINS(user_agent, 'Macintosh') THEN 'Mac'
    WHEN CONTAINS(user_agent, 'Linux') THEN 'Linux'
    ELSE 'other' END AS device
  FROM user_source_days
)
GROUP BY day
"""

# Kind and name of each source, in the order of the columns.
EVENT_SOURCE_KINDS: list[SourceKind] = [
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "page",
    "level",
    "level",
    "auth",
    "auth",
    "auth",
    "auth",
]
EVENT_SOURCE_NAMES = [
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
    "free",
    "paid",
    "Logged In",
    "Logged Out",
    "Guest",
    "Cancelled",
]
USER_SOURCE_KINDS: list[SourceKind] = [
    "device",
    "device",
    "device",
    "device",
    "device",
    "device",
    "device",
    "device",
]
USER_SOURCE_NAMES = [
    "iPhone",
    "iPad",
    "Android",
    "Windows",
    "Mac",
    "Linux",
    "other",
    "unknown",
]
SOURCE_DAYS = 56


def source_counts(kinds: list[SourceKind], names: list[str], rows: list[Row | None]) -> list[SourceCounts]:
    """How often each of the sources came on each day; on a day without a row, not at all."""
    return [
        {
            "kind": kind,
            "name": name,
            "counts": [0 if row is None else row[f"source_{index}"] for row in rows],
        }
        for index, (kind, name) in enumerate(zip(kinds, names, strict=True))
    ]


def daily_sources(user_days: DataFrame, page_days: DataFrame, end: datetime.date) -> DailySources:
    """How often each source came on the newest days before the end of the log."""
    first = end - datetime.timedelta(days=SOURCE_DAYS)
    newest = (F.col("day") >= F.lit(first)) & (F.col("day") < F.lit(end))
    user_days.where(newest).createOrReplaceTempView("user_source_days")
    page_days.where(newest).createOrReplaceTempView("event_source_days")
    days: list[Row] = page_days.sparkSession.sql(EVENT_SOURCE_COUNTS).collect()
    users = {row.day: row for row in user_days.sparkSession.sql(USER_SOURCE_COUNTS).collect()}
    of_users = [users.get(row.day) for row in days]
    return {
        "days": [
            {"day": str(row.day), "events": row.events, "users": 0 if found is None else found.users}
            for row, found in zip(days, of_users, strict=True)
        ],
        "counts": [
            *source_counts(EVENT_SOURCE_KINDS, EVENT_SOURCE_NAMES, [*days]),
            *source_counts(USER_SOURCE_KINDS, USER_SOURCE_NAMES, of_users),
        ],
    }


# --- emr-steps/build-features.ts ---

STEP: StepName = "build-features"
SCORING_FEATURES = "scoring_features"
PAGE_DAYS = "page_days"
FEATURE_COUNT = 189
HISTORY_ROWS_PER_TASK = 200_000
CUTOFF_SCHEMA = "cutoff date, role string, first_day date, label_end date"

# Each user's days, with sessions that go on over midnight joined, and when their spells end and begin.
DAYS = """
WITH neighbours AS (
  SELECT
    *,
    COALESCE(first_session_id = LAG(last_session_id) OVER chronology, FALSE) AS continues_session,
    LAG(last_session_ended_at) OVER chronology AS previous_session_ended_at,
    DATEDIFF(day, LAG(day) OVER chronology) AS absence_days,
    LEAD(day) OVER chronology AS next_day,
    MAX(last_cancelled_at) OVER chronology AS latest_cancelled_at
  FROM user_days
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

# Days known at each cutoff: whatever is computed from here cannot see the future.
HISTORY = """
SELECT /*+ BROADCAST(cutoffs) */
  days.*,
  cutoff,
  role,
  first_day,
  DATEDIFF(cutoff, day) AS age,
  BIGINT(ROUND(1048576 * POWER(0.5D, (DATEDIFF(cutoff, day) - 1) / 28))) AS decay_28,
  BIGINT(ROUND(1048576 * POWER(0.5D, (DATEDIFF(cutoff, day) - 1) / 56))) AS decay_56,
  IF(role = 'score', NULL, INT(EXISTS(cancelled_on, on -> on >= cutoff AND on < label_end))) AS label
FROM days
JOIN cutoffs
  ON day >= first_day
  AND day < cutoff
  AND NOT EXISTS(absences, gone -> gone.after < cutoff AND cutoff <= gone.until)
"""

# Users of the whole lake.
USERS = """
SELECT
  COUNT(*) AS users,
  COUNT_IF(cancellations > 0) AS cancellations,
  COUNT_IF(returns > 0) AS returned_users,
  -- Of a user's spells after the first, all have ended but the last, which may have.
  COALESCE(SUM(IF(returns > 0, returns - 1 + INT(spell_ended), 0)), 0) AS second_cancellations
FROM (
  SELECT
    user_id,
    SUM(cancellations) AS cancellations,
    COUNT(returned_at) AS returns,
    MAX_BY(spell_ended, day) AS spell_ended
  FROM days
  GROUP BY user_id
)
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
  SUM(cancellations) AS ended_spells_ever,
  MAX(returned_at) AS latest_returned_at,
  MAX_BY(level, IF(level IS NULL, NULL, day)) AS latest_level,
  MAX_BY(gender, IF(gender IS NULL, NULL, day)) AS latest_gender,
  MAX_BY(location, IF(location IS NULL, NULL, day)) AS latest_location,
  MAX_BY(user_agent, IF(user_agent IS NULL, NULL, day)) AS latest_user_agent,
  SUM((downgrade_visits) * decay_28) AS downgrade_visits_decay_28,
  SUM((paid_events) * decay_28) AS paid_events_decay_28,
  SUM((upgrade_visits) * decay_28) AS upgrade_visits_decay_28,
  SUM((events - paid_events) * decay_28) AS free_events_decay_28,
  SUM((paid_adverts) * decay_28) AS paid_adverts_decay_28,
  SUM((paid_songs) * decay_28) AS paid_songs_decay_28,
  SUM((adverts - paid_adverts) * decay_28) AS free_adverts_decay_28,
  SUM((songs - paid_songs) * decay_28) AS free_songs_decay_28,
  SUM((thumbs_down) * decay_28) AS thumbs_down_decay_28,
  SUM((songs) * decay_28) AS songs_decay_28,
  SUM((thumbs_up) * decay_28) AS thumbs_up_decay_28,
  SUM((downgrade_visits) * decay_56) AS downgrade_visits_decay_56,
  SUM((paid_events) * decay_56) AS paid_events_decay_56,
  SUM((upgrade_visits) * decay_56) AS upgrade_visits_decay_56,
  SUM((events - paid_events) * decay_56) AS free_events_decay_56,
  SUM((paid_adverts) * decay_56) AS paid_adverts_decay_56,
  SUM((paid_songs) * decay_56) AS paid_songs_decay_56,
  SUM((adverts - paid_adverts) * decay_56) AS free_adverts_decay_56,
  SUM((songs - paid_songs) * decay_56) AS free_songs_decay_56,
  SUM((thumbs_down) * decay_56) AS thumbs_down_decay_56,
  SUM((songs) * decay_56) AS songs_decay_56,
  SUM((thumbs_up) * decay_56) AS thumbs_up_decay_56,
  SUM(events - paid_events) AS free_events_ever,
  SUM(paid_adverts) AS paid_adverts_ever,
  SUM(paid_songs) AS paid_songs_ever,
  SUM(adverts - paid_adverts) AS free_adverts_ever
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
  DOUBLE(downgrade_visits_decay_28 / 1048576) AS downgrade_visits_half_life_28,
  DOUBLE(paid_events_decay_28 / 1048576) AS paid_events_half_life_28,
  DOUBLE(upgrade_visits_decay_28 / 1048576) AS upgrade_visits_half_life_28,
  DOUBLE(free_events_decay_28 / 1048576) AS free_events_half_life_28,
  DOUBLE(paid_adverts_decay_28 / 1048576) AS paid_adverts_half_life_28,
  DOUBLE(paid_songs_decay_28 / 1048576) AS paid_songs_half_life_28,
  DOUBLE(free_adverts_decay_28 / 1048576) AS free_adverts_half_life_28,
  DOUBLE(free_songs_decay_28 / 1048576) AS free_songs_half_life_28,
  DOUBLE(thumbs_down_decay_28 / 1048576) AS thumbs_down_half_life_28,
  DOUBLE(songs_decay_28 / 1048576) AS songs_half_life_28,
  DOUBLE(thumbs_up_decay_28 / 1048576) AS thumbs_up_half_life_28,
  DOUBLE(downgrade_visits_decay_56 / 1048576) AS downgrade_visits_half_life_56,
  DOUBLE(paid_events_decay_56 / 1048576) AS paid_events_half_life_56,
  DOUBLE(upgrade_visits_decay_56 / 1048576) AS upgrade_visits_half_life_56,
  DOUBLE(free_events_decay_56 / 1048576) AS free_events_half_life_56,
  DOUBLE(paid_adverts_decay_56 / 1048576) AS paid_adverts_half_life_56,
  DOUBLE(paid_songs_decay_56 / 1048576) AS paid_songs_half_life_56,
  DOUBLE(free_adverts_decay_56 / 1048576) AS free_adverts_half_life_56,
  DOUBLE(free_songs_decay_56 / 1048576) AS free_songs_half_life_56,
  DOUBLE(thumbs_down_decay_56 / 1048576) AS thumbs_down_half_life_56,
  DOUBLE(songs_decay_56 / 1048576) AS songs_half_life_56,
  DOUBLE(thumbs_up_decay_56 / 1048576) AS thumbs_up_half_life_56,
  DOUBLE(downgrade_visits_ever) AS downgrade_visits_ever,
  DOUBLE(paid_events_ever) AS paid_events_ever,
  DOUBLE(upgrade_visits_ever) AS upgrade_visits_ever,
  DOUBLE(free_events_ever) AS free_events_ever,
  DOUBLE(paid_adverts_ever) AS paid_adverts_ever,
  DOUBLE(paid_songs_ever) AS paid_songs_ever,
  DOUBLE(free_adverts_ever) AS free_adverts_ever,
  DOUBLE(free_songs_ever) AS free_songs_ever,
  DOUBLE(thumbs_down_ever) AS thumbs_down_ever,
  DOUBLE(songs_ever) AS songs_ever,
  DOUBLE(thumbs_up_ever) AS thumbs_up_ever
FROM aggregated
"""

# Columns of the two tables, with what they mean.
COMMENTS = {
    "user_id": "user",
    "cutoff": "only what happened before the start of this UTC day was known",
    "label": "1 when the user cancelled within the horizon after the cutoff, else 0",
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
    "spells_before": "How often the user had cancelled before the present spell began; 0 for most users",
    "days_since_return": "Days from the first event after the last cancellation to the cutoff; missing if there was none",
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
    "downgrade_visits_half_life_28": "Downgrade visits, each counted half after every 28 days; read by behaviour segments",
    "paid_events_half_life_28": "Paid events, each counted half after every 28 days; read by behaviour segments",
    "upgrade_visits_half_life_28": "Upgrade visits, each counted half after every 28 days; read by behaviour segments",
    "free_events_half_life_28": "Free events, each counted half after every 28 days; read by behaviour segments",
    "paid_adverts_half_life_28": "Paid adverts, each counted half after every 28 days; read by behaviour segments",
    "paid_songs_half_life_28": "Paid songs, each counted half after every 28 days; read by behaviour segments",
    "free_adverts_half_life_28": "Free adverts, each counted half after every 28 days; read by behaviour segments",
    "free_songs_half_life_28": "Free songs, each counted half after every 28 days; read by behaviour segments",
    "thumbs_down_half_life_28": "Thumbs down, each counted half after every 28 days; read by behaviour segments",
    "songs_half_life_28": "Songs, each counted half after every 28 days; read by behaviour segments",
    "thumbs_up_half_life_28": "Thumbs up, each counted half after every 28 days; read by behaviour segments",
    "downgrade_visits_half_life_56": "Downgrade visits, each counted half after every 56 days; read by behaviour segments",
    "paid_events_half_life_56": "Paid events, each counted half after every 56 days; read by behaviour segments",
    "upgrade_visits_half_life_56": "Upgrade visits, each counted half after every 56 days; read by behaviour segments",
    "free_events_half_life_56": "Free events, each counted half after every 56 days; read by behaviour segments",
    "paid_adverts_half_life_56": "Paid adverts, each counted half after every 56 days; read by behaviour segments",
    "paid_songs_half_life_56": "Paid songs, each counted half after every 56 days; read by behaviour segments",
    "free_adverts_half_life_56": "Free adverts, each counted half after every 56 days; read by behaviour segments",
    "free_songs_half_life_56": "Free songs, each counted half after every 56 days; read by behaviour segments",
    "thumbs_down_half_life_56": "Thumbs down, each counted half after every 56 days; read by behaviour segments",
    "songs_half_life_56": "Songs, each counted half after every 56 days; read by behaviour segments",
    "thumbs_up_half_life_56": "Thumbs up, each counted half after every 56 days; read by behaviour segments",
    "downgrade_visits_ever": "All downgrade visits so far; read by behaviour segments, and no model reads it as it is",
    "paid_events_ever": "All paid events so far; read by behaviour segments, and no model reads it as it is",
    "upgrade_visits_ever": "All upgrade visits so far; read by behaviour segments, and no model reads it as it is",
    "free_events_ever": "All free events so far; read by behaviour segments, and no model reads it as it is",
    "paid_adverts_ever": "All paid adverts so far; read by behaviour segments, and no model reads it as it is",
    "paid_songs_ever": "All paid songs so far; read by behaviour segments, and no model reads it as it is",
    "free_adverts_ever": "All free adverts so far; read by behaviour segments, and no model reads it as it is",
    "free_songs_ever": "All free songs so far; read by behaviour segments, and no model reads it as it is",
    "thumbs_down_ever": "All thumbs down so far; read by behaviour segments, and no model reads it as it is",
    "songs_ever": "All songs so far; read by behaviour segments, and no model reads it as it is",
    "thumbs_up_ever": "All thumbs up so far; read by behaviour segments, and no model reads it as it is",
}
SCORING_COLUMNS = [
    "user_id",
    "cutoff",
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
    "observed_days",
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


def point_in_time_rows(spark: SparkSession, user_days: DataFrame, cutoffs: list[Cutoff]) -> DataFrame:
    """One row per user and cutoff: label and features, all cutoffs in one pass over the days."""
    user_days.createOrReplaceTempView("user_days")
    spark.createDataFrame(cutoffs, CUTOFF_SCHEMA).createOrReplaceTempView("cutoffs")
    spark.sql(DAYS).createOrReplaceTempView("days")
    spark.sql(HISTORY).createOrReplaceTempView("history")
    spark.sql(AGGREGATE).createOrReplaceTempView("aggregated")
    return spark.sql(PROJECTION)


def computed_rows(
    spark: SparkSession,
    user_days: DataFrame,
    cutoffs: list[Cutoff],
    days: list[DayRows],
    columns: Iterable[str],
) -> DataFrame:
    """The rows of some cutoffs, from the days that they depend on, with described columns."""
    end = max(max(cutoff.cutoff, cutoff.label_end) for cutoff in cutoffs)
    rows = sum(day.user_days for day in days if day.day < end) * len(cutoffs)
    tasks = max(spark.sparkContext.defaultParallelism, math.ceil(rows / HISTORY_ROWS_PER_TASK))
    spark.conf.set("spark.sql.shuffle.partitions", tasks)
    known = user_days.where(F.col("day") < F.lit(end))
    described = [F.col(name).alias(name, metadata={"comment": COMMENTS[name]}) for name in columns]
    return point_in_time_rows(spark, known, cutoffs).select(*described)


def replace_table(rows: DataFrame, table: str, properties: dict[str, str]) -> DataFrameWriterV2:
    """How a table is replaced in one commit; its columns follow the catalogue."""
    writer = rows.writeTo(table).using("iceberg").options(**properties)
    writer = writer.tableProperty("format-version", "2")
    writer = writer.tableProperty("write.metadata.delete-after-commit.enabled", "true")
    writer = writer.tableProperty("write.distribution-mode", "none")
    return writer.tableProperty("write.spark.fanout.enabled", "true")


def refresh_features(
    spark: SparkSession,
    plan: Plan,
    user_days: DataFrame,
    source: str,
    period: Period,
    wanted: list[Cutoff],
    days: list[DayRows],
) -> dict[datetime.date, str]:
    """Computes the rows of the cutoffs that are missing or have changed; returns the versions of those wanted.

    @param source the snapshot of user_days
    """
    settings, table = plan["training"], table_name(plan, FEATURES)
    by, before = computed_by(period, settings), computed_before(spark, plan)
    unchanged: dict[datetime.date, str] = {}
    if before is not None and before.by == by:
        unchanged = unchanged_versions(spark, plan, source, before)
    kept = kept_versions(unchanged, [cutoff.cutoff for cutoff in wanted], period, settings)
    missing = [cutoff for cutoff in wanted if cutoff.cutoff not in kept]
    versions = {**kept, **{cutoff.cutoff: source for cutoff in missing}}
    if before is not None and not missing and kept.keys() == before.versions.keys():
        return versions
    computed = Computed(source, by, versions)
    properties = {f"snapshot-property.{name}": value for name, value in computed.properties().items()}
    rows = (
        computed_rows(spark, user_days, missing, days, COMMENTS) if missing else spark.table(table).limit(0)
    )
    if before is None or before.by != by:
        replace_table(rows, table, properties).partitionedBy(F.col("cutoff")).createOrReplace()
    else:
        others = ~F.col("cutoff").isin(sorted(kept)) if kept else F.lit(True)
        rows.writeTo(table).options(**properties).overwrite(others)
    return versions


def counted_cutoffs(
    features: DataFrame, scoring: DataFrame, cutoffs: list[Cutoff], versions: dict[datetime.date, str]
) -> tuple[list[CutoffCounts], int]:
    """Rows and cancellations of each cutoff, counted in the tables; and all rows of the features."""
    counts = {
        row.cutoff: row
        for row in features.groupBy("cutoff")
        .agg(F.count(F.lit(1)).alias("rows"), F.sum("label").alias("cancellations"))
        .collect()
    }
    living = scoring.count()
    rows = {cutoff: row["rows"] for cutoff, row in counts.items()}

    def rows_of(cutoff: Cutoff) -> int:
        return living if cutoff.role == "score" else rows.get(cutoff.cutoff, 0)

    empty = [str(cutoff.cutoff) for cutoff in cutoffs if rows_of(cutoff) == 0]
    if empty:
        raise StepError(
            f"no living user has an event before {', '.join(empty)}",
            "every user of the log cancelled early, or the log has no signed-in users",
            "check that the log's auth and userId columns are filled",
        )

    def counted(cutoff: Cutoff) -> CutoffCounts:
        found: CutoffCounts = {
            "cutoff": str(cutoff.cutoff),
            "role": cutoff.role,
            "rows": rows_of(cutoff),
            "cancellations": None,
        }
        if cutoff.role != "score":
            found["cancellations"] = counts[cutoff.cutoff].cancellations
            found["version"] = versions[cutoff.cutoff]
        return found

    return [counted(cutoff) for cutoff in cutoffs], sum(rows.values())


def run(spark: SparkSession, plan: Plan) -> FeaturesResult:
    """Fills the table of features and says what is in it."""
    settings = plan["training"]
    user_days_table, features_table = table_name(plan, USER_DAYS), table_name(plan, FEATURES)
    scoring_table = table_name(plan, SCORING_FEATURES)
    user_days_snapshot = current_snapshot(spark, user_days_table)
    user_days = read_snapshot(spark, user_days_table, user_days_snapshot)
    days = daily_rows(user_days)
    period = find_period(days, settings)
    cutoffs = plan_cutoffs(period, settings)

    wanted = [cutoff for cutoff in cutoffs if cutoff.role != "score"]
    versions = refresh_features(spark, plan, user_days, user_days_snapshot, period, wanted, days)
    scored = [cutoff for cutoff in cutoffs if cutoff.role == "score"]
    scoring_rows = computed_rows(spark, user_days, scored, days, SCORING_COLUMNS)
    replace_table(scoring_rows, scoring_table, {}).createOrReplace()
    expire_snapshots(spark, plan, [FEATURES, SCORING_FEATURES], SNAPSHOT_RETENTION_DAYS)

    features_snapshot = current_snapshot(spark, features_table)
    scoring_snapshot = current_snapshot(spark, scoring_table)
    counted, table_rows = counted_cutoffs(
        read_snapshot(spark, features_table, features_snapshot),
        read_snapshot(spark, scoring_table, scoring_snapshot),
        cutoffs,
        versions,
    )
    user_days.createOrReplaceTempView("user_days")
    spark.sql(DAYS).createOrReplaceTempView("days")
    (users,) = spark.sql(USERS).collect()
    return {
        "firstDay": str(period.first_day),
        "observationEnd": str(period.observation_end),
        "observedDays": (period.observation_end - period.first_day).days,
        "cutoffs": counted,
        "days": [{"day": str(day.day), "events": day.events} for day in days],
        "sources": daily_sources(user_days, spark.table(table_name(plan, PAGE_DAYS)), period.observation_end),
        "users": users.users,
        "cancellations": users.cancellations,
        "cutoffAnchor": str(grid_anchor(period, settings)),
        "returnedUsers": users.returned_users,
        "secondCancellations": users.second_cancellations,
        "featureCount": FEATURE_COUNT,
        "tableRows": table_rows,
        "snapshots": {
            "user_days": user_days_snapshot,
            "features": features_snapshot,
            "scoring_features": scoring_snapshot,
        },
    }


if __name__ == "__main__":
    main(STEP, run)
