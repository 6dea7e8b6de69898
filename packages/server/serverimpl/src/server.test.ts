import { background, type CancelScope, type Context, throwIfDone, withCancel } from '@samovar/context';
import {
  type BackgroundService,
  type Check,
  type Initializer,
  type Logger,
  Readiness,
  Server,
  workContext,
} from '@samovar/server';
import { Container, ContainerModule } from 'inversify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { serverModule } from './module.ts';
import { ReadinessFlag } from './readiness.ts';
import { ProcessServer, type ServerOptions } from './server.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Writes down what happens to it; `run` is told what to do. */
function service(log: string[], name: string, run: (ctx: Context) => Promise<void>, disabled = false) {
  return {
    name,
    isDisabled: () => disabled,
    async run(ctx: Context) {
      log.push(`${name} starts`);
      await run(ctx);
      log.push(`${name} stops`);
    },
  } satisfies BackgroundService;
}

const untilDone = (ctx: Context): Promise<void> =>
  new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve(), { once: true }));
const untilAborted = (ctx: Context): Promise<void> => untilDone(ctx.value(workContext));
const never = (): Promise<void> => new Promise(() => {});

function silentLogger(): Logger {
  const logger: Logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn(), child: () => logger };
  return logger;
}

interface Setup {
  readonly initializers?: Initializer[];
  readonly services?: BackgroundService[];
  readonly checks?: Check[];
  readonly options?: ServerOptions;
}

function start({ initializers = [], services = [], checks = [], options = {} }: Setup) {
  const readiness = new ReadinessFlag();
  const logger = silentLogger();
  const server = new ProcessServer(initializers, services, checks, readiness, logger, options);
  const scope: CancelScope = withCancel(background);
  const hurry = new AbortController();
  const outcome = vi.fn();
  const running = server.run(scope.ctx, { hurry: hurry.signal });
  running.then(
    () => outcome('stopped'),
    (error) => outcome(error),
  );
  return { server, readiness, logger, stop: scope.cancel, hurry, outcome, running };
}

const turns = () => vi.advanceTimersByTimeAsync(0);

describe('start', () => {
  it('initialises one after another, then starts the services that are not disabled', async () => {
    const log: string[] = [];
    const slow: Initializer = {
      async init() {
        await new Promise((resolve) => setTimeout(resolve, 5));
        log.push('first is ready');
      },
    };
    const { readiness, stop, running } = start({
      initializers: [slow, { init: () => void log.push('second is ready') }],
      services: [service(log, 'a', untilDone), service(log, 'off', never, true), service(log, 'b', untilDone)],
    });
    await turns();
    expect(readiness.isReady()).toBe(false);
    await vi.advanceTimersByTimeAsync(5);
    expect(log).toEqual(['first is ready', 'second is ready', 'a starts', 'b starts']);
    expect(readiness.isReady()).toBe(true);
    stop();
    await running;
  });

  it('logs what the checks find, once everything runs', async () => {
    const log: string[] = [];
    const found = (severity: 'error' | 'warning' | 'note') => ({ severity, message: `a ${severity}`, mend: 'mend it' });
    const err = new Error('no table');
    const check = async () => {
      log.push('checked');
      return [found('error'), found('warning'), found('note')];
    };
    const { logger, stop, running } = start({
      services: [service(log, 'a', untilDone)],
      checks: [
        { name: 'all', check },
        { name: 'broken', check: () => Promise.reject(err) },
        { name: 'last', check },
      ],
    });
    await turns();
    expect(log).toEqual(['a starts', 'checked', 'checked']);
    expect(vi.mocked(logger.error).mock.calls).toEqual([
      ['a error', { check: 'all', mend: 'mend it' }],
      ['a error', { check: 'last', mend: 'mend it' }],
    ]);
    expect(vi.mocked(logger.warn).mock.calls).toEqual([
      ['a warning', { check: 'all', mend: 'mend it' }],
      ['a check could not look', { check: 'broken', err }],
      ['a warning', { check: 'last', mend: 'mend it' }],
    ]);
    stop();
    await running;
  });

  it('fails with what an initializer throws, before anything runs', async () => {
    const log: string[] = [];
    const init = () => {
      throw new Error('no table');
    };
    const { running, readiness } = start({
      initializers: [{ init }, { init: () => void log.push('second') }],
      services: [service(log, 'a', untilDone)],
    });
    await expect(running).rejects.toThrow('no table');
    expect(log).toEqual([]);
    expect(readiness.isReady()).toBe(false);
  });

  it('is left off quietly when the context ends meanwhile', async () => {
    const log: string[] = [];
    const { stop, running } = start({
      initializers: [{ init: async () => turns() }, { init: () => stop() }, { init: () => void log.push('second') }],
      services: [service(log, 'a', untilDone)],
    });
    await running;
    expect(log).toEqual([]);
  });

  it('happens once', async () => {
    const { server, stop, running } = start({});
    await expect(server.run(background)).rejects.toThrow(TypeError);
    stop();
    await running;
  });
});

