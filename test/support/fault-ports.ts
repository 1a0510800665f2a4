/** Ports of one call of a Lambda, which dies or pauses between two of its calls while all others go on. */
import type { Ports } from '../../lambda/ports/ports.ts';
import type { Interceptor } from './memory-ports.ts';

/** The same ports, with `before` called before each call that leaves the Lambda. */
function intercepted(ports: Ports, before: Interceptor): Ports {
  return {
    objects: guarded(ports.objects, 'objects', before),
    sql: guarded(ports.sql, 'sql', before),
    clusters: guarded(ports.clusters, 'clusters', before),
    instanceMarket: guarded(ports.instanceMarket, 'instanceMarket', before),
    spotPrices: guarded(ports.spotPrices, 'spotPrices', before),
    executions: guarded(ports.executions, 'executions', before),
    notifications: guarded(ports.notifications, 'notifications', before),
    log: ports.log,
    clock: ports.clock,
  };
}

function guarded<Port extends object>(port: Port, name: string, before: Interceptor): Port {
  return new Proxy(port, {
    get(target, method) {
      const call: unknown = Reflect.get(target, method);
      if (typeof call !== 'function') return call;
      return async (...args: unknown[]): Promise<unknown> => {
        await before(`${name}.${String(method)}`, String(args[0] ?? ''));
        return Reflect.apply(call, target, args);
      };
    },
  });
}

/** Calls that a Lambda makes, in order, and what happens before one of them. */
export class CallCounter {
  readonly calls: string[] = [];
  readonly #at: number;
  readonly #happens: () => void | Promise<void>;

  /** @param at number of the call, from 1, before which it happens */
  constructor(at: number, happens: () => void | Promise<void>) {
    this.#at = at;
    this.#happens = happens;
  }

  readonly before: Interceptor = async (call, argument) => {
    this.calls.push(`${call} ${argument}`);
    if (this.calls.length === this.#at) await this.#happens();
  };
}

/** Ports of a Lambda that dies before its call of that number: nothing it calls after that happens either. */
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

/** As Step Functions names a Lambda that is gone without a word. */
function crash(): Error {
  const error = new Error('the Lambda is gone');
  error.name = 'Lambda.Unknown';
  return error;
}

/** Something that one waits for until another opens it. */
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

/** Ports of a Lambda that stands still before its call of that number until it is resumed. */
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
