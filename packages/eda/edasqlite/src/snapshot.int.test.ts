import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFile } from './file.ts';
import { Snapshot } from './snapshot.ts';

let folder: string;
let db: DatabaseSync;
let other: DatabaseSync;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
  const path = join(folder, 'events.db');
  db = openFile(path);
  other = new DatabaseSync(path);
});
afterEach(() => {
  db.close();
  other.close();
  rmSync(folder, { recursive: true });
});

const epoch = () => db.prepare('SELECT epoch FROM log').get()?.epoch;
const increment = () => other.exec('UPDATE log SET epoch = epoch + 1');

describe('a snapshot', () => {
  it('is the same to all that reads in it, whatever another process commits, and is over then', () => {
    const seen = new Snapshot(db).of(() => {
      const before = epoch();
      increment();
      return [before, epoch()];
    });
    expect([...seen, epoch()]).toEqual([0, 0, 1]);
  });

  it('is over when reading fails, too', () => {
    const snapshot = new Snapshot(db);
    const fail = () => {
      epoch();
      throw new Error('spilt');
    };
    expect(() => snapshot.of(fail)).toThrow('spilt');
    increment();
    expect([db.isTransaction, snapshot.of(epoch)]).toEqual([false, 1]);
  });

  it('is part of the transaction that there is, and leaves it open', () => {
    db.exec('BEGIN IMMEDIATE');
    db.exec('UPDATE log SET epoch = 7');
    expect([new Snapshot(db).of(epoch), db.isTransaction]).toEqual([7, true]);
    db.exec('COMMIT');
  });
});
