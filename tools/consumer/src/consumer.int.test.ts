import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot, pack, publicPackages, type Tarball } from './pack.ts';

const exec = promisify(execFile);
const root = resolve(import.meta.dirname, '../../..');
const packages = publicPackages(root);
const temp = mkdtempSync(join(tmpdir(), 'consumer-'));
let tarballs: readonly Tarball[];

beforeAll(async () => {
  const unbuilt = packages.filter(({ folder }) => !existsSync(join(root, folder, 'dist')));
  if (unbuilt.length > 0) throw new Error(`run pnpm build first: no dist in ${unbuilt.map(({ name }) => name).join()}`);
  tarballs = await pack(root, packages, temp);
}, 60_000);

afterAll(() => rmSync(temp, { recursive: true }));

describe.each(packages.map((pkg) => [pkg.name, pkg] as const))('%s, packed', (name, pkg) => {
  let tarball: Tarball;
  let manifest: Record<string, unknown>;

  beforeAll(async () => {
    const found = tarballs.find((each) => each.pkg === pkg);
    if (found === undefined) throw new Error(`${name} was not packed`);
    tarball = found;
    const { stdout } = await exec('tar', ['-xzOf', tarball.file, 'package/package.json']);
    manifest = JSON.parse(stdout) as Record<string, unknown>;
  });

  it('holds what was built from its sources, protobuf definitions, the licence, and nothing else', () => {
    const unexpected = tarball.paths.filter((path) => {
      const [, source] = /^dist\/(.+?)\.(?:js|js\.map|d\.ts)$/.exec(path) ?? [];
      if (path.endsWith('.proto')) return false;
      if (source === undefined) return !['LICENSE', 'README.md', 'package.json'].includes(path);
      return source.endsWith('.test') || !existsSync(join(root, pkg.folder, 'src', `${source}.ts`));
    });
    expect(unexpected, 'a file in dist without its source is left from an earlier build: remove dist').toEqual([]);
    expect(tarball.paths).toContain('LICENSE');
    if (isRoot(pkg)) expect(tarball.paths).toContain('README.md');
  });

  it('depends on nothing that only this workspace has', () => {
    const { exports, dependencies, peerDependencies } = manifest;
    expect(JSON.stringify(exports)).not.toContain('@samovar/source');
    expect(JSON.stringify({ dependencies, peerDependencies })).not.toMatch(/workspace:|catalog:/);
  });

  it('passes publint', async () => {
    const { buffer, byteOffset, byteLength } = tarball.content;
    const data = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    const { messages, pkg: published } = await publint({ pack: { tarball: data }, level: 'warning' });
    expect(messages.map((message) => formatMessage(message, published))).toEqual([]);
  });

  it('has types for every entry, as an ES module sees it', async () => {
    const result = await checkPackage(createPackageFromTarballData(tarball.content));
    expect(result.types).toMatchObject({ kind: 'included' });
    // CommonJS and Node 10 resolution are not served.
    const problems = 'problems' in result ? result.problems : [];
    const served = problems.filter(
      (problem) => !('resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind)),
    );
    expect(served).toEqual([]);
  });
});

describe('a program outside of the workspace', () => {
  const program = join(temp, 'program');
  const run = (file: string, ...args: readonly string[]) => exec(file, args, { cwd: program });
  let roots: readonly Tarball[];

  beforeAll(async () => {
    roots = tarballs.filter(({ pkg }) => isRoot(pkg));
    cpSync(resolve(import.meta.dirname, '../program'), program, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(program, 'package.json'), 'utf8')) as { dependencies: object };
    const own = (name: string) =>
      readFileSync(resolve(import.meta.dirname, '../node_modules', name, 'package.json'), 'utf8');
    const { version } = JSON.parse(own('@types/node')) as { version: string };
    const packed = Object.fromEntries(roots.map(({ pkg, file }) => [pkg.name, `file:${file}`]));
    const dependencies = { ...manifest.dependencies, ...packed };
    const complete = { ...manifest, dependencies, devDependencies: { '@types/node': version } };
    writeFileSync(join(program, 'package.json'), JSON.stringify(complete));
    await run('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline');
  }, 120_000);

  it('gets one copy of each root, from its tarball', () => {
    const lock = JSON.parse(readFileSync(join(program, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved?: string }>;
    };
    const installed = Object.entries(lock.packages).filter(([path]) => path.includes('@samovar/'));
    expect(installed.map(([path]) => path).sort()).toEqual(roots.map(({ pkg }) => `node_modules/${pkg.name}`).sort());
    for (const [, { resolved }] of installed) expect(resolved).toMatch(/^file:/);
  });

  it('loads every root', async () => {
    const names = JSON.stringify(roots.map(({ pkg }) => pkg.name));
    await run(process.execPath, '--input-type=module', '-e', `for (const name of ${names}) await import(name)`);
  });

  it('compiles with strict settings, declarations included, and runs without flags', async () => {
    const tsc = resolve(import.meta.dirname, '../node_modules/.bin/tsc');
    const compiled = await run(tsc).catch((error: { stdout: string }) => error);
    expect(compiled.stdout).toBe('');
    const { stdout, stderr } = await run(process.execPath, 'out/consumer.js');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      guest: 'Ada',
      done: true,
      cups: { cups: 2 },
      refused: 2,
      invalid: true,
      stream: 'teapot.blue~20pot',
      repoStream: 'repos.019a0000-0000-7000-8000-000000000001',
      durable: true,
      id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
      badId: 'eda.invalidEventId',
      data: { cups: 2 },
      own: true,
      handler: 'bus.handlerNotFound',
      schema: { type: 'object', properties: {}, additionalProperties: false },
    });
  });
});
