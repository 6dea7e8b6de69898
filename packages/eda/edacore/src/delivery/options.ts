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
}

/** Of what is stored with a subscription. */
export const defaultOptions: SubscriptionInfo['options'] = {
  backfill: false,
  serial: false,
  concurrency: 64,
  timeout: 30_000,
};

const longestTimeout = 2 ** 31 - 1;

/** @throws {InvalidSelectorError} @throws {InvalidArgumentError} */
export function checkTerms(text: string, options: SubscriptionOptions = {}): Terms {
  const selector = parseSelector(text);
  const { name = text, backfill = defaultOptions.backfill, durable = false, reset } = options;
  const { serial = defaultOptions.serial, timeout = defaultOptions.timeout } = options;
  const { concurrency = serial ? 1 : defaultOptions.concurrency } = options;
  checkText('name', name, 1);
  for (const [field, value] of Object.entries({ backfill, durable, reset, serial })) checkFlag(field, value);
  checkWhole('concurrency', concurrency, 1);
  if (serial && concurrency !== 1) throw new InvalidArgumentError('concurrency', 'is 1 when serial');
  checkWhole('timeout', timeout, 1);
  if (timeout > longestTimeout) throw new InvalidArgumentError('timeout', `is more than ${longestTimeout} ms`);
  return { name, selector, backfill, durable, serial, concurrency, timeout };
}

/** @throws {InvalidArgumentError} naming the first option in which a new member differs from those that are there. */
export function checkSameTerms(joining: Terms, running: Terms): void {
  const fields = ['backfill', 'durable', 'serial', 'concurrency', 'timeout'] as const;
  const field =
    joining.selector.text === running.selector.text ? fields.find((f) => joining[f] !== running[f]) : 'selector';
  if (field === undefined) return;
  const value = field === 'selector' ? running.selector.text : running[field];
  throw new InvalidArgumentError(field, `is ${value} for the members that subscription ${running.name} already has`);
}

/** What of `terms` is stored with a subscription. */
export function optionsOf({ backfill, serial, concurrency, timeout }: Terms): SubscriptionInfo['options'] {
  return { backfill, serial, concurrency, timeout };
}

/** Those of the `stored` options that `terms` has otherwise. */
export function changedOptions(stored: Partial<SubscriptionInfo['options']>, terms: Terms): StoredOption[] {
  const names = Object.keys(defaultOptions) as StoredOption[];
  return names.filter((name) => stored[name] !== undefined && stored[name] !== terms[name]);
}

type StoredOption = keyof SubscriptionInfo['options'];
