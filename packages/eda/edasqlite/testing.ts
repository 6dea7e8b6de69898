import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogProcess, type Opening } from '@samovar/edatest/processes';
import { onTestFinished } from 'vitest';

/** Where the running test may keep a log, until it is over. */
export function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'events.db');
}

/** How another process opens the log at `path`. */
export function opening(path: string): Opening {
  const code = `(await import('./src/edasqlite.ts')).connectSqlite(${JSON.stringify(path)}, { logger: null })`;
  return { code, folder: import.meta.dirname };
}

/** Another process that has the log at `path` open as `conn`, runs `code`, and says what it gives to `say`. */
export class Child extends LogProcess {
  constructor(path: string, code: string) {
    super(opening(path), code);
  }
}
