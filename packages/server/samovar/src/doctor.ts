import { existsSync } from 'node:fs';
import { LogNotFoundError } from '@samovar/eda';
import type { Finding } from '@samovar/server';
import { build, close, connectLog } from './build.ts';
import type { Config } from './config.ts';
import { UnhealthyError } from './errors.ts';
import { type Diagnosis, examine } from './examination.ts';
import type { Output } from './output.ts';
import { loadRoots } from './roots.ts';

export interface DoctorOptions {
  /** Write one JSON document instead of text. */
  readonly json: boolean;
}

/**
 * Puts everything together as `serve` does, initialises it without migrating, starts nothing, and tells what is wrong.
 * A server may be running meanwhile. Data that is not there yet is not made.
 *
 * @throws {UnhealthyError} if there are errors; they have been told.
 * @throws what keeps it from being put together, such as a log or database that cannot be opened.
 */
export async function doctor(config: Config, output: Output, { json }: DoctorOptions): Promise<void> {
  const isNew = !hasDatabase(config);
  const container = await build({
    ...config,
    ...((await hasLog(config)) ? {} : { events: 'memory:', eventsReplicas: undefined, eventsMaxBytes: undefined }),
    ...(isNew ? { database: 'sqlite::memory:', migrateAtStart: true } : {}),
  });
  let diagnoses: readonly Diagnosis[];
  try {
    diagnoses = await examine(container, await loadRoots(), isNew);
  } finally {
    await close(container);
  }
  const count = (severity: Finding['severity']) =>
    diagnoses.reduce((sum, { findings }) => sum + findings.filter((each) => each.severity === severity).length, 0);
  const [errors, warnings, notes] = [count('error'), count('warning'), count('note')];
  if (json) output.line(JSON.stringify({ healthy: errors === 0, errors, warnings, notes, checks: diagnoses }, null, 2));
  else tell(output, diagnoses, `${errors} errors, ${warnings} warnings, ${notes} notes`);
  if (errors > 0) throw new UnhealthyError(errors);
}

/** Memory has to do in place of a file that the first start would make. */
function hasDatabase({ database }: Config): boolean {
  const file = /^sqlite:([^:].*)$/.exec(database)?.[1];
  return file === undefined || existsSync(file);
}

/** Likewise of the event log. */
async function hasLog(config: Config): Promise<boolean> {
  try {
    await (await connectLog(config, null, false)).close();
    return true;
  } catch (error) {
    if (error instanceof LogNotFoundError) return false;
    throw error;
  }
}

function tell(output: Output, diagnoses: readonly Diagnosis[], summary: string): void {
  for (const { check, findings } of diagnoses) {
    if (findings.length === 0) output.line(`ok       ${check}`);
    for (const { severity, message, mend } of findings) {
      output.line(`${severity.padEnd(8)} ${check}: ${message}`);
      output.line(`         mend: ${mend}`);
    }
  }
  output.line(summary);
}
