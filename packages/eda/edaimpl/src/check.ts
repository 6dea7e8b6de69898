import type { Context } from '@samovar/context';
import type { Conn, Consumer, SubscriptionInfo } from '@samovar/eda';
import { changedOptions, checkTerms, type OptionChange } from '@samovar/edacore';
import type { Check, Finding } from '@samovar/server';

/** Compares the consumers with the subscriptions that the log keeps. */
export class ConsumersCheck implements Check {
  readonly name = 'consumers';
  readonly #conn: Conn;
  readonly #consumers: readonly Consumer[];

  constructor(conn: Conn, consumers: readonly Consumer[]) {
    this.#conn = conn;
    this.#consumers = consumers;
  }

  async check(ctx: Context): Promise<readonly Finding[]> {
    const stored = new Map<string, SubscriptionInfo>();
    for await (const info of this.#conn.subscriptions(ctx)) stored.set(info.name, info);
    const found = this.#consumers.flatMap((consumer) => compare(consumer, stored.get(consumer.name)));
    for (const { name } of this.#consumers) stored.delete(name);
    return [
      ...found.filter(({ severity }) => severity === 'error'),
      ...found.filter(({ severity }) => severity === 'warning'),
      ...(await this.#findParked(ctx)),
      ...stored.values().map(leftOver),
    ];
  }

  async #findParked(ctx: Context): Promise<Finding[]> {
    const findings: Finding[] = [];
    for (const { name } of this.#consumers) {
      const parked = this.#conn.parked(name);
      const count = await parked.count(ctx);
      if (count === 0) continue;
      const since = (await parked.oldest(ctx))?.toISOString() ?? 'just now';
      findings.push({
        severity: 'warning',
        message: `consumer ${name} has given up ${count} event${count === 1 ? '' : 's'}, the oldest since ${since}`,
        mend: `samovar parked list ${name} tells why; replay or skip them`,
      });
    }
    return findings;
  }
}

function compare({ name, selector, options }: Consumer, stored: SubscriptionInfo | undefined): Finding[] {
  let terms: ReturnType<typeof checkTerms>;
  try {
    terms = checkTerms(selector, { ...options, name, durable: true });
  } catch (error) {
    const message = `consumer ${name} cannot be started: ${(error as Error).message}`;
    return [{ severity: 'error', message, mend: 'correct its selector, name or options' }];
  }
  if (stored === undefined) return [];
  if (stored.selector !== selector) {
    const message = `consumer ${name} cannot be started: it follows ${selector}, its stored subscription ${stored.selector}`;
    const mend = `give it a new name, under which it starts anew (at the beginning of the log with backfill: true), or the selector ${stored.selector} again`;
    return [{ severity: 'error', message, mend }];
  }
  const changed = changedOptions(stored.options, terms);
  if (changed.length === 0) return [];
  const differences = changed.map(({ option, from, to }) => `${option} is ${shown(to)}, stored is ${shown(from)}`);
  const message = `consumer ${name} has other options than its stored subscription: ${differences.join('; ')}`;
  const backfill = changed.some(({ option }) => option === 'backfill') ? '; backfill only counts under a new name' : '';
  return [{ severity: 'warning', message, mend: `nothing, if that is meant: the next start stores them${backfill}` }];
}

function shown(value: OptionChange['to']): string {
  return value === null ? 'none' : String(value);
}

/** Whoever subscribes without being a consumer is not known here. */
function leftOver({ name, selector }: SubscriptionInfo): Finding {
  return {
    severity: 'warning',
    message: `left over: the log keeps a subscription ${name} to ${selector}, which no consumer of this server has`,
    mend: `nothing, if something else subscribes as ${name}; if its consumer was renamed or removed, open it once more with conn.subscribe and call unsubscribe()`,
  };
}
