import type { Context } from '@samovar/context';
import type { Check, Logger } from '@samovar/server';

/** Logs what the checks find, one after another, until `ctx` is done; notes are not worth a line. Never rejects. */
export async function logFindings(ctx: Context, checks: readonly Check[], logger: Logger): Promise<void> {
  for (const check of checks) {
    try {
      const findings = await check.check(ctx);
      if (ctx.signal.aborted) return;
      for (const { severity, message, mend } of findings) {
        if (severity === 'error') logger.error(message, { check: check.name, mend });
        if (severity === 'warning') logger.warn(message, { check: check.name, mend });
      }
    } catch (error) {
      if (ctx.signal.aborted) return;
      logger.warn('a check could not look', { check: check.name, err: error });
    }
  }
}
