import { expect, it } from 'vitest';
import { breaches } from '../fixture.ts';

const path = 'packages/pot/pot/src/pot.ts';
const tea = 'packages/tea/tea/src/tea.ts';
const contract = 'export abstract class Tea {} export class ColdError extends Error {} export const Leaf = 1;';

it.each([
  ['a library', "import { v7 } from 'uuid';"],
  ["Node's modules", "import { join } from 'node:path';"],
  ['a library, loaded late', "void import('uuid');"],
  ["another root's contract", "import { Leaf, Tea } from '@samovar/tea';"],
  ['a contract, passed on', "export { Tea } from '@samovar/tea';"],
  ['another root as a whole', "import * as tea from '@samovar/tea';"],
  ['another root for its effects', "import '@samovar/tea';"],
  ['nothing but types, yet at run time', "import { type Tea } from '@samovar/tea';"],
])('catches a root that imports %s', (_, text) => {
  expect(breaches({ [tea]: contract, [path]: `\n${text}` })).toEqual([`${path}:2 root-runtime`]);
});

it.each([
  ['types of a library', "import type { A } from 'uuid';"],
  ['zod', "import { z } from 'zod';"],
  ['a part of protobuf', "import { create } from '@bufbuild/protobuf/codegenv2';"],
  ['a leaf', "import { status } from '@samovar/errors';"],
  ['a contract, as a type', "import type { Tea } from '@samovar/tea';"],
  ['a schema', "import { Leaf, type Tea } from '@samovar/tea';"],
  ['an error class', "import { ColdError } from '@samovar/tea';"],
  ['its own files', "import { a } from './a.ts';"],
])('allows %s', (_, text) => {
  expect(breaches({ [tea]: contract, 'packages/pot/pot/src/a.ts': '', [path]: text })).toEqual([]);
});

it('allows all that in tests, and in impls', () => {
  const text = "import { Tea } from '@samovar/tea'; import 'node:fs';";
  expect(breaches({ [tea]: contract, 'packages/pot/pot/src/pot.test.ts': text })).toEqual([]);
  expect(breaches({ [tea]: contract, 'packages/pot/potimpl/src/service.ts': text })).toEqual([]);
});

it('lets a leaf use Node', () => {
  expect(breaches({ 'packages/errors/errors/src/errors.ts': "import 'node:util';" })).toEqual([]);
});
