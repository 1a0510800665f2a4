/** Plain names of segments: what is unlike the other users. Pure functions. */
import type { TrainingResult } from '../results.ts';
import { CHANNELS } from './channels.ts';

type Segment = TrainingResult['segments'][number];

/** A rate that is less than so many times the usual one, or more than its inverse, is like the others'. */
const NOTEWORTHY = 1.5;
const MOST_PARTS = 2;

/** By channel, what most users do: the rates of a segment that has more than half of them, else those of all users. */
export function usualRates(segments: readonly Segment[]): readonly number[] {
  const most = segments.find(({ size }) => size > 0.5);
  return most === undefined
    ? (segments[0]?.rates.map(({ usual }) => usual) ?? [])
    : most.rates.map(({ rate }) => rate);
}

/** The names of all segments, in their order; no two are the same. */
export function segmentNames(segments: readonly Segment[]): readonly string[] {
  const usual = usualRates(segments);
  const names = segments.map((segment) => nameOf(segment, usual));
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}

/** The strongest differences first: "dislikes three times as often as usual". */
function nameOf({ rates }: Segment, usual: readonly number[]): string {
  const unlike = rates
    .flatMap(({ rate }, index) => {
      const channel = CHANNELS[index];
      const times = rate / (usual[index] ?? rate);
      return channel !== undefined && (times >= NOTEWORTHY || times <= 1 / NOTEWORTHY)
        ? [{ verb: channel.verb, times }]
        : [];
    })
    .toSorted((a, b) => Math.abs(Math.log(b.times)) - Math.abs(Math.log(a.times)))
    .slice(0, MOST_PARTS);
  if (unlike.length === 0) return 'like most users';
  return unlike.map(({ verb, times }) => habit(verb, times)).join(', ');
}

const NUMBERS = ['', '', 'twice', 'three times', 'four times', 'five times', 'six times', 'seven times'];
const PARTS = ['', '', 'half', 'a third', 'a quarter', 'a fifth'];

function habit(verb: string, times: number): string {
  if (times < 1) {
    const part = PARTS[Math.round(1 / times)];
    return part === undefined ? `hardly ever ${verb}` : `${verb} ${part} as often as usual`;
  }
  const rounded = Math.round(times);
  const number = times < 1.75 ? 'one and a half times' : (NUMBERS[rounded] ?? `${rounded} times`);
  return `${verb} ${number} as often as usual`;
}
