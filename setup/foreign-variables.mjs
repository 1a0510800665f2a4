/** Environment variables with which users configure their own Spark, Java or Python: neither set-up nor steps heed them. */

const FOREIGN =
  /^(_?JAVA_|JDK_|SPARK_|PYSPARK_|PYTHON|HADOOP_|YARN_|CONDA_|VIRTUAL_ENV$|CLASSPATH$|PIP_(USER|TARGET|PREFIX|ROOT|REQUIRE_VIRTUALENV)$|UV_(PYTHON|SYSTEM_PYTHON|PROJECT_ENVIRONMENT)$)/;

/** @param {string} name of an environment variable */
export const isForeign = (name) => FOREIGN.test(name);

/**
 * The variables to unset for a program that the set-up starts.
 * @param {NodeJS.ProcessEnv} inherited
 * @returns {NodeJS.ProcessEnv} undefined for a variable to unset
 */
export function withoutForeign(inherited) {
  return Object.fromEntries(
    Object.keys(inherited)
      .filter(isForeign)
      .map((name) => [name, undefined]),
  );
}
