/** Ports for one invocation of a Lambda that dies or pauses between two of its calls while everything else continues. */
import type { ObjectStore } from '../../lambda/ports/objects.ts';
import type { Ports } from '../../lambda/ports/ports.ts';
import type { Interceptor } from './memory-ports.ts';

/** The same ports, with `before` called before each call that leaves the Lambda. */
function intercepted(ports: Ports, before: Interceptor): Ports {
  return {
    objects: guarded(ports.objects, 'objects', before),
    sql: guarded(ports.sql, 'sql', before),
    clusters: guarded(ports.clusters, 'clusters', before),
    account: guarded(ports.account, 'account', before),
    instanceMarket: guarded(ports.instanceMarket, 'instanceMarket', before),
    spotPrices: guarded(ports.spotPrices, 'spotPrices', before),
    executions: guarded(ports.executions, 'executions', before),
    notifications: guarded(ports.notifications, 'notifications', before),
    log: ports.log,
    clock: ports.clock,
  };
}

/** Methods that return pages: they are intercepted when the first page is asked for. */
const STREAMS: ReadonlySet<string> = new Set<keyof ObjectStore>(['lines', 'pages']);

function guarded<Port extends object>(port: Port, name: string, before: Interceptor): Port {
  return new Proxy(port, {
    get(target, method) {
      const call: unknown = Reflect.get(target, method);
      if (typeof call !== 'function') return call;
      if (STREAMS.has(String(method))) {
        return async function* (...args: unknown[]): AsyncGenerator<unknown> {
          await before(`${name}.${String(method)}`, String(args[0] ?? ''));
          yield* Reflect.apply(call, target, args);
        };
      }
      return async (...args: unknown[]): Promise<unknown> => {
        await before(`${name}.${String(method)}`, String(args[0] ?? ''));
        return Reflect.apply(call, target, args);
      };
    },
  });
}

/** Records a Lambda's calls in order, and does something before one of them. */
export class CallCounter {
  readonly calls: string[] = [];
  readonly #at: number;
  readonly #happens: () => void | Promise<void>;

  /** @param at number of the call, counted from 1, before which it happens */
  constructor(at: number, happens: () => void | Promise<void>) {
    this.#at = at;
    this.#happens = happens;
  }

  readonly before: Interceptor = async (call, argument) => {
    this.calls.push(`${call} ${argument}`);
    if (this.calls.length === this.#at) await this.#happens();
  };
}

/** Ports of a Lambda that dies before the call with that number: none of its later calls happen either. */
export function dying(ports: Ports, at: number): { readonly ports: Ports; readonly counter: CallCounter } {
  let dead = false;
  const counter = new CallCounter(at, () => {
    dead = true;
  });
  const before: Interceptor = async (call, argument) => {
    if (!dead) await counter.before(call, argument);
    if (dead) throw crash();
  };
  return { ports: intercepted(ports, before), counter };
}

/** The error that Step Functions reports for a Lambda that crashed. */
function crash(): Error {
  const error = new Error('the Lambda has crashed');
  error.name = 'Lambda.Unknown';
  return error;
}

/** A gate that callers wait at until it is opened. */
export interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

export function gate(): Gate {
  let resolveOpened = (): void => {};
  const opened = new Promise<void>((resolve) => {
    resolveOpened = resolve;
  });
  return { opened, open: () => resolveOpened() };
}

/** Ports of a Lambda that pauses before the call with that number until it is resumed. */
export function pausing(ports: Ports, at: number) {
  const [reached, resumed] = [gate(), gate()];
  const counter = new CallCounter(at, async () => {
    reached.open();
    await resumed.opened;
  });
  return {
    ports: intercepted(ports, counter.before),
    counter,
    paused: reached.opened,
    resume: resumed.open,
  };
}
