import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { edaConformance } from '@samovar/edatest/conformance';
import { connectSqlite } from './edasqlite.ts';

edaConformance('SQLite', {
  open: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
    const path = join(folder, 'events.db');
    return {
      connect: async (client = '') => connectSqlite(path, { client, logger: null }),
      // Nothing serves it: what was stored is all there is once the connections are closed.
      reopen: async () => {},
      [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
    };
  },
});
