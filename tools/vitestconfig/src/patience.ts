import { vi } from 'vitest';

/** Milliseconds: a busy machine takes long, and what never comes shows all the same. */
const timeout = 15_000;

const { waitFor, waitUntil } = vi;

// By themselves they wait for a second, and vitest has no setting for that.
vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));

function patient<Options extends object>(options: Options | number = {} as Options): Options | number {
  return typeof options === 'number' ? options : { timeout, ...options };
}
