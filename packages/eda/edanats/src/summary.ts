import type { Msg } from '@nats-io/transport-node';

/** The header that says what a commit's message holds without reading it: how many events, and the publisher's clock. */
export const summaryHeader = 'Eda';

/** What the header of a commit's message says. */
export interface Summary {
  readonly events: number;
  readonly clock: number;
}

export function summaryText({ events, clock }: Summary): string {
  return `${events} ${clock}`;
}

/** undefined: somebody else has published the message. */
export function summaryOf({ headers }: Msg): Summary | undefined {
  const [, events, clock] = /^(\d{1,4}) (\d{1,15})$/.exec(headers?.get(summaryHeader) ?? '') ?? [];
  return clock === undefined ? undefined : { events: Number(events), clock: Number(clock) };
}
