/** The codes of JetStream's answers that are known here, as the server's errors.json numbers them. */
export const codes = {
  consumerNotFound: 10_014,
  messageNotFound: 10_037,
  streamNotFound: 10_059,
  streamNameInUse: 10_058,
  /** No such message, or no message there to be deleted. */
  alreadyDeleted: new Set([10_037, 10_043, 10_057]),
  storeFailed: 10_077,
  /** What has the same id is on its way, and not stored yet. */
  repeatedTooSoon: 10_158,
  noResources: new Set([10_023, 10_028, 10_047]),
  /** The last message, of a subject or of all, is another one than expected, or may soon be. */
  wrongLastSequence: new Set([10_071, 10_164]),
};

/** JetStream numbers its errors from here on. */
const firstCode = 10_000;

// The client's errors are told by what they carry: a program may have several copies of it, and not all are exported.

/** The code of JetStream's answer, if that is why something failed. */
export function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  return ownCode(error) ?? ownCode(error.cause);
}

/** Whether the server has no JetStream, or nobody leads what was asked for. */
export function isNotEnabled(error: unknown): boolean {
  return error instanceof Error && error.name === 'JetStreamNotEnabled';
}

function ownCode(error: unknown): number | undefined {
  if (!(error instanceof Error && 'code' in error)) return undefined;
  return typeof error.code === 'number' && error.code >= firstCode ? error.code : undefined;
}
