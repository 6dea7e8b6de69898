import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { GetRepoQuery, type Repo, ScanProgressed, type Uuid } from '@samovar/repos';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { showProgress } from './progress.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const repoId = '019a0000-0000-7000-8000-000000000001' as Uuid;

function busWithRepo(): FakeBus {
  const bus = new FakeBus();
  bus.addHandler(GetRepoQuery, (_, { repoId }): Repo => {
    return { repoId, registry: 'main', name: 'tea', path: '/tea', head: null, commits: 0, archive: null };
  });
  return bus;
}

const tell = (bus: FakeBus, recorded: number, total: number | null) =>
  bus.publish(background, ScanProgressed, { repoId, recorded, total });

it('is at most one line a second where there is no terminal', async () => {
  const bus = busWithRepo();
  const lines: string[] = [];
  const progress = showProgress(bus, { line: (text) => lines.push(text), problem: vi.fn(), canvas: undefined });
  for (let recorded = 0; recorded <= 30_000; recorded += 1_000) {
    await tell(bus, recorded, recorded < 15_000 ? null : 50_000);
    vi.advanceTimersByTime(100);
  }
  expect(lines).toEqual([
    'recorded 10,000 commits of tea',
    'recorded 20,000 of 50,000 commits of tea',
    'recorded 30,000 of 50,000 commits of tea',
  ]);
  progress[Symbol.dispose]();
  vi.advanceTimersByTime(5_000);
  await tell(bus, 40_000, 50_000);
  expect(lines).toHaveLength(3);
});

it('is a bar on a terminal, where there is something to record', async () => {
  const bus = busWithRepo();
  const canvas = Object.assign(new PassThrough(), {
    isTTY: true,
    columns: 100,
    rows: 20,
    cursorTo: vi.fn(),
    clearLine: vi.fn(),
    moveCursor: vi.fn(),
  });
  const progress = showProgress(bus, { line: vi.fn(), problem: vi.fn(), canvas: canvas as unknown as WriteStream });
  await tell(bus, 0, 0);
  vi.advanceTimersByTime(200);
  expect(String(canvas.read() ?? '')).not.toContain('tea');
  await tell(bus, 12_000, 50_000);
  vi.advanceTimersByTime(200);
  expect(stripVTControlCharacters(String(canvas.read()))).toContain('12,000 of 50,000 commits of tea');
  await tell(bus, 50_000, 50_000);
  progress[Symbol.dispose]();
  expect(stripVTControlCharacters(String(canvas.read()))).toContain('50,000 of 50,000 commits of tea');
  expect(vi.getTimerCount()).toBe(0);
});
