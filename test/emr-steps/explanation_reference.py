"""Explains failures of a real JVM by the generated score-users.py, last of all the loss of an executor.

python explanation_reference.py <score-users.py>  Prints one JSON document: the explanation of each failure, by name.
"""

import importlib.util
import json
import sys
from collections.abc import Callable

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

# With this status YARN reports a container that it killed for using too much memory.
KILLED = 137


def load(path: str):
    """The generated script as a module; its main() does not run."""
    specification = importlib.util.spec_from_file_location("score_users", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class SdkException:
    """An exception of the AWS SDK 2, which local Spark does not have: by the methods that are called of it."""

    def __init__(self, java_class, status: int) -> None:
        """Takes its class and the HTTP status that it was answered with."""
        self.java_class = java_class
        self.status = status

    def getClass(self):
        """Its class."""
        return self.java_class

    def getCause(self) -> None:
        """It has no cause."""

    def statusCode(self) -> int:
        """The HTTP status."""
        return self.status


class SdkError(Py4JJavaError):
    """The error that PySpark raises for it."""

    def __init__(self, thrown: SdkException) -> None:
        """Takes what was thrown."""
        self.java_exception = thrown

    def __str__(self) -> str:
        """What PySpark would ask the JVM for."""
        return "answered"


def failure_of(query: Callable[[], object]) -> Exception:
    """What a query fails with."""
    try:
        query()
    except (Py4JJavaError, PySparkException) as error:
        return error
    raise AssertionError("the query did not fail")


def main() -> None:
    """Prints the explanations."""
    step = load(sys.argv[1])
    spark = (
        SparkSession.builder.master("local-cluster[1,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.executor.memory", "512m")
        .config("spark.task.maxFailures", 1)
        .getOrCreate()
    )
    java = spark._jvm.java
    apache = spark._jvm.org.apache

    def thrown(cause) -> Py4JJavaError:
        """As PySpark raises what the JVM threw, with the cause two levels down."""
        wrapped = java.io.IOException("could not read", cause)
        return Py4JJavaError("An error occurred while calling o1.collect.", java.lang.RuntimeException("job", wrapped))

    def behind_python(cause) -> Exception:
        """Raised from an error of the JVM by Python code."""
        try:
            raise ValueError("could not score") from thrown(cause)
        except ValueError as error:
            return error

    def answered(status: int) -> SdkError:
        """As the AWS SDK 2 throws what a service answered."""
        return SdkError(SdkException(java.lang.RuntimeException().getClass(), status))

    denied = java.nio.file.AccessDeniedException("s3://lake/events")
    misleading = java.lang.IllegalStateException("row 403: AccessDenied, OutOfMemoryError, Container killed")
    failures = {
        "denied file": thrown(denied),
        "denied by Hadoop": thrown(apache.hadoop.security.AccessControlException("denied")),
        "status 403": thrown(apache.http.client.HttpResponseException(403, "Forbidden")),
        "status 404": thrown(apache.http.client.HttpResponseException(404, "Not Found")),
        "status 403 of SDK 2": answered(403),
        "status 500 of SDK 2": answered(500),
        "denied behind Python": behind_python(denied),
        "heap": thrown(java.lang.OutOfMemoryError("Java heap space")),
        "execution memory": thrown(apache.spark.memory.SparkOutOfMemoryError("unable to acquire 64 bytes")),
        "memory of the driver": MemoryError(),
        "misleading words": thrown(misleading),
        "no table": failure_of(lambda: spark.table("nowhere").count()),
        "failed task": failure_of(lambda: spark.range(1).selectExpr("raise_error('AccessDenied: 403')").collect()),
        "known": step.StepError("no model", "it was removed", "train again"),
    }
    explained = {name: step.explain("score-users", error, step.lost_executors(spark)) for name, error in failures.items()}
    exit_executor = f"reflect('java.lang.System', 'exit', {KILLED})"
    lost = failure_of(lambda: spark.range(1).selectExpr(exit_executor).collect())
    explained["lost executor"] = step.explain("score-users", lost, step.lost_executors(spark))
    explained["heap after a lost executor"] = step.explain(
        "score-users", failures["heap"], step.lost_executors(spark)
    )
    explained["heap of this machine"] = step.explain("score-users", failures["heap"], is_local=True)
    spark.stop()
    explained["after the end of Spark"] = step.explain("score-users", ValueError(""), step.lost_executors(spark))
    print(json.dumps(explained))


if __name__ == "__main__":
    main()
