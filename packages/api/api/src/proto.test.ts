import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const folder = join(import.meta.dirname, '..');

/** What buf says about the protocol in `cwd`, and whether it is content. */
function buf(args: readonly string[], cwd = folder): { readonly ok: boolean; readonly said: string } {
  const bin = join(folder, 'node_modules', '.bin');
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const { status, stdout, stderr, error } = spawnSync(join(bin, 'buf'), args, { cwd, env, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { ok: status === 0, said: stdout + stderr };
}

function tempFolder(): string {
  const temp = mkdtempSync(join(tmpdir(), 'samovar-proto-'));
  onTestFinished(() => rmSync(temp, { recursive: true }));
  return temp;
}

function texts(root: string): Record<string, string> {
  const paths = globSync('**/*.ts', { cwd: root }).sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

/** A copy of the protocol in which `from`, of the file `name`, is `to`. */
function changed(name: string, from: string, to: string): string {
  const copy = tempFolder();
  cpSync(join(folder, 'proto'), join(copy, 'proto'), { recursive: true });
  cpSync(join(folder, 'buf.yaml'), join(copy, 'buf.yaml'));
  const file = join(copy, 'proto', 'samovar', 'entities', 'v1', name);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
  return copy;
}

const breaking = (cwd?: string) => buf(['breaking', '--against', join(folder, 'baseline.txtpb')], cwd);

describe('the protocol', () => {
  it('is formatted, and as buf recommends', () => {
    expect(buf(['format', '--diff', '--exit-code'])).toEqual({ ok: true, said: '' });
    expect(buf(['lint'])).toEqual({ ok: true, said: '' });
  });

  it('breaks nobody who has an older one', () => {
    expect(breaking()).toEqual({ ok: true, said: '' });
  });

  it.each([
    ['a field with another number', 'event.proto', 'string stream = 1;', 'string stream = 100;'],
    ['a field of another type', 'leases.proto', 'uint64 epoch = 1;', 'string epoch = 1;'],
    ['a method that is gone', 'broadcast.proto', 'rpc Head(', 'rpc Top('],
  ])('would break them by %s', (_, name, from, to) => {
    expect(breaking(changed(name, from, to)).ok).toBe(false);
  });

  it('may grow', () => {
    expect(
      breaking(changed('event.proto', 'uint32 deliveries = 13;', 'uint32 deliveries = 13;\n  bool new = 14;')).ok,
    ).toBe(true);
  });

  it('has the TypeScript that is generated from it: run `pnpm --filter @samovar/api generate`', () => {
    const out = tempFolder();
    expect(buf(['generate', '--output', out])).toEqual({ ok: true, said: '' });
    expect(texts(join(folder, 'src', 'gen'))).toEqual(texts(join(out, 'src', 'gen')));
  });
});
