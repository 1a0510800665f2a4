import { expect, test } from 'vitest';
import { activityOf, readThreadDump, secondsSince } from '../../bench/thread-dump.ts';

const TASK = 'Executor task launch worker for task 3.0 in stage 5.0 (TID 17)';
const DUMP = `2026-11-28 04:40:00
Full thread dump OpenJDK 64-Bit Server VM (17.0.9+9 mixed mode, emulated-client, sharing):

"main" #1 prio=5 os_prio=0 cpu=1500.00ms elapsed=12.30s tid=0x00007f01 nid=0x1e runnable  [0x00007f0]
   java.lang.Thread.State: RUNNABLE
	at java.io.FileInputStream.readBytes(java.base@17.0.9/Native Method)

"${TASK}" #60 daemon prio=5 os_prio=0 cpu=2250.50ms elapsed=9.00s tid=0x00007f02 nid=0x2e runnable  [0x00007f1]
   java.lang.Thread.State: RUNNABLE
	at java.util.HashMap.get(java.base@17.0.9/HashMap.java:551)
	- locked <0x00000000f> (a java.lang.Object)
	at com.fasterxml.jackson.core.json.ReaderBasedJsonParser.nextToken(ReaderBasedJsonParser.java:700)
	at org.apache.spark.sql.catalyst.expressions.GeneratedClass$GeneratedIteratorForCodegenStage1.processNext(Unknown Source)
	at org.apache.spark.shuffle.sort.UnsafeShuffleWriter.write(UnsafeShuffleWriter.java:179)

"C1 CompilerThread0" #5 daemon prio=9 os_prio=0 cpu=3000.00ms elapsed=12.30s tid=0x00007f03 nid=0x3e waiting on condition
   java.lang.Thread.State: RUNNABLE

"GC Thread#0" os_prio=0 cpu=400.00ms elapsed=12.30s tid=0x00007f04 nid=0x4e runnable
`;

test('a dump has the processor time of each thread and what it is doing', () => {
  expect(readThreadDump(DUMP)).toEqual([
    { id: '0x00007f01', activity: 'working', cpuSeconds: 1.5 },
    { id: '0x00007f02', activity: 'parsing', cpuSeconds: 2.2505 },
    { id: '0x00007f03', activity: 'compiling', cpuSeconds: 3 },
    { id: '0x00007f04', activity: 'garbage', cpuSeconds: 0.4 },
  ]);
});

test('the innermost frame that is known decides', () => {
  const write = 'org.apache.spark.shuffle.sort.UnsafeShuffleWriter.write';
  const generated =
    'org.apache.spark.sql.catalyst.expressions.GeneratedClass$GeneratedIteratorForCodegenStage1.processNext';
  expect(activityOf(TASK, ['java.lang.Object.hashCode', generated, write])).toBe('working');
  expect(activityOf(TASK, ['net.jpountz.lz4.LZ4Factory.compress', write, generated])).toBe('shuffling');
  expect(activityOf('Thread-4', ['org.codehaus.janino.Java.accept'])).toBe('compiling');
  expect(
    activityOf('Thread-4', ['org.apache.spark.sql.catalyst.expressions.codegen.CodeGenerator$.compile']),
  ).toBe('compiling');
  expect(activityOf('Thread-4', ['org.apache.spark.sql.catalyst.trees.TreeNode.transform'])).toBe('planning');
  expect(activityOf('dag-scheduler-event-loop', ['org.apache.spark.util.ClosureCleaner$.clean'])).toBe(
    'scheduling',
  );
  expect(activityOf('Thread-4', ['java.lang.ClassLoader.loadClass', write])).toBe('starting');
});

test('a thread is charged with what it has used since the dump before', () => {
  const before = readThreadDump(DUMP).slice(0, 2);
  const after = readThreadDump(DUMP.replace('cpu=2250.50ms', 'cpu=2750.50ms'));
  expect(secondsSince(before, after)).toEqual({
    starting: 0,
    compiling: 3,
    garbage: 0.4,
    planning: 0,
    scheduling: 0,
    parsing: 0.5,
    shuffling: 0,
    working: 0,
  });
});