describe('shutdown', () => {
  it('ends intake first, and work only after the drain time', async () => {
    const log: string[] = [];
    const { stop, readiness, outcome } = start({
      services: [
        service(log, 'quick', untilDone),
        service(log, 'slow', async (ctx) => {
          await untilDone(ctx);
          log.push('slow drains');
          throwIfDone(ctx.value(workContext));
          await untilAborted(ctx);
        }),
      ],
      options: { drainMs: 1000 },
    });
    await turns();
    stop();
    await turns();
    expect(readiness.isReady()).toBe(false);
    expect(log.slice(2)).toEqual(['quick stops', 'slow drains']);
    await vi.advanceTimersByTimeAsync(999);
    expect(outcome).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(log.at(-1)).toBe('slow stops');
    expect(outcome).toHaveBeenCalledWith('stopped');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('drains for ten seconds unless told otherwise', async () => {
    const { stop, outcome } = start({ services: [service([], 'slow', untilAborted)] });
    await turns();
    stop();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(outcome).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(outcome).toHaveBeenCalledWith('stopped');
  });

  it('cuts the drain short when it has to hurry, also if that was said before', async () => {
    const first = start({ services: [service([], 'slow', untilAborted)] });
    await turns();
    first.stop();
    await turns();
    first.hurry.abort();
    await turns();
    expect(first.outcome).toHaveBeenCalledWith('stopped');

    const second = start({ services: [service([], 'slow', untilAborted)] });
    await turns();
    second.hurry.abort();
    second.stop();
    await turns();
    expect(second.outcome).toHaveBeenCalledWith('stopped');
  });

  it('gives up what does not stop, naming it', async () => {
    const { stop, outcome } = start({
      services: [service([], 'deaf', never), service([], 'good', untilDone), service([], 'mute', never)],
      options: { drainMs: 1000, abortMs: 500 },
    });
    await turns();
    stop();
    await vi.advanceTimersByTimeAsync(1499);
    expect(outcome).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(outcome).toHaveBeenCalledWith(
      expect.objectContaining({ id: 'server.serviceStuck', details: { services: ['deaf', 'mute'] } }),
    );
  });

  it('is clean when services end with the error of their context', async () => {
    const { stop, running } = start({
      services: [
        service([], 'throwing', async (ctx) => {
          await untilDone(ctx);
          throwIfDone(ctx);
        }),
        service([], 'node-like', async (ctx) => {
          await untilDone(ctx);
          throw new DOMException('aborted', 'AbortError');
        }),
      ],
    });
    await turns();
    stop();
    await expect(running).resolves.toBeUndefined();
  });

  it('fails with what a service threw while it drained', async () => {
    const failing = async (ctx: Context) => {
      await untilDone(ctx);
      throw new Error('the last write failed');
    };
    const { stop, running } = start({ services: [service([], 'a', failing)] });
    await turns();
    stop();
    await expect(running).rejects.toThrow('the last write failed');
  });
});

describe('a service', () => {
  it('that rejects stops the server with its error; further ones are logged', async () => {
    const log: string[] = [];
    const late = async (ctx: Context) => {
      await untilDone(ctx);
      throw new Error('second');
    };
    const { running, readiness, logger } = start({
      services: [
        service(log, 'bad', () => Promise.reject(new Error('first'))),
        service(log, 'good', untilDone),
        service(log, 'late', late),
      ],
    });
    await expect(running).rejects.toThrow('first');
    expect(log).toContain('good stops');
    expect(readiness.isReady()).toBe(false);
    expect(logger.error).toHaveBeenCalledWith('another service failed', { service: 'late', err: new Error('second') });
  });

  it('that throws at once, with no promise, is no different', async () => {
    const run = () => {
      throw new Error('at once');
    };
    const { running } = start({ services: [{ name: 'bad', isDisabled: () => false, run }] });
    await expect(running).rejects.toThrow('at once');
  });

  it('that settles by itself stops the server', async () => {
    const { running } = start({ services: [service([], 'short', async () => {}), service([], 'good', untilDone)] });
    await expect(running).rejects.toMatchObject({ id: 'server.serviceEnded', details: { service: 'short' } });
  });
});

describe('serverModule', () => {
  it('binds the server, whose readiness others may ask for, also its own services', async () => {
    const { Initializer, BackgroundService, Logger } = await import('@samovar/server');
    const asked: boolean[] = [];
    const bindings = new ContainerModule(({ bind }) => {
      bind(Logger).toConstantValue(silentLogger());
      bind(Initializer).toConstantValue({ init: () => void asked.push(false) });
      bind(BackgroundService)
        .toResolvedValue(
          (readiness) =>
            service([], 'asking', (ctx) => untilDone(ctx).then(() => void asked.push(readiness.isReady()))),
          [Readiness],
        )
        .inSingletonScope();
    });
    const container = new Container();
    container.load(bindings, serverModule());
    const { ctx, cancel } = withCancel(background);
    const running = container.get(Server).run(ctx);
    await turns();
    expect(container.get(Readiness).isReady()).toBe(true);
    cancel();
    await running;
    expect(container.get(Readiness).isReady()).toBe(false);
    expect(asked).toHaveLength(2);
  });
});
