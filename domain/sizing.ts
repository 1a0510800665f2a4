/**
 * The size of a run's cluster and the partitioning of its work, from the bytes to read.
 * One unit of capacity is one instance with four vCPUs and 16 GiB or more; the primary is one additional unit.
 */
import { unitUsdPerHourCeiling, VCPUS_PER_UNIT } from './cost.ts';
import type { ClusterSize, EventFile } from './run.ts';

const MEBIBYTE = 1_048_576;
const GIBIBYTE = 1_024 * MEBIBYTE;

/** Measured CPU seconds of ingest on two logs, in local mode on an idle machine with x86 cores, including the start. */
const MEASURED_INGEST = {
  /** 23.9 M rows; 172 s on two cores. */
  large: { bytes: 10.9e9, cpuSeconds: 320 },
  /** 2.9 M rows; 35 s on two cores. */
  small: { bytes: 1.31e9, cpuSeconds: 61 },
} as const;

/** Measured on the smaller log in the same way: seconds of the three steps after ingest, including their starts. */
const MEASURED_TRAINING = {
  bytes: 1.31e9,
  rows: 2.9e6,
  cores: 2,
  seconds: { features: 12, models: 36, scores: 11 },
} as const;

/**
 * The factor by which ingest is assumed to take more CPU seconds on the cluster than measured: the cluster reads from S3
 * and encrypts shuffled data, and its processors (Graviton) were not measured.
 */
const INGEST_MARGIN = 2;

/**
 * CPU seconds per byte of raw JSON that is ingested, from the difference between the larger and the smaller log, so that
 * the start of the step is left out: 27 CPU seconds per GB, 54 with the margin.
 */
const INGEST_VCPU_SECONDS_PER_BYTE =
  (INGEST_MARGIN * (MEASURED_INGEST.large.cpuSeconds - MEASURED_INGEST.small.cpuSeconds)) /
  (MEASURED_INGEST.large.bytes - MEASURED_INGEST.small.bytes);

/**
 * CPU seconds per byte of history (as JSON) for building features, training models and scoring users: 90 per GB. This
 * assumes that all cores were always busy and that the start of a step takes longer for a larger log; most of the
 * measured time is start, so it already contains a margin.
 */
const TRAINING_VCPU_SECONDS_PER_BYTE =
  (MEASURED_TRAINING.cores *
    Object.values(MEASURED_TRAINING.seconds).reduce((sum, seconds) => sum + seconds, 0)) /
  MEASURED_TRAINING.bytes;

/** JSON of an average row of the measured log. */
const BYTES_PER_ROW = MEASURED_TRAINING.bytes / MEASURED_TRAINING.rows;

/** Creating the cluster, its bootstrap, the start of four steps, and waiting until `.sync` polls. */
const SETUP_MINUTES = 20;
/** The cluster is large enough to finish its work in this time. */
const TARGET_MINUTES = 60;
const MIN_UNITS = 3;
const MAX_UNITS = 64;
const MIN_CORE_UNITS = 2;
/** Share of the units that are on demand; the others are on the spot market and may be interrupted. */
const CORE_SHARE = 1 / 3;

const SHUFFLE_PARTITION_BYTES = 64 * MEBIBYTE;
const SHUFFLE_PARTITIONS = { least: 4, most: 2_000 } as const;
const SLICE_BYTES = 2 * GIBIBYTE;
const SLICES_PER_DAY = { least: 1, most: 16 } as const;
/**
 * History per barrier task of XGBoost. There are few tasks, so that the metrics do not change from day to day. Barrier tasks
 * run all at once or not at all, so there are never more than the executors on core nodes have slots: those stay when spot
 * instances are reclaimed.
 */
const BOOSTING_WORKER_BYTES = 16 * GIBIBYTE;
const MIN_BOOSTING_WORKERS = 4;
/** Ratio of a log's size to the size of its gzip file. */
const GZIP_RATIO = 10;

/**
 * Bytes of JSON: in the new files, and in all that the lake has ingested, including the new ones. The history is known
 * in rows, which cost the same whether their files were compressed or not.
 */
export interface DataVolume {
  readonly newBytes: number;
  readonly historyBytes: number;
}

export interface RunSize {
  readonly cluster: ClusterSize;
  readonly shufflePartitions: number;
  readonly slicesPerDay: number;
  readonly boostingWorkers: number;
}

/** Bytes of JSON in the files; estimated for compressed files. */
export function jsonBytes(files: readonly Pick<EventFile, 'uri' | 'bytes'>[]): number {
  return files.reduce((sum, file) => sum + file.bytes * (/\.(gz|bz2)$/i.test(file.uri) ? GZIP_RATIO : 1), 0);
}

/** Bytes of JSON that so many rows had, at the size of an average row. */
export function bytesOfRows(rows: number): number {
  return rows * BYTES_PER_ROW;
}

/** Size of a run on EMR. */
export function sizeOnEmr(volume: DataVolume, region: string): RunSize {
  const workSeconds =
    volume.newBytes * INGEST_VCPU_SECONDS_PER_BYTE + volume.historyBytes * TRAINING_VCPU_SECONDS_PER_BYTE;
  const units = clamp(Math.ceil(workSeconds / (VCPUS_PER_UNIT * TARGET_MINUTES * 60)), MIN_UNITS, MAX_UNITS);
  const coreUnits = Math.max(MIN_CORE_UNITS, Math.ceil(units * CORE_SHARE));
  const estimatedMinutes = Math.ceil(SETUP_MINUTES + workSeconds / (units * VCPUS_PER_UNIT) / 60);
  const unitHours = ((units + 1) * estimatedMinutes) / 60;
  const workers = Math.ceil(volume.historyBytes / BOOSTING_WORKER_BYTES);
  return {
    cluster: {
      coreUnits,
      taskUnits: units - coreUnits,
      executors: units,
      estimatedMinutes,
      estimatedUsd: Math.ceil(unitHours * unitUsdPerHourCeiling(region) * 100) / 100,
    },
    ...partitioning(volume.newBytes),
    boostingWorkers: clamp(workers, MIN_BOOSTING_WORKERS, coreUnits * VCPUS_PER_UNIT),
  };
}

/** Size of a local run: no cluster to choose, no cost, one boosting worker. */
export function sizeLocally(volume: DataVolume): RunSize {
  return {
    cluster: { coreUnits: 1, taskUnits: 1, executors: 1, estimatedMinutes: 0, estimatedUsd: 0 },
    ...partitioning(volume.newBytes),
    boostingWorkers: 1,
  };
}

function partitioning(newBytes: number): Pick<RunSize, 'shufflePartitions' | 'slicesPerDay'> {
  return {
    shufflePartitions: clamp(
      Math.ceil(newBytes / SHUFFLE_PARTITION_BYTES),
      SHUFFLE_PARTITIONS.least,
      SHUFFLE_PARTITIONS.most,
    ),
    slicesPerDay: clamp(Math.ceil(newBytes / SLICE_BYTES), SLICES_PER_DAY.least, SLICES_PER_DAY.most),
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
