import { randomUUID } from 'node:crypto';
import { edaConformance } from '@samovar/edatest/conformance';
import { connectMemory } from './edamemory.ts';

edaConformance('memory', {
  lacks: { restart: 'a log in memory is gone when its last connection closes' },
  open: async () => {
    const name = randomUUID();
    const keeper = connectMemory(name, { logger: null });
    return {
      connect: async (client = '') => connectMemory(name, { client, logger: null }),
      [Symbol.asyncDispose]: () => keeper.close(),
    };
  },
});
