import { InvalidArgumentError, type SubscriptionInfo, type SubscriptionOptions } from '@samovar/eda';
import { checkFlag, checkText, checkWhole } from '../checks.ts';
import { parseSelector, type Selector } from '../selector.ts';

/** What all members of a subscription have in common. */
export interface Terms {
  readonly name: string;
  readonly selector: Selector;
  readonly backfill: boolean;
  readonly durable: boolean;
  readonly serial: boolean;
  readonly concurrency: number;
  /** Milliseconds. */
  readonly timeout: number;
  readonly keyBy: SubscriptionOptions['keyBy'];
  readonly maxDeliver: number;
}

const defaultMaxDeliver = 10;

/** Of what is stored with a subscription. */
export const defaultOptions: SubscriptionInfo['options'] = {
  backfill: false,
  serial: false,
  concurrency: 64,
  timeout: 30_000,
  keyBy: null,
  maxDeliver: defaultMaxDeliver,
};

const longestTimeout = 2 ** 31 - 1;

/** @throws {InvalidSelectorError} @throws {InvalidArgumentError} */
export function checkTerms(text: string, options: SubscriptionOptions = {}): Terms {
  const selector = parseSelector(text);
  const { name = text, backfill = defaultOptions.backfill, durable = false, reset } = options;
  const { serial = defaultOptions.serial, timeout = defaultOptions.timeout, keyBy } = options;
  const { concurrency = serial ? 1 : defaultOptions.concurrency, maxDeliver = defaultMaxDeliver } = options;
  checkText('name', name, 1);
  for (const [field, value] of Object.entries({ backfill, durable, reset, serial })) checkFlag(field, value);
  checkWhole('concurrency', concurrency, 1);
  if (serial && concurrency !== 1) throw new InvalidArgumentError('concurrency', 'is 1 when serial');
  checkWhole('timeout', timeout, 1);
  if (timeout > longestTimeout) throw new InvalidArgumentError('timeout', `is more than ${longestTimeout} ms`);
  checkKeyBy(keyBy, serial);
  if (maxDeliver !== Number.POSITIVE_INFINITY) checkWhole('maxDeliver', maxDeliver, 1);
  return { name, selector, backfill, durable, serial, concurrency, timeout, keyBy, maxDeliver };
}

function checkKeyBy(keyBy: unknown, serial: boolean): void {
  if (keyBy === undefined) return;
  if (keyBy !== 'stream' && keyBy !== 'aggregate' && typeof keyBy !== 'function') {
    throw new InvalidArgumentError('keyBy', "is not 'stream', 'aggregate' or a function");
  }
  if (serial) throw new InvalidArgumentError('keyBy', 'cannot be combined with serial');
}

/** Whether events are kept in order, so that only one process may deliver them at a time. */
export function isOrdered({ serial, keyBy }: Pick<Terms, 'serial' | 'keyBy'>): boolean {
  return serial || keyBy !== undefined;
}

/** @throws {InvalidArgumentError} naming the first option in which a new member differs from those that are there. */
export function checkSameTerms(joining: Terms, running: Terms): void {
  const [theirs, ours] = [allOf(joining), allOf(running)];
  const field = (Object.keys(ours) as (keyof typeof ours)[]).find((name) => theirs[name] !== ours[name]);
  if (field === undefined) return;
  throw new InvalidArgumentError(
    field,
    `is ${ours[field]} for the members that subscription ${running.name} already has`,
  );
}

function allOf(terms: Terms) {
  return { selector: terms.selector.text, durable: terms.durable, ...optionsOf(terms) };
}

/** What of `terms` is stored with a subscription. */
export function optionsOf(terms: Terms): SubscriptionInfo['options'] {
  const { backfill, serial, concurrency, timeout, keyBy, maxDeliver } = terms;
  return {
    backfill,
    serial,
    concurrency,
    timeout,
    keyBy: typeof keyBy === 'function' ? 'function' : (keyBy ?? null),
    maxDeliver: Number.isFinite(maxDeliver) ? maxDeliver : null,
  };
}

/** Those of the `stored` options that `terms` has otherwise. */
export function changedOptions(stored: Partial<SubscriptionInfo['options']>, terms: Terms): OptionChange[] {
  const now = optionsOf(terms);
  return (Object.keys(now) as StoredOption[])
    .filter((option) => stored[option] !== undefined && stored[option] !== now[option])
    .map((option) => ({ option, from: stored[option] ?? null, to: now[option] }));
}

type StoredOption = keyof SubscriptionInfo['options'];

/** An option that is not as it was stored. */
export interface OptionChange {
  readonly option: StoredOption;
  readonly from: SubscriptionInfo['options'][StoredOption];
  readonly to: SubscriptionInfo['options'][StoredOption];
}
