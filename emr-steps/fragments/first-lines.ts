/** Files whose names do not say what they hold: their first lines do. */
import type { PassedOverReason } from '../../domain/event-files.ts';
import { RAW_COLUMNS } from '../../domain/events.ts';
import { FILES_NAMED } from '../../domain/listing.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { hadoopFiles, javaErrors } from './jvm.ts';
import { ledgerRows } from './ledger.ts';
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
/** Columns that every row has. */
const REQUIRED = RAW_COLUMNS.filter(({ optional }) => !optional).map(({ name }) => name);

export const firstLines = fragment({
  file: import.meta.url,
  needs: [planTypes, ingestTypes, hadoopFiles, javaErrors, ledgerRows],
  imports: [
    'import collections',
    'import re',
    'from concurrent.futures import ThreadPoolExecutor',
    'from pyspark.sql import SparkSession',
  ],
  constants: python`
    FIRST_BYTES_OF_UNSURE = 65_536
    FILES_AT_ONCE = 16
    # How files that hold no lines begin, as hexadecimal digits.
    BEGINNINGS: dict[str, PassedOverReason] = ${Object.fromEntries(BEGINNINGS)}
    NO_EVENTS: PassedOverReason = ${NO_EVENTS}
    COLUMNS_OF_EVERY_ROW = ${REQUIRED}
    FILES_NAMED = ${FILES_NAMED}
  `,
  code: python`
    def known_beginning(spark: SparkSession, uri: str) -> bytes:
        """The beginning of a file, unpacked; empty where it cannot be read, which reading it as every other file names."""
        try:
            return first_bytes(spark, uri, FIRST_BYTES_OF_UNSURE)
        except QUERY_ERRORS:
            return b""


    def reason_to_pass_over(begin: bytes) -> PassedOverReason | None:
        """Why a file that begins like this is no event file."""
        for digits, reason in BEGINNINGS.items():
            if begin.startswith(bytes.fromhex(digits)):
                return reason
        text = begin.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
        is_json = text.startswith(("{", "["))
        has_columns = all(re.search(rf'"{name}"\s*:', text, re.IGNORECASE) for name in COLUMNS_OF_EVERY_ROW)
        return None if is_json and has_columns else NO_EVENTS


    def files_passed_over(spark: SparkSession, batch: Batch) -> dict[str, PassedOverReason]:
        """The files of the batch that are no event files, with the reason; only those are opened that may be none."""
        unsure = [file["uri"] for file in batch["files"] if file.get("unsure")]
        if not unsure:
            return {}
        with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
            begins = pool.map(lambda uri: known_beginning(spark, uri), unsure)
            reasons = {uri: reason_to_pass_over(begin) for uri, begin in zip(unsure, begins, strict=True)}
        return {uri: reason for uri, reason in reasons.items() if reason is not None}


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
