import type { Context } from '@samovar/context';
import type { Outbox, Row } from '@samovar/outbox';
import type { Check, Finding } from '@samovar/server';

const minute = 60_000;
/** A stuck row is a warning up to this age: its stream may just be unavailable for a while. */
const stuckMs = 5 * minute;
const waitingMs = minute;

/**
 * Errors: rows that are stuck and were added more than five minutes ago. Warnings: younger ones, rows that have waited for more
 * than a minute, and rows that were skipped.
 */
export class OutboxCheck implements Check {
  readonly name = 'outbox';
  readonly #outbox: Outbox;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  async check(ctx: Context): Promise<readonly Finding[]> {
    const { waiting, stuck, skipped } = await this.#outbox.getStatus(ctx, {});
    const findings: Finding[] = [];
    const [oldestStuck] = await this.#outbox.listRows(ctx, { state: 'stuck', limit: 1 });
    if (oldestStuck !== undefined) findings.push(stuckFinding(oldestStuck, stuck));
    const [oldest] = await this.#outbox.listRows(ctx, { state: 'waiting', limit: 1 });
    if (oldest !== undefined && ageOf(oldest) > waitingMs) {
      findings.push({
        severity: 'warning',
        message: `outbox: ${events(waiting)} wait to be sent, for ${oldest.stream} since ${oldest.since}`,
        mend:
          oldestStuck === undefined
            ? 'see that a server runs on this database, and that its log says nothing of the outbox'
            : 'those behind a stuck row of their stream follow it; for others, see that a server runs on this database',
      });
    }
    if (skipped > 0) {
      findings.push({
        severity: 'warning',
        message: `outbox: ${events(skipped)} skipped by an operator, and on no stream`,
        mend: 'outbox.ListRowsQuery with state "skipped" tells which: publish anew what is missed',
      });
    }
    return findings;
  }
}

function stuckFinding(row: Row, stuck: number): Finding {
  const others = stuck > 1 ? `; ${events(stuck - 1)} more of other streams too` : '';
  return {
    severity: ageOf(row) > stuckMs ? 'error' : 'warning',
    message: `outbox: ${row.stream} waits since ${row.since} behind ${row.type}, which cannot be sent: ${row.error}${others}`,
    mend: `mend what it fails for, or give it up with outbox.SkipRowCommand {"id":"${row.id}"}`,
  };
}

function ageOf({ since }: Row): number {
  return Date.now() - Date.parse(since);
}

function events(count: number): string {
  return count === 1 ? '1 event' : `${count} events`;
}
