import { InvalidMessageError } from '@samovar/message';
import { describe, expect, it } from 'vitest';
import {
  ArchiveFailedError,
  Bundle,
  Commit,
  CommitsRecorded,
  GitMissingError,
  HeadMoved,
  InitRepoCommand,
  ListCommitsQuery,
  MarkRepoArchivedCommand,
  NotARepositoryError,
  PingRepoCommand,
  RepoArchived,
  RepoArchivedError,
  RepoInitialized,
  RepoNotFoundError,
  RepoPinged,
  RepoUnreadableError,
  repoStream,
  ScanProgressed,
  Uuid,
} from './repos.ts';

const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-112233445566');
const archive = { path: '/archive/tea.bundle', bytes: 7, sha256: 'a'.repeat(64) };
const commit = {
  hash: 'a'.repeat(40),
  parents: ['b'.repeat(64)],
  author: { name: '', email: '' },
  committedAt: '2001-02-03T04:05:06Z',
  subject: '',
};

describe('messages', () => {
  it('have their defaults', () => {
    expect(InitRepoCommand.parse({ name: 'tea', path: '/tea' })).toEqual({
      registry: 'main',
      name: 'tea',
      path: '/tea',
    });
    expect(ListCommitsQuery.parse({ repoId })).toEqual({ repoId, limit: 100 });
  });

  it.each([
    [InitRepoCommand, { name: '', path: '/tea' }],
    [InitRepoCommand, { name: 'tea', path: '/tea', registry: 'Main' }],
    [InitRepoCommand, { name: 'tea', path: '/tea', registry: `a${'b'.repeat(63)}` }],
    [ListCommitsQuery, { repoId, limit: 0 }],
    [ListCommitsQuery, { repoId, limit: 1001 }],
    [ListCommitsQuery, { repoId: repoId.toUpperCase() }],
    [ListCommitsQuery, { repoId: 'repo' }],
    [PingRepoCommand, { repoId }],
    [MarkRepoArchivedCommand, { repoId, archive: null }],
  ])('$0.name refuses $1', (message, args) => {
    expect(() => message.parse(args)).toThrow(InvalidMessageError);
  });

  it.each(['', 'a'.repeat(39), 'A'.repeat(40), 'g'.repeat(40), 'a'.repeat(41)])('no hash is %j', (hash) => {
    expect(Commit.safeParse({ ...commit, hash }).success).toBe(false);
  });

  it.each([{ sha256: 'A'.repeat(64) }, { sha256: 'a'.repeat(63) }, { bytes: -1 }, { bytes: 0.5 }])(
    'no bundle has %j',
    (part) => {
      expect(Bundle.safeParse(archive).success).toBe(true);
      expect(Bundle.safeParse({ ...archive, ...part }).success).toBe(false);
    },
  );

  it('may be commits of any date and of both kinds of hashes', () => {
    expect(Commit.parse(commit)).toEqual(commit);
    for (const committedAt of ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z'])
      Commit.parse({ ...commit, committedAt });
  });
});

describe('events', () => {
  it('of a repository are on its own stream; progress is on none', () => {
    expect(repoStream(repoId)).toBe(`repos.${repoId}`);
    const initialized = { repoId, registry: 'main', name: 'tea', path: '/tea' };
    expect(RepoInitialized.stream?.(initialized)).toBe(repoStream(repoId));
    expect(CommitsRecorded.stream?.({ repoId, commits: [] })).toBe(repoStream(repoId));
    expect(HeadMoved.stream?.({ repoId, from: null, to: { ref: null, hash: null } })).toBe(repoStream(repoId));
    expect(RepoPinged.stream?.({ repoId, registry: 'main', workflowId: repoId })).toBe(repoStream(repoId));
    expect(RepoArchived.stream?.({ repoId, archive })).toBe(repoStream(repoId));
    expect(ScanProgressed.stream).toBeUndefined();
  });
});

describe('errors', () => {
  it.each([
    [new RepoNotFoundError('x'), 'not_found', 'repos.notFound', 'no repository x'],
    [new NotARepositoryError('/x', 'it is a file'), 'failed_precondition', 'repos.notARepository', '/x is not a git'],
    [new RepoUnreadableError('/x', 'bad object'), 'data_loss', 'repos.unreadable', '/x cannot be read: bad object'],
    [new RepoArchivedError('x', '/a'), 'failed_precondition', 'repos.archived', 'git clone restores it from there'],
    [new ArchiveFailedError('/a', 'no room'), 'unavailable', 'repos.archiveFailed', '/a cannot be made: no room'],
    [new GitMissingError(), 'failed_precondition', 'repos.gitMissing', 'install git'],
  ])('%s says what to do', (error, status, id, words) => {
    expect(error).toMatchObject({ status, id, publicMessage: expect.stringContaining(words) });
  });
});
