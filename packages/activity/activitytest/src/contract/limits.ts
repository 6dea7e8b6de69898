import { completed, type Outcome } from '@samovar/activity';
import { expect, it } from 'vitest';
import { FakeLeases } from '../leases.ts';
import { type AnyActivity, type Bench, hanging, registry, repo, start } from './bench.ts';

/** How many run at a time. */
export function limits(bench: () => Bench): void {
  it('hold back those of a full kind, first come, first served, and no other kind', async () => {
    const engine = bench().engine(new FakeLeases(), { repo: 2 });
    await bench().world.append(repo, 'a');
    await bench().world.append(registry, 'a');
    const running: string[] = [];
    const ends = new Map<string, () => void>();
    const naming =
      (name: string): AnyActivity =>
      () => {
        running.push(name);
        return new Promise<Outcome>((resolve) => ends.set(name, () => resolve(completed(null))));
      };
    const handles = new Map<string, Awaited<ReturnType<typeof start>>>();
    for (const name of ['a', 'b', 'c', 'd']) {
      handles.set(name, await start(engine, repo, naming(name), { name }));
      const handle = handles.get(name);
      await bench().until(() => ['running', 'ready'].includes(handle?.status().state ?? ''));
    }
    const states = () => [...handles.values()].map((handle) => handle.status().state);
    await bench().until(() => running.length === 2);
    await start(engine, registry, naming('registry'), { name: 'tea' });
    await bench().until(() => running.includes('registry'));
    expect(states()).toEqual(['running', 'running', 'ready', 'ready']);
    expect(running).toEqual(['a', 'b', 'registry']);

    ends.get('b')?.();
    await bench().until(() => running.includes('c'));
    expect(states()).toEqual(['running', 'completed', 'running', 'ready']);
    ends.get('a')?.();
    await bench().until(() => running.includes('d'));
    for (const end of ends.values()) end();
  });

  it('are not held by who fails, or is stopped', async () => {
    const engine = bench().engine(new FakeLeases(), { repo: 1 });
    await bench().world.append(repo, 'a');
    const failing = await start(engine, repo, () => Promise.reject(new Error('x')), { name: 'a' });
    await bench().state(failing, 'retrying');
    const running = await start(engine, repo, hanging, { name: 'b' });
    await bench().state(running, 'running');
    const ready = await start(engine, repo, hanging, { name: 'c' });
    const last = await start(engine, repo, async () => completed(null), { name: 'd' });
    await bench().state(last, 'ready');
    await ready.stop();
    await running.stop();
    expect(await last.ended).toBe('completed');
  });
}
