import { JetStreamApiError, JetStreamError } from '@nats-io/jetstream';

/** The codes of JetStream's answers that this package knows, as the server's errors.json numbers them. */
export const codes = {
  messageNotFound: 10_037,
  streamNameInUse: 10_058,
  /** What has the same id is on its way, and not stored yet. */
  repeatedTooSoon: 10_158,
  /** The last message of a subject is another one than expected, or may soon be. */
  wrongLastSequence: new Set([10_071, 10_164]),
};

/** The code of JetStream's answer, if that is why something failed. */
export function codeOf(error: unknown): number | undefined {
  if (error instanceof JetStreamApiError) return error.code;
  return error instanceof Error && error.cause instanceof JetStreamApiError ? error.cause.code : undefined;
}

/** Whether a write was not looked at: nobody was there to take it, or nobody who has JetStream, or it comes too soon. */
export function isUntaken(error: unknown): boolean {
  if (codeOf(error) === codes.repeatedTooSoon) return true;
  return error instanceof JetStreamError && error.name === 'JetStreamNotEnabled';
}
