import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Commit } from '@samovar/repos';
import { Commit as CommitSchema } from '@samovar/repos';
import { describe, expect, it } from 'vitest';
import { parseCommits } from './revlist.ts';

const hash = (n: number) => n.toString(16).padStart(40, '0');

interface Written {
  readonly parents?: readonly string[];
  readonly name?: string | Buffer;
  readonly email?: string;
  readonly time?: string;
  readonly subject?: string | Buffer;
}

/** What git prints for commits 1, 2, 3… */
function printed(...commits: readonly Written[]): Buffer {
  const parts = commits.flatMap(({ parents = [], name = 'Ann', email = 'a@b', time = '0', subject = 'One' }, n) => [
    `commit ${hash(n + 1)}\n${parents.join(' ')}\0`,
    name,
    `\0${email}\0${time}\0`,
    subject,
    '\0\n',
  ]);
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)));
}

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

async function parse(bytes: Buffer, size = 65_536): Promise<Commit[]> {
  const commits: Commit[] = [];
  for await (const some of parseCommits(inChunks(bytes, size))) commits.push(...some);
  return commits;
}

describe('parseCommits', () => {
  it.each([1, 2, 3, 7, 64, 1_000_000])('reads the same from chunks of %i bytes', async (size) => {
    const bytes = printed(
      { name: 'Björn', subject: 'début 🎉' },
      { parents: [hash(1)], time: '1000000000', name: Buffer.from([0xe9]) },
      { parents: [hash(2), hash(1)], email: '', subject: '' },
    );
    expect(await parse(bytes, size)).toEqual([
      {
        hash: hash(1),
        parents: [],
        author: { name: 'Björn', email: 'a@b' },
        committedAt: '1970-01-01T00:00:00Z',
        subject: 'début 🎉',
      },
      {
        hash: hash(2),
        parents: [hash(1)],
        author: { name: 'é', email: 'a@b' },
        committedAt: '2001-09-09T01:46:40Z',
        subject: 'One',
      },
      {
        hash: hash(3),
        parents: [hash(2), hash(1)],
        author: { name: 'Ann', email: '' },
        committedAt: '1970-01-01T00:00:00Z',
        subject: '',
      },
    ]);
  });

  it('reads nothing from nothing', async () => {
    expect(await parse(Buffer.alloc(0))).toEqual([]);
  });

  it('takes bytes that are not UTF-8 for windows-1252, field by field', async () => {
    const [commit] = await parse(printed({ name: Buffer.from([0x80, 0xe9, 0x81]), subject: 'naïve' }));
    expect(commit).toMatchObject({ author: { name: '€é\u0081' }, subject: 'naïve' });
  });

  it('cuts texts after 4,096 characters, and none in two', async () => {
    const exact = 'x'.repeat(4096);
    const split = `${'x'.repeat(4095)}🎉`;
    const commits = await parse(printed({ subject: exact }, { subject: `${exact}y` }, { subject: split, name: split }));
    expect(commits.map(({ subject }) => subject)).toEqual([exact, exact, 'x'.repeat(4095)]);
    expect(commits[2]?.author.name).toBe('x'.repeat(4095));
  });

  it('holds no more than it must of a text without end', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    /** Bytes that are held. */
    const held = async () => {
      // What is external is told to be free only after the next one.
      for (let i = 0; i < 3; i++) {
        collect();
        await setImmediate();
      }
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const before = await held();
    let atMost = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      yield printed({}).subarray(0, -5);
      for (let i = 0; i < 2000; i++) yield Buffer.from('é'.repeat(32 * 1024));
      atMost = (await held()) - before;
      yield Buffer.from('\0\n');
      yield printed({});
    }
    const commits: Commit[] = [];
    for await (const some of parseCommits(endless())) commits.push(...some);
    expect(commits.map(({ subject }) => subject.length)).toEqual([4096, 3]);
    expect(commits[0]?.subject.slice(1, 5)).toBe('néééé'.slice(1, 5));
    // The text is 125 MiB.
    expect(atMost).toBeLessThan(20 << 20);
  });

  it.each([
    ['9223372036854775807', '9999-12-31T23:59:59Z'],
    ['-99999999999999', '0000-01-01T00:00:00Z'],
    ['253402300799', '9999-12-31T23:59:59Z'],
    ['', '1970-01-01T00:00:00Z'],
    ['nonsense', '1970-01-01T00:00:00Z'],
  ])('makes of the time %j %s', async (time, committedAt) => {
    const [commit] = await parse(printed({ time }));
    expect(commit?.committedAt).toBe(committedAt);
    expect(CommitSchema.parse(commit)).toEqual(commit);
  });

  it('keeps a list of thousands of parents', async () => {
    const parents = Array.from({ length: 5000 }, (_, n) => hash(n));
    const [commit] = await parse(printed({ parents }), 1000);
    expect(commit?.parents).toEqual(parents);
  });
});
