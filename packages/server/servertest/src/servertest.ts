import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bus } from '@samovar/bus';
import { background, withCancel } from '@samovar/context';
import { Conn } from '@samovar/eda';
import { build, type Config, loadConfig, run } from '@samovar/samovar';
import type { Container, ContainerModule } from 'inversify';

/** A whole server in this process. Disposal stops it, and removes what it stored. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly container: Container;
  readonly bus: Bus;
  readonly conn: Conn;
}

/**
 * Starts the server that `samovar serve` runs, on a free port and with its data in a temporary folder; it observes
 * nothing until it is asked to. `overrides` may bind anew what a test replaces.
 */
export async function startServer(
  settings: Partial<Config> = {},
  ...overrides: readonly ContainerModule[]
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'samovar-'));
  const flags = { data: folder, port: 0, logLevel: 'error', ...settings };
  const config = loadConfig({ flags, env: {}, cwd: folder });
  const container = await build(config, ...overrides);
  const { ctx, cancel } = withCancel(background);
  const { url, stopped } = await run(ctx, container);
  return {
    url,
    container,
    bus: container.get(Bus),
    conn: container.get(Conn),
    async [Symbol.asyncDispose]() {
      cancel();
      await stopped;
      rmSync(folder, { recursive: true });
    },
  };
}
