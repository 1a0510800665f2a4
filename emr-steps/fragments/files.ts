/** Reading and writing small files of the lake. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { hadoopFiles, jvm } from './jvm.ts';

export const files = fragment({
  file: import.meta.url,
  needs: [jvm, hadoopFiles],
  imports: ['import json', 'from collections.abc import Iterable, Mapping', 'from typing import Any'],
  code: python`
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
  `,
});
