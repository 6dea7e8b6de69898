import { vi } from 'vitest';

/** Milliseconds: a busy machine takes long, and what never comes shows all the same. */
const timeout = 15_000;

/** Gives `wait` a patience that vitest has no setting for: by itself it waits for a second. */
function patient<Wait extends typeof vi.waitFor | typeof vi.waitUntil>(wait: Wait): Wait {
  return ((callback: () => unknown, options: number | object = {}) =>
    (wait as typeof vi.waitFor)(callback, typeof options === 'number' ? options : { timeout, ...options })) as Wait;
}

vi.waitFor = patient(vi.waitFor);
vi.waitUntil = patient(vi.waitUntil);
