"""Scores every living user, says which groups of features raise the score, and measures drift.

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
from pyspark.sql import Column, DataFrame, SparkSession, Window
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
    rescoring: NotRequired[dict[str, str] | None]
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

    def setVerifyChecksum(self, verify: bool) -> None:
        """Whether checksum files are looked for when files are read."""

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


class FeaturesSnapshots(TypedDict):
    """Snapshots that were read and written."""

    user_days: str
    features: str
    scoring_features: NotRequired[str]


class FeaturesResult(TypedDict):
    """Result of build-features."""

    firstDay: str
    observationEnd: str
    observedDays: int
    cutoffs: list[CutoffCounts]
    days: NotRequired[list[DayEvents]]
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


class ProbabilityBin(TypedDict):
    """Living users of nearly the same probability."""

    bin: int
    users: int
    expected: float
    control: int


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


class Drift(TypedDict):
    """How far the scored users differ from the test users."""

    features: list[FeatureDrift]
    score: float
    comparedWith: NotRequired[ComparedWith | None]


class ScoringResult(TypedDict):
    """Result of score-users."""

    users: int
    cutoff: str
    expectedCancellations: float
    top: list[TopUser]
    probabilities: NotRequired[list[ProbabilityBin]]
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


# --- emr-steps/score-users.ts ---

STEP: StepName = "score-users"
SCORING_FEATURES = "scoring_features"
SCORES = "scores"
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
  reasons array<string> COMMENT 'groups of features that raise the score most, strongest first'
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
    "reasons",
]
# The name under which a row is scored as it is, beside the groups of features.
AS_IT_IS = ""
REASONS = 3
TOP_USERS = 2200
PROBABILITY_BINS = 2000
HASH_VALUES = 2**32
LEAST_RATE = 1e-6
CHANNEL_GROUPS = [
    "enjoyment",
    "enjoyment",
    "adverts",
    "adverts",
    "subscription",
    "subscription",
]


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


def by_base_rate(features: DataFrame) -> DataFrame:
    """One row a user, all with the same score and no reasons: nobody ranks before another."""
    return features.select(
        "user_id",
        "cutoff",
        F.col("is_paid").alias("level_is_paid"),
        F.lit(0.0).alias("raw_score"),
        F.array().cast("array<string>").alias("reasons"),
    )


def living_users(features: DataFrame, inputs: list[ModelInput]) -> DataFrame:
    """The rows to score, with what the model must know of them."""
    missing = [feature["name"] for feature in inputs if feature["name"] not in features.columns]
    if missing:
        raise StepError(
            f"the model needs features that the table does not have: {', '.join(missing)}",
            "the feature catalogue changed after the model was trained",
            "run the pipeline from build-features",
        )
    return features.select(
        "user_id",
        "cutoff",
        F.col("is_paid").alias("level_is_paid"),
        *segment_source(),
        input_array(inputs).alias("inputs"),
    )


def with_variants(users: DataFrame, inputs: list[ModelInput], segments: SegmentModel | None) -> DataFrame:
    """Each row as it is, and once more for each group with the group's inputs at their training medians.

    Counts of the group's channels are then what is usual for their exposure, and segments are computed from these.
    """
    channels: list[tuple[str, str, float, str]] = []
    if segments is not None:
        columns = segments["counts"], segments["exposures"], segments["usualRates"]
        channels = list(zip(*columns, CHANNEL_GROUPS, strict=True))
    every = [feature["group"] for feature in inputs] + [group for *_, group in channels]
    groups = list(dict.fromkeys(every))
    group_of = F.lit([feature["group"] for feature in inputs])
    medians = F.lit(
        [
            math.log1p(feature["median"]) if feature["scale"] == "log1p" else feature["median"]
            for feature in inputs
        ]
    )
    variants = users.withColumn("variant", F.explode(F.lit([AS_IT_IS, *groups])))

    for count, exposure, rate, group in channels:
        typical = F.when(F.col("variant") == group, F.col(exposure) * rate)
        variants = variants.withColumn(count, typical.otherwise(F.col(count)))

    def replaced(value: Column, index: Column) -> Column:
        return F.when(group_of[index] == F.col("variant"), medians[index]).otherwise(value)

    return variants.withColumn("features", array_to_vector(F.transform("inputs", replaced)))


def with_reasons(scored: DataFrame) -> DataFrame:
    """One row a user: the score, and the groups without which it would be lower, strongest first."""
    as_it_is = F.col("variant") == AS_IT_IS
    score = F.max(F.when(as_it_is, F.col("raw_score")))
    others = F.collect_list(F.when(~as_it_is, F.struct("raw_score", "variant")))
    users = scored.groupBy("user_id", "cutoff", "level_is_paid").agg(
        score.alias("raw_score"), others.alias("others")
    )
    rises = "transform(others, other -> struct(raw_score - other.raw_score AS rise, other.variant AS name))"
    raising = f"sort_array(filter({rises}, other -> other.rise > 0), false)"
    return users.withColumn(
        "reasons", F.expr(f"transform(slice({raising}, 1, {REASONS}), other -> other.name)")
    )


def ranked(users: DataFrame, calibration: Calibration, plan: Plan, choice: Choice) -> DataFrame:
    """The rows of the table: probability, rank and decile, and who is never to be contacted.

    Without a model in charge nobody ranks before another; withheld probabilities are missing.
    """
    log_odds = calibration["slope"] * F.col("raw_score") + calibration["intercept"]
    is_ranked, is_believed = F.lit(choice["list"] != "no"), F.lit(choice["list"] != "order only")
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
        .select(*COLUMNS)
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
    features = read_snapshot(spark, features_table, built["snapshots"]["scoring_features"])
    spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
    # Without a model in charge there are no scores to compare.
    test_scores: ScoreBins = {"starts": [], "rows": [0]}
    if scorer is None:
        users, calibration = by_base_rate(features), flat(choice["baseRate"])
        names = list(compared.inputs) if compared else []
        kind = "base_rate"
    else:
        description, model = load(files, scorer["modelUri"])
        inputs, segments = description["inputs"], description.get("segments")
        names = [feature["name"] for feature in inputs]
        variants = with_variants(living_users(features, inputs), inputs, segments)
        users = with_reasons(with_raw_score(description["kind"], model, variants, segments, names))
        kind, calibration = description["kind"], description["calibration"]
        test_scores = {**(scorer["testScores"] or description["testScores"])}
    scores = ranked(users, calibration, plan, choice)
    spark.sql(SCORES_DEFINITION.format(table=scores_table))
    scores.writeTo(scores_table).overwrite(F.col("run_id") == plan["runId"])
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
    return {
        "users": totals.users,
        "cutoff": str(totals.cutoff),
        # Where probabilities are withheld, as many as at the newest test cutoff.
        "expectedCancellations": (
            totals.expected_cancellations if is_believed else totals.users * choice["baseRate"]
        ),
        # By the base rate alone all users are equal, and who is first would be an accident of hashing.
        "top": [] if kind == "base_rate" else top_users(written),
        "probabilities": probability_bins(written),
        "drift": measured_drift(features, names, compared, score),
        "snapshots": {"scores": snapshot},
    }


if __name__ == "__main__":
    main(STEP, run)
