import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeBus } from '@samovar/bustest';
import { connect } from '@samovar/edaimpl';
import { EdaJournal } from '@samovar/journalimpl';
import { workflowsContract } from '@samovar/workflowstest/contract';
import { WorkflowsService } from './service.ts';
import { workflowFolding } from './workflow.ts';
import { indexFolding } from './workflowindex.ts';

workflowsContract('WorkflowsService in memory', () => start('memory:', async () => {}));

workflowsContract('WorkflowsService on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'samovar-workflows-'));
  return await start(`sqlite:${join(folder, 'events.db')}`, () => rm(folder, { recursive: true }));
});

async function start(url: string, remove: () => Promise<void>) {
  const conn = await connect(url, { logger: null });
  const bus = new FakeBus();
  const [indexes, own] = [new EdaJournal(conn, indexFolding), new EdaJournal(conn, workflowFolding)];
  const dispose = () => conn.close().then(remove);
  return { bus, workflows: new WorkflowsService(bus, indexes, own), [Symbol.asyncDispose]: dispose };
}
