import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { background } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import { InitRepoCommand, ScanRepoCommand } from '@samovar/repos';
import { makeRepository } from './githistory.ts';
import { type Contender, type Effort, measure, part, ratio, seconds, short, summary, table } from './measure.ts';
import { startServices } from './services.ts';
import { temporaryFolder } from './temporary.ts';

/** As many as reposimpl puts into one event. */
const batchCommits = 500;

/** Recording a large history through the whole of Samovar, next to a bare script. */
export async function history(effort: Effort): Promise<string> {
  await using folder = await temporaryFolder();
  const repository = join(folder.path, 'repository');
  const commits = part(effort, 50_000);
  await makeRepository(repository, commits);
  const measured = await measure([bareScript(repository, commits), samovar(repository, commits)], effort);
  const [bare] = measured;
  const rows = measured.map((way) => [way.name, summary(way), bare ? ratio(way, bare).toFixed(2) : '']);
  const head = ['way', 'commits/s, median | min–max', '× bare script'];
  return `${short(commits)} commits, ${batchCommits} in a batch; WAL, synchronous=FULL.\n\n${table(head, rows)}`;
}

function samovar(repository: string, commits: number): Contender {
  return recording('repos.ScanRepoCommand', commits, async (file, time) => {
    await using conn = await connect(`sqlite:${file}`);
    const bus = await startServices(conn);
    const { repoId } = await bus.dispatch(background, InitRepoCommand, {
      registry: 'main',
      name: 'r',
      path: repository,
    });
    let recorded = 0;
    await time(async () => {
      ({ recorded } = await bus.dispatch(background, ScanRepoCommand, { repoId }));
    });
    return recorded;
  });
}

/** The same fields of git, as JSON, batch by batch into a table. */
function bareScript(repository: string, commits: number): Contender {
  return recording('bare script: git into node:sqlite', commits, async (file, time) => {
    const db = new DatabaseSync(file);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE batches (id INTEGER PRIMARY KEY, data BLOB NOT NULL)`);
    const insert = db.prepare('INSERT INTO batches (data) VALUES (?)');
    let recorded = 0;
    await time(async () => {
      let batch: unknown[] = [];
      for await (const listed of gitCommits(repository)) {
        batch.push(...listed);
        while (batch.length >= batchCommits) {
          insert.run(Buffer.from(JSON.stringify({ commits: batch.slice(0, batchCommits) })));
          recorded += batchCommits;
          batch = batch.slice(batchCommits);
        }
      }
      insert.run(Buffer.from(JSON.stringify({ commits: batch })));
      recorded += batch.length;
    });
    db.close();
    return recorded;
  });
}

async function* gitCommits(repository: string): AsyncGenerator<unknown[]> {
  const format = '%P%x00%an%x00%ae%x00%ct%x00%s%x00';
  const order = ['--all', '--topo-order', '--reverse'];
  const args = ['-C', repository, 'rev-list', ...order, '--encoding=UTF-8', `--format=${format}`];
  const git = spawn('git', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(git, 'close');
  let fields: string[] = [''];
  for await (const text of git.stdout.setEncoding('utf8') as AsyncIterable<string>) {
    const [head = '', ...more] = text.split('\0');
    fields.push(`${fields.pop()}${head}`, ...more);
    const end = fields.length - (fields.length % 5 || 5);
    const listed: unknown[] = [];
    for (let i = 0; i < end; i += 5) listed.push(toCommit(fields.slice(i, i + 5)));
    fields = fields.slice(end);
    yield listed;
  }
  const [code] = await closed;
  if (code !== 0) throw new Error(`git failed with code ${code}`);
}

function toCommit([header = '', name = '', email = '', time = '', subject = '']: readonly string[]) {
  const [line = '', parents = ''] = header.trimStart().split('\n');
  return {
    hash: line.slice('commit '.length),
    parents: parents === '' ? [] : parents.split(' '),
    author: { name, email },
    committedAt: new Date(Number(time) * 1000).toISOString(),
    subject,
  };
}

/** Records into a new file each round; `time` says what part of it counts. */
function recording(
  name: string,
  commits: number,
  record: (file: string, time: (work: () => Promise<void>) => Promise<void>) => Promise<number>,
): Contender {
  return {
    name,
    async round() {
      await using folder = await temporaryFolder();
      let taken = 0;
      const recorded = await record(join(folder.path, 'events.db'), async (work) => {
        taken += await seconds(work);
      });
      if (recorded !== commits) throw new Error(`${name} recorded ${recorded} of ${commits} commits`);
      return commits / taken;
    },
  };
}
