/**
 * Files that Spark cannot read by line: a JSON array, or objects one after another, is cut into its objects, the text of
 * each unchanged; a packed file whose ending is in capital letters is unpacked first.
 */
import { LARGEST_CUT_BYTES, PACKED_BYTES_FACTOR } from '../../domain/adaptations.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { hadoopFiles } from './jvm.ts';
import { plainLines } from './plain-lines.ts';
import { rawLines } from './raw-lines.ts';
import { stepError } from './step-error.ts';
import { planTypes } from './types.ts';

export const cutObjects = fragment({
  file: import.meta.url,
  needs: [planTypes, hadoopFiles, plainLines, rawLines, stepError],
  imports: [
    'import bz2',
    'import gzip',
    'import json',
    'import re',
    'from collections.abc import Iterator',
    'from pyspark.sql import DataFrame, Row, SparkSession',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    LARGEST_CUT_BYTES = ${LARGEST_CUT_BYTES}
    PACKED_BYTES_FACTOR = ${PACKED_BYTES_FACTOR}
    PACKED_ENDINGS = (".gz", ".bz2")
    BLANKS = re.compile(r"[ \t\r\n]*")
    BYTE_ORDER_MARK = b"\xef\xbb\xbf"
    # In a file of lines one ends within so many bytes, nearly always the first number.
    FIRST_BYTES = (65_536, 16_777_216)
    CUT_ROW = "file_path STRING, content BINARY, adapted INT"
  `,
  code: python`
    def objects_in(content: bytes) -> Iterator[bytes]:
        """The objects of an array, or of a sequence, as they are written; raises ValueError where it is neither.

        The bytes are read as Latin 1: what structures JSON is ASCII, which no other character of UTF-8 contains.
        """
        text = content.removeprefix(BYTE_ORDER_MARK).decode("latin-1")
        decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=refuse_constant)

        def after_blanks(place: int) -> int:
            match = BLANKS.match(text, place)
            return place if match is None else match.end()

        place = after_blanks(0)
        is_array = text.startswith("[", place)
        place = after_blanks(place + 1) if is_array else place
        while place < len(text) and not (is_array and text.startswith("]", place)):
            if not is_array and not text.startswith("{", place):
                raise ValueError(place)
            _, end = decoder.raw_decode(text, place)
            yield text[place:end].encode("latin-1")
            place = after_blanks(end)
            if is_array and text.startswith(",", place):
                place = after_blanks(place + 1)
                if text.startswith("]", place):
                    raise ValueError(place)
            elif is_array and not text.startswith("]", place):
                raise ValueError(place)
        if is_array and (place == len(text) or after_blanks(place + 1) < len(text)):
            raise ValueError(place)


    def is_object(line: bytes) -> bool:
        """Whether a line holds one JSON value, which most probably is an object."""
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            return False
        return line.lstrip().startswith(b"{")


    def is_packed_in_capitals(uri: str) -> bool:
        """Whether a file is packed and its ending does not say so in small letters: Spark does not unpack it."""
        return uri.lower().endswith(PACKED_ENDINGS) and not uri.endswith(PACKED_ENDINGS)


    def unpacked_rows(uri: str, content: bytes) -> Iterator[tuple[bytes, int]]:
        """The lines of a packed file, or its objects where it is no file of lines, each with how it was adapted."""
        unpack = gzip.decompress if uri.lower().endswith(".gz") else bz2.decompress
        text = unpack(content).removeprefix(BYTE_ORDER_MARK)
        lines = [line for line in re.split(rb"\r\n|\n|\r", text) if line.strip()]
        if all(map(is_object, lines)) or count_objects(text) < 0:
            return ((line, 0) for line in lines)
        return ((one, CUT_OUT) for one in objects_in(text))


    def count_objects(content: bytes) -> int:
        """How many objects a file can be cut into; -1 where it is neither an array nor objects one after another."""
        if len(content) > LARGEST_CUT_BYTES:
            return -1
        try:
            return sum(1 for _ in objects_in(bytes(content)))
        except (ValueError, RecursionError):
            return -1


    def whole_files(spark: SparkSession, files: dict[int, str]) -> DataFrame:
        """Each file as one row: its path and its bytes."""
        whole = read_lines(spark, files.values(), whole_files=True)
        return whole.select(F.input_file_name().alias("file_path"), F.expr("BINARY(value)").alias("content"))


    def files_to_cut(spark: SparkSession, files: dict[int, str], sizes: dict[str, int]) -> set[int]:
        """Those of the files that can be cut into objects."""
        limit = LARGEST_CUT_BYTES
        small = {number: uri for number, uri in files.items() if unpacked_bytes(uri, sizes[uri]) <= limit}
        if not small:
            return set()
        count = F.udf(count_objects, "BIGINT")
        counted = whole_files(spark, small).select("file_path", count("content").alias("objects"))
        paths = {row.file_path for row in counted.where("objects >= 0").collect()}
        return {number for number, uri in small.items() if path_of_rows(spark, uri) in paths}


    def cut_lines(spark: SparkSession, files: dict[int, str]) -> DataFrame:
        """The objects of the files, or the lines of packed ones, each as a line with how it was adapted."""

        def of_file(file: Row) -> Iterator[tuple[str, bytes, int]]:
            content = bytes(file.content)
            if is_packed_in_capitals(file.file_path):
                return ((file.file_path, *row) for row in unpacked_rows(file.file_path, content))
            return ((file.file_path, one, CUT_OUT) for one in objects_in(content))

        cut = spark.createDataFrame(whole_files(spark, files).rdd.flatMap(of_file), CUT_ROW)
        return cut.withColumn("value", F.col("content").cast("string")).drop("content")


    def unpacked_bytes(uri: str, size: int) -> int:
        """About how large a file is once it is unpacked."""
        return size * PACKED_BYTES_FACTOR if uri.lower().endswith(PACKED_ENDINGS) else size


    def check_cut_sizes(spark: SparkSession, batch: Batch) -> None:
        """Refuses files that are no lines and too large to be cut, before their one line is read."""
        for file in batch["files"]:
            uri = file["uri"]
            if unpacked_bytes(uri, file["bytes"]) <= LARGEST_CUT_BYTES:
                continue
            beginnings = Beginnings(spark, uri)
            read = (beginnings.read(uri, size) for size in FIRST_BYTES)
            begins = (text.removeprefix(BYTE_ORDER_MARK).lstrip() for text in read)
            begin = next((text for text in begins if text.startswith(b"[") or b"\n" in text), b"")
            is_array = begin.startswith(b"[")
            is_spread = begin.partition(b"\n")[0].strip() == b"{"
            if begin and not is_array and not is_spread:
                continue
            one_line = "objects spread over several lines" if is_spread else "a single line"
            kind = "a JSON array: its first line begins with [" if is_array else one_line
            pick = "jq -cn --stream 'fromstream(1|truncate_stream(inputs))'" if is_array else "jq -c ."
            raise StepError(
                f"{uri} is {kind}, and with {file['bytes']:,} bytes too large to be cut into its objects",
                f"the log has one JSON object a line; other files are read up to {LARGEST_CUT_BYTES:,} bytes",
                f"convert it and deliver it instead: {pick} file.json > file.jsonl (unpack it first if it is packed)",
            )
  `,
});
