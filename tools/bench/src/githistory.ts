import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const authors = [
  'Ada Lovelace',
  'Grace Hopper',
  'Edsger Dijkstra',
  'Barbara Liskov',
  'Jürgen Žák',
  '王小云',
  'Radia Perlman',
];
const verbs = ['Fix', 'Add', 'Remove', 'Rename', 'Explain', 'Speed up', 'Simplify', 'Test'];
const things = ['the parser', 'retries', 'an index on streams', 'back-off', 'the start page', 'time zones', 'limits'];
const mergeEvery = 20;

/** Makes a bare repository of `commits` commits at `path`: several authors, every twentieth commit a merge. */
export async function makeRepository(path: string, commits: number): Promise<void> {
  const init = spawnSync('git', ['init', '-q', '--bare', '-b', 'main', path], { encoding: 'utf8' });
  if (init.status !== 0) throw new Error(`git init failed: ${init.stderr ?? init.error?.message}`);
  const git = spawn('git', ['-C', path, 'fast-import', '--quiet'], { stdio: ['pipe', 'inherit', 'inherit'] });
  const closed = once(git, 'close');
  await pipeline(Readable.from(script(commits)), git.stdin);
  const [code] = await closed;
  if (code !== 0) throw new Error(`git fast-import failed with code ${code}`);
}

/** In the language of fast-import; commit `n` has the mark `:n`. */
function* script(commits: number): Generator<string> {
  for (let n = 1; n <= commits; n++) {
    const onSide = n % mergeEvery === mergeEvery - 1;
    const parents = n % mergeEvery === 0 ? [n - 2, n - 1] : [onSide ? n - 2 : n - 1];
    yield commit(n, onSide ? 'refs/heads/side' : 'refs/heads/main', parents);
  }
}

function commit(n: number, branch: string, parents: readonly number[]): string {
  const author = authors[n % authors.length] ?? '';
  const who = `${author} <${author.split(' ').at(-1)?.toLowerCase()}@example.org> ${1_200_000_000 + n * 600} +0100`;
  const subject = `${verbs[n % verbs.length]} ${things[(n * 5) % things.length]}, step ${n}`;
  const message = n % 4 === 0 ? `${subject}\n\nIt was in the way of what comes next.\n` : `${subject}\n`;
  const [from, merge] = parents.filter((parent) => parent > 0);
  return [
    `commit ${branch}`,
    `mark :${n}`,
    `author ${who}`,
    `committer ${who}`,
    `data ${Buffer.byteLength(message)}`,
    message,
    ...(from === undefined ? [] : [`from :${from}`]),
    ...(merge === undefined ? [] : [`merge :${merge}`]),
    `M 100644 inline notes/${n % 100}.txt`,
    `data ${String(n).length}`,
    `${n}\n\n`,
  ].join('\n');
}
