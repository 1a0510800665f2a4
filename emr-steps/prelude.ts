/** The part that every script begins with: reading the plan, writing the result, and explaining a failure. */
import { Python, python, pythonLines } from './python.ts';
import type { StepDefinition } from './step.ts';

const STANDARD_IMPORTS = ['import argparse', 'import json', 'import sys', 'import traceback'];
const THIRD_PARTY_IMPORTS = ['from pyspark.sql import SparkSession'];

/** Module docstring, imports, constants and helpers; the step's own body follows. */
export function prelude(step: Pick<StepDefinition<unknown>, 'name' | 'summary' | 'imports'>): Python {
  return python`
    """${fragment(step.summary)}

    Generated from emr-steps/${fragment(step.name)}: change it there. Run by
    spark-submit ${fragment(step.name)}.py --plan <uri of plan.json>
    """

    ${importLines(STANDARD_IMPORTS, step.imports?.standard)}

    ${importLines(THIRD_PARTY_IMPORTS, step.imports?.thirdParty)}

    STEP = ${step.name}
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
  `;
}

/** Imports of the script as ruff sorts them: whole modules first, then names, those of one module on one line. */
function importLines(own: readonly string[], more: readonly string[] = []): Python {
  const modules = new Set<string>();
  const names = new Map<string, Set<string>>();
  for (const line of [...own, ...more]) {
    const [, module, imported] = /^from (\S+) import (.+)$/.exec(line) ?? [];
    if (module === undefined || imported === undefined || imported.includes(' as ')) modules.add(line);
    else names.set(module, new Set([...(names.get(module) ?? []), ...imported.split(', ')]));
  }
  const fromLines = [...names].map(
    ([module, all]) => `from ${module} import ${[...all].sort(byNameKind).join(', ')}`,
  );
  return pythonLines([...modules, ...fromLines].sort(plainImportsFirst).map(fragment));
}

/** `import x` before `from x import y`; a module's names under another name come after its own. */
function plainImportsFirst(a: string, b: string): number {
  const key = (line: string): string => (line.startsWith('import ') ? `0 ${line}` : `1 ${line}`);
  return key(a) < key(b) ? -1 : 1;
}

/** Constants, then classes, then functions, each by the alphabet: ruff's order of imported names. */
function byNameKind(a: string, b: string): number {
  const rank = (name: string): number => (name === name.toUpperCase() ? 0 : /^[A-Z]/.test(name) ? 1 : 2);
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

/** Text of ours that is source already: the docstring and the imports. */
function fragment(source: string): Python {
  return new Python(source);
}
