/**
 * Every access to the driver's JVM, where PySpark itself has no way: docs/decisions/jvm-access.md says why for each.
 * Nothing else touches `_jvm`, `_jsc` or py4j; what comes from there is typed by the methods that are called.
 */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';

/** The driver and its JVM. */
export const jvm = fragment({
  file: import.meta.url,
  imports: [
    'from typing import Any, TypeAlias',
    'from pyspark import SparkContext',
    'from pyspark.sql import SparkSession',
  ],
  code: python`
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
  `,
});

/** Java's exceptions behind PySpark's. */
export const javaErrors = fragment({
  file: import.meta.url,
  imports: [
    'from typing import Protocol',
    'from py4j.protocol import Py4JError, Py4JJavaError',
    'from pyspark.errors.exceptions.captured import CapturedException',
    'from pyspark.sql import SparkSession',
  ],
  constants: python`
    # What a query raises that fails in the JVM.
    QUERY_ERRORS = (Py4JJavaError, CapturedException)
    # A chain of causes that is longer is taken to be a circle.
    MOST_CAUSES = 50
    # By what an AWS client's exception says which HTTP status it was answered with: SDK 2, then SDK 1.
    STATUS_METHODS = ("statusCode", "getStatusCode")
  `,
  code: python`
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
  `,
});

/** Hadoop's file systems, which reach every place that Spark does. */
export const hadoopFiles = fragment({
  file: import.meta.url,
  needs: [jvm],
  imports: [
    'from collections.abc import Iterable',
    'from typing import Any, Protocol',
    'from pyspark.sql import SparkSession',
  ],
  code: python`
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
  `,
});

/** YARN's own view of the applications that wait to run: Spark itself only waits with them. */
export const yarnApplications = fragment({
  file: import.meta.url,
  needs: [jvm],
  imports: ['from typing import Any, Protocol'],
  constants: python`
    # Before an application runs, or ends.
    WAITING_STATES = {"NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED"}
    # By default Hadoop tries to connect for a quarter of an hour.
    YARN_PATIENCE = {
        "yarn.resourcemanager.connect.max-wait.ms": 10_000,
        "yarn.resourcemanager.connect.retry-interval.ms": 2_000,
        "ipc.client.connect.max.retries": 1,
    }
  `,
  code: python`
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
  `,
});

/** Iceberg's own view of a table: its metadata without a query. */
export const icebergTables = fragment({
  file: import.meta.url,
  needs: [jvm],
  imports: [
    'from collections.abc import Iterable, Mapping',
    'from typing import Any, Protocol',
    'from pyspark.sql import SparkSession',
  ],
  code: python`
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
  `,
});

/** Spark's reader of JSON, over rows instead of files. */
export const jsonReader = fragment({
  file: import.meta.url,
  needs: [jvm],
  imports: ['from pyspark.sql import DataFrame, SparkSession'],
  code: python`
    def read_json(lines: DataFrame, schema: str, options: dict[str, str]) -> DataFrame:
        """The JSON documents of a column of text, one a row."""
        spark = lines.sparkSession
        # Encoders.STRING is the same, and loads Scala's reflection first.
        text = java(spark).org.apache.spark.sql.Encoders.bean(java_class(spark, "java.lang.String"))
        reader = spark.read.schema(schema).options(**options)
        return DataFrame(reader._jreader.json(getattr(lines._jdf, "as")(text)), spark)
  `,
});

/** Rows without the plan that they come from. */
export const rowsAsSource = fragment({
  file: import.meta.url,
  imports: ['from pyspark.sql import DataFrame'],
  code: python`
    def as_source(rows: DataFrame) -> DataFrame:
        """The same rows, to Spark a source; they are computed when they are read, and again where they are lost.

        Spark analyses and optimises each query together with all that it is built on. Where that is a column for each
        feature, this takes longer than to compute the rows. A checkpoint would do the same, but a local one does not
        survive the loss of an executor, and a reliable one is written to S3.
        """
        spark, computed = rows.sparkSession, rows._jdf.queryExecution().toRdd()
        source = spark._jsparkSession.internalCreateDataFrame(computed, rows._jdf.schema(), False)
        return DataFrame(source, spark)
  `,
});

/** Rows on which many queries are built. */
export const heldRows = fragment({
  file: import.meta.url,
  needs: [rowsAsSource],
  imports: ['from pyspark.sql import DataFrame'],
  code: python`
    class HeldRows:
        """Rows that are kept in memory, as a source."""

        def __init__(self, rows: DataFrame) -> None:
            """They are computed when they are first read."""
            self._kept = rows.cache()
            self.rows = as_source(self._kept)

        def release(self) -> None:
            """Lets go of the memory."""
            self._kept.unpersist()
  `,
});

/** The timer that keeps a local driver alive. */
export const barrierTimer = fragment({
  file: import.meta.url,
  needs: [jvm],
  imports: ['from pyspark.sql import SparkSession'],
  code: python`
    def release_barrier_timer(spark: SparkSession) -> None:
        """Lets a local driver end: Spark 3.5 keeps a timer of barrier tasks alive in it (SPARK-46895)."""
        context = getattr(getattr(java(spark).org.apache.spark, "BarrierTaskContext$"), "MODULE$")
        getattr(context, "org$apache$spark$BarrierTaskContext$$timer")().cancel()
  `,
});
