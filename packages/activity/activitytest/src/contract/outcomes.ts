import {
  canceled,
  completed,
  endOfStream,
  type Outcome,
  retry,
  SilentRetry,
  SilentRetryAfter,
} from '@samovar/activity';
import { CanceledError } from '@samovar/context';
import { expect, it } from 'vitest';
import { FakeLeases } from '../leases.ts';
import { Answering, type Bench, first, leaseOf, repo, start } from './bench.ts';

const raise = (error: unknown) => () => {
  throw error;
};
const later = (bench: Bench) => new Date(bench.clock.now() + 300_000);

/** What an engine makes of each outcome. */
export function outcomes(bench: () => Bench): void {
  it('has completed: it is never run again, not after a restart either', async () => {
    const leases = new FakeLeases();
    const engine = bench().engine(leases);
    const [a] = await bench().world.append(repo, 'a');
    const answering = new Answering(async (_, events) => completed(await first(events)));
    const handle = await start(engine, repo, answering.run);
    expect(await handle.ended).toBe('completed');
    expect(handle.status()).toMatchObject({ state: 'completed', tail: a, nextRun: undefined });
    await bench().news(repo, 'b');
    await bench().quiet();

    const restarted = bench().engine(leases.another());
    const again = await start(restarted, repo, answering.run);
    expect(again.status()).toMatchObject({ state: 'completed', tail: a });
    expect(await again.ended).toBe('completed');
    await bench().news(repo, 'c');
    await bench().quiet();
    expect(answering.tails).toEqual([null]);
    expect(engine.activities()).toMatchObject([{ state: 'completed' }]);
  });

  it('has read all there is: its tail is stored, and it is run again when there is more', async () => {
    const leases = new FakeLeases();
    const engine = bench().engine(leases);
    const [a] = await bench().world.append(repo, 'a');
    const answering = new Answering(async (_, events) => endOfStream(await first(events)));
    const handle = await start(engine, repo, answering.run);
    await bench().until(() => handle.status().tail === a);
    const [b] = await bench().news(repo, 'b');
    await bench().until(() => answering.tails.length === 2);
    await bench().quiet();
    await handle.stop();
    expect(answering.tails).toEqual([null, a]);
    expect(await leaseOf(leases, repo)).toMatchObject({ tail: b, isCompleted: false });
    expect(bench().logger.lines).toEqual([]);
  });

  it.each<[string, (bench: Bench) => (tail: unknown) => Outcome]>([
    ['answers that it was canceled', () => () => canceled(null)],
    ['throws a CanceledError', () => raise(new CanceledError())],
    ['throws an AbortError', () => raise(new DOMException('aborted', 'AbortError'))],
    ["throws gRPC's CANCELLED", () => raise(Object.assign(new Error('1 CANCELLED'), { code: 1, metadata: {} }))],
    ['wants a retry for a CanceledError', () => () => retry(null, new CanceledError())],
    ['wants a silent retry', () => () => retry(null, new SilentRetry('x'))],
    ['throws a SilentRetry', () => raise(new SilentRetry('x'))],
    ['throws one that a SilentRetry has caused', () => raise(new Error('x', { cause: new SilentRetry('y') }))],
    ['wants a silent retry later', (bench) => () => retry(null, new SilentRetryAfter(later(bench)))],
    ['throws a SilentRetryAfter', (bench) => raise(new SilentRetryAfter(later(bench)))],
  ])('%s: it is run again, and nobody is told', async (_, answerOf) => {
    const engine = bench().engine(new FakeLeases());
    const [, b] = await bench().world.append(repo, 'a', 'b');
    const answering = new Answering(answerOf(bench()));
    const handle = await start(engine, repo, answering.run);
    await bench().retry(handle);
    await bench().until(() => answering.tails.length === 2);
    await bench().quiet();
    await handle.stop();
    expect(answering.tails).toEqual([null, null]);
    expect(handle.status().tail).toBe(b);
    expect(bench().logger.lines).toEqual([]);
  });

  it.each<[string, () => Outcome, string]>([
    ['wants a retry', () => retry(null, new Error('no water')), 'no water'],
    ['throws', raise(new Error('no water')), 'no water'],
    ['throws what is no error', raise('no water'), 'no water'],
    ['answers with nothing', () => undefined as unknown as Outcome, 'the activity has answered with no outcome'],
    ['answers with no tail', () => endOfStream(undefined as never), 'the activity has answered with no outcome'],
    ['has a command that exits with 1', raise(Object.assign(new Error('exit 1'), { code: 1 })), 'exit 1'],
  ])('%s: it is run again, and the log tells', async (_, answer, message) => {
    const engine = bench().engine(new FakeLeases());
    await bench().world.append(repo, 'a');
    const answering = new Answering(answer);
    const handle = await start(engine, repo, answering.run);
    await bench().state(handle, 'retrying');
    expect(handle.status()).toMatchObject({ attempts: 1, lastError: { message } });
    const fields = { activity: 'tea', stream: expect.stringMatching(/^repos\./), attempts: 1 };
    expect(bench().logger.lines).toMatchObject([{ level: 'warn', fields: { ...fields, err: { message } } }]);
    await bench().retry(handle);
    await bench().until(() => answering.tails.length === 2);
    expect(answering.tails).toEqual([null, null]);
  });

  it('fails: it is run again from the tail that it has answered with, also if that goes back', async () => {
    const leases = new FakeLeases();
    const engine = bench().engine(leases);
    const [a, b] = await bench().world.append(repo, 'a', 'b');
    const answering = new Answering(
      () => retry(b ?? null, new Error('x')),
      () => retry(a ?? null, new SilentRetry('x')),
      () => canceled(b ?? null),
      () => retry(null, new Error('x')),
    );
    const handle = await start(engine, repo, answering.run);
    for (let runs = 2; runs <= 5; runs++) {
      await bench().retry(handle);
      await bench().until(() => answering.tails.length === runs);
    }
    expect(answering.tails).toEqual([null, b, a, b, null]);
  });

  it('throws: what it has taken from the stream does not count', async () => {
    const engine = bench().engine(new FakeLeases());
    const [a] = await bench().world.append(repo, 'a', 'b');
    const answering = new Answering(
      async (_, events) => retry(await first(events), new SilentRetry('x')),
      async (_, events) => {
        await first(events);
        throw new SilentRetry('y');
      },
    );
    const handle = await start(engine, repo, answering.run);
    await bench().retry(handle);
    await bench().until(() => answering.tails.length === 2);
    await bench().retry(handle);
    await bench().until(() => answering.tails.length === 3);
    expect(answering.tails).toEqual([null, a, a]);
  });
}
