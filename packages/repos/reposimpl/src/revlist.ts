import { isUtf8 } from 'node:buffer';
import type { Commit } from '@samovar/repos';

/** Parents, author's name and address, committer's time, subject; `rev-list` puts a line `commit <hash>` before them. */
export const commitFormat = '%P%x00%an%x00%ae%x00%ct%x00%s%x00';
const fieldsOfCommit = 5;

const longestText = 4096;
// No list of parents is as long, and of a text only the beginning is kept.
const longestField = 8 << 20;
const none: Buffer = Buffer.alloc(0);

/**
 * The commits in what `git rev-list --encoding=UTF-8 --format=<commitFormat>` prints, in its order, in arrays of no
 * particular length. Holds no more than a chunk and the longest field, however long the output is.
 */
export async function* parseCommits(chunks: AsyncIterable<Buffer>): AsyncGenerator<Commit[]> {
  let fields: string[] = [];
  for await (const block of wholeFields(chunks)) {
    fields.push(...block);
    const commits: Commit[] = [];
    const end = fields.length - (fields.length % fieldsOfCommit);
    for (let i = 0; i < end; i += fieldsOfCommit) commits.push(toCommit(fields, i));
    fields = fields.slice(end);
    if (commits.length > 0) yield commits;
  }
}

async function* wholeFields(chunks: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
  let rest = none;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(0);
    if (end === -1) {
      if (rest.length < longestField) rest = Buffer.concat([rest, chunk]);
      continue;
    }
    const block = Buffer.concat([rest, chunk.subarray(0, end)]);
    rest = chunk.subarray(end + 1);
    // One decoding for all, nearly always; field by field where one of them is not UTF-8.
    yield isUtf8(block) ? block.toString().split('\0') : [...split(block)].map(decode);
  }
}

function* split(block: Buffer): Generator<Buffer> {
  let start = 0;
  for (let end = block.indexOf(0); end !== -1; end = block.indexOf(0, start)) {
    yield block.subarray(start, end);
    start = end + 1;
  }
  yield block.subarray(start);
}

/** A commit that does not say its encoding is meant to be UTF-8; where it is not, this loses nothing. */
const fallback = new TextDecoder('windows-1252');

function decode(field: Buffer): string {
  if (isUtf8(field)) return field.toString();
  if (field.length < longestField) return fallback.decode(field);
  // Its end was dropped, perhaps in the middle of a character.
  const start = field.subarray(0, 4 * longestText);
  const whole = [0, 1, 2, 3].map((n) => start.subarray(0, start.length - n)).find((part) => isUtf8(part));
  return whole?.toString() ?? fallback.decode(start);
}

function toCommit(fields: readonly string[], at: number): Commit {
  const [header = '', name = '', email = '', time = '', subject = ''] = fields.slice(at, at + fieldsOfCommit);
  const [line = '', parents = ''] = header.trimStart().split('\n');
  return {
    hash: detach(line.slice('commit '.length)),
    parents: parents === '' ? [] : parents.split(' '),
    author: { name: cut(name), email: cut(email) },
    committedAt: toIso(time),
    subject: cut(subject),
  };
}

/** A part of a string keeps the whole of it in memory, and hashes are kept for long. */
function detach(part: string): string {
  return Buffer.from(part, 'latin1').toString('latin1');
}

function cut(text: string): string {
  if (text.length <= longestText) return text;
  return text.slice(0, /[\uD800-\uDBFF]/.test(text.charAt(longestText - 1)) ? longestText - 1 : longestText);
}

const earliest = Date.parse('0000-01-01T00:00:00Z');
const latest = Date.parse('9999-12-31T23:59:59Z');

function toIso(seconds: string): string {
  const ms = Number(seconds) * 1000;
  const clamped = Math.min(Math.max(Number.isNaN(ms) ? 0 : ms, earliest), latest);
  return `${new Date(clamped).toISOString().slice(0, -'.000Z'.length)}Z`;
}
