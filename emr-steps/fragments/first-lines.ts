/**
 * The first lines of files, before they are read: those of files whose names do not say what they hold show whether there are
 * events in it; those of others, whether they are what they are called, and whether their columns are spelt as ours. A file
 * all of whose rows are accepted would otherwise not be looked at again.
 */
import { PASSED_OVER, type PassedOverReason } from '../../domain/event-files.ts';
import { RAW_COLUMNS } from '../../domain/events.ts';
import { FILES_NAMED } from '../../domain/listing.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { hadoopFiles, javaErrors } from './jvm.ts';
import { ledgerRows } from './ledger.ts';
import { plainLines } from './plain-lines.ts';
import { stepError } from './step-error.ts';
import { ingestTypes, planTypes } from './types.ts';

/** How files of other kinds begin. */
const BEGINNINGS: readonly (readonly [hex: string, reason: PassedOverReason])[] = [
  ['1f8b', 'unnamed_compression'],
  ['425a68', 'unnamed_compression'],
  ['504b0304', 'zip'],
  ['28b52ffd', 'zstd'],
  ['ff060000734e61507059', 'snappy'],
  ['fd377a585a00', 'other_compression'],
  ['50415231', 'columnar'],
  ['4f5243', 'columnar'],
  ['4f626a01', 'columnar'],
];
const NO_EVENTS: PassedOverReason = 'no_events';
/** Why files are passed over by their first lines, in words: what they are, and what to do. */
const WORDS = Object.fromEntries(
  [NO_EVENTS, ...BEGINNINGS.map(([, reason]) => reason)].map((reason) => {
    const { are, remedy } = PASSED_OVER[reason];
    return [reason, [are, remedy]];
  }),
);
/** Columns that every row has. */
const REQUIRED = RAW_COLUMNS.filter(({ optional }) => !optional).map(({ name }) => name);

export const firstLines = fragment({
  file: import.meta.url,
  needs: [planTypes, ingestTypes, hadoopFiles, javaErrors, ledgerRows, plainLines, stepError],
  imports: [
    'import collections',
    'import math',
    'import re',
    'from concurrent.futures import ThreadPoolExecutor',
    'from typing import NamedTuple',
    'from pyspark.sql import SparkSession',
  ],
  constants: python`
    FIRST_BYTES_OF_UNSURE = 65_536
    # Enough for the first songs of a file.
    FIRST_BYTES_OF_OTHERS = 8_192
    # Files of one exporter are alike: of more than so many, evenly spread ones are opened.
    MOST_LOOKED_INTO = 1_000
    FILES_AT_ONCE = 16
    # How files that hold no lines begin, as hexadecimal digits.
    BEGINNINGS: dict[str, PassedOverReason] = ${Object.fromEntries(BEGINNINGS)}
    NO_EVENTS: PassedOverReason = ${NO_EVENTS}
    COLUMNS_OF_EVERY_ROW = ${REQUIRED}
    PASSED_OVER_WORDS: dict[str, list[str]] = ${WORDS}
    FILES_NAMED = ${FILES_NAMED}
  `,
  code: python`
    class FirstLook(NamedTuple):
        """What the first lines of files show: which are no event files, and which are worth a second look."""

        passed_over: dict[str, PassedOverReason]
        other_spelling: set[str]


    def known_beginning(beginnings: Beginnings, file: EventFile) -> bytes:
        """The beginning of a file, unpacked; empty where it cannot be read, which reading it as every other file names."""
        try:
            is_unsure = file.get("unsure", False)
            return beginnings.read(file["uri"], FIRST_BYTES_OF_UNSURE if is_unsure else FIRST_BYTES_OF_OTHERS)
        except QUERY_ERRORS:
            return b""


    def is_spelt_otherwise(begin: bytes) -> bool:
        """Whether a line has a column in another spelling, or twice. The last line may be cut off."""
        whole = begin.rpartition(b"\n")[0] if len(begin) == FIRST_BYTES_OF_OTHERS else begin
        lines = whole.decode("utf-8", "replace").split("\n")
        plain = (plain_line(line) for line in lines)
        return any(line.is_ambiguous or line.changes & OTHER_CASE for line in plain)


    def known_format(begin: bytes) -> PassedOverReason | None:
        """Which format, other than lines of text, a file has that begins like this."""
        for digits, reason in BEGINNINGS.items():
            if begin.startswith(bytes.fromhex(digits)):
                return reason
        return None


    def reason_to_pass_over(begin: bytes) -> PassedOverReason | None:
        """Why a file that begins like this, and whose name says nothing, is no event file."""
        known = known_format(begin)
        if known is not None:
            return known
        text = begin.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
        is_json = text.startswith(("{", "["))
        has_columns = all(re.search(rf'"{name}"\s*:', text, re.IGNORECASE) for name in COLUMNS_OF_EVERY_ROW)
        return None if is_json and has_columns else NO_EVENTS


    def first_look(spark: SparkSession, batch: Batch) -> FirstLook:
        """Opens all files of the batch that may hold no events, and of the others as many as take no time."""
        look = FirstLook({}, set())
        files = [file for file in batch["files"] if file.get("unsure")]
        others = [file for file in batch["files"] if not file.get("unsure")]
        files += others[:: math.ceil(len(others) / MOST_LOOKED_INTO) or 1]
        if not files:
            return look
        beginnings = Beginnings(spark, files[0]["uri"])
        with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
            begins = list(pool.map(lambda file: known_beginning(beginnings, file), files))
        for file, begin in zip(files, begins, strict=True):
            reason = reason_to_pass_over(begin) if file.get("unsure") else known_format(begin)
            if reason is not None:
                look.passed_over[file["uri"]] = reason
            elif is_spelt_otherwise(begin):
                look.other_spelling.add(file["uri"])
        return look


    def check_any_events(passed_over: dict[str, PassedOverReason], batch: Batch, held: int) -> None:
        """Refuses a log of which nothing is read, where the lake has nothing of an earlier one."""
        if held > 0 or not passed_over or len(passed_over) < len(batch["files"]):
            return
        counted = collections.Counter(passed_over.values())
        found = [f"{count:,} {PASSED_OVER_WORDS[reason][0]}" for reason, count in counted.items()]
        remedies = [PASSED_OVER_WORDS[reason][1] for reason in counted if PASSED_OVER_WORDS[reason][1]]
        raise StepError(
            f"none of the {len(passed_over):,} files holds events that can be read: {', '.join(found)}; "
            f"the first is {min(passed_over)}",
            "the files are not what their names say, or this is not the event log",
            "; ".join(remedies) or "name the right place of the event log",
        )


    def passed_over_by_reason(files: list[LedgerRow]) -> list[PassedOver]:
        """The files that were not read, counted and the first of them named, for each reason."""
        named: dict[str, list[str]] = collections.defaultdict(list)
        for file in files:
            reason = file.get("passed_over", "")
            if reason:
                named[reason].append(file["uri"])
        known: list[PassedOverReason] = [NO_EVENTS, *dict.fromkeys(BEGINNINGS.values())]
        return [
            {"reason": reason, "count": len(named[reason]), "first": named[reason][:FILES_NAMED]}
            for reason in known
            if reason in named
        ]


    def files_without_events(files: list[LedgerRow]) -> FilesWithoutEvents:
        """Files that were read and gave no event: none was accepted, and none repeats an event."""
        uris = [
            file["uri"]
            for file in files
            if not file.get("passed_over") and file["rows_accepted"] + file["rows_duplicate"] == 0
        ]
        return {"count": len(uris), "first": uris[:FILES_NAMED]}
  `,
});
