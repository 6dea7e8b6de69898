import { expect, it } from 'vitest';
import { pinoLogger } from './logger.ts';

it('writes JSON lines from its level up, with fields, errors and what a child adds', () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pinoLogger('info', { write: (line) => void lines.push(JSON.parse(line)) });
  logger.debug('quiet');
  logger.info('hello', { port: 1 });
  logger.child({ service: 'http' }).error('failed', { err: new Error('boom') });
  logger.warn('careful');
  expect(lines).toEqual([
    expect.objectContaining({ level: 30, msg: 'hello', port: 1 }),
    expect.objectContaining({
      level: 50,
      msg: 'failed',
      service: 'http',
      err: expect.objectContaining({ message: 'boom' }),
    }),
    expect.objectContaining({ level: 40, msg: 'careful' }),
  ]);
});
