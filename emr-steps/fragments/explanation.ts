/** From any failure to its likely cause and remedy: by the classes of exceptions and by status codes, not by texts. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { javaErrors } from './jvm.ts';
import { stepError } from './step-error.ts';
import { planTypes, stepErrorTypes } from './types.ts';

export const explanation = fragment({
  file: import.meta.url,
  needs: [planTypes, stepErrorTypes, stepError, javaErrors],
  imports: ['from collections.abc import Sequence'],
  constants: python`
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
  `,
  code: python`
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
  `,
});
