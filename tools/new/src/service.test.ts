import { describe, expect, it } from 'vitest';
import { type Files, readFiles, tea, writeFiles } from './fixture.ts';
import { Refusal } from './refusal.ts';
import { planService, type ServiceRequest } from './service.ts';

const plan = (request: Partial<ServiceRequest> = {}, files: Files = {}) =>
  planService(writeFiles({ ...tea, ...files }), {
    name: 'pot',
    depends: [],
    store: 'none',
    event: undefined,
    ...request,
  });

describe('planService', () => {
  it('makes three packages, adds the module, and writes nothing', async () => {
    const root = writeFiles(tea);
    const { created, edited } = await planService(root, {
      name: 'pot',
      depends: ['tea'],
      store: 'sql',
      event: undefined,
    });
    expect(readFiles(root)).toEqual(tea);
    expect([...created.keys()].filter((path) => path.includes('/src/'))).toEqual([
      'packages/pot/pot/src/pot.ts',
      'packages/pot/potimpl/src/migrations.ts',
      'packages/pot/potimpl/src/module.int.test.ts',
      'packages/pot/potimpl/src/module.ts',
      'packages/pot/potimpl/src/service.int.test.ts',
      'packages/pot/potimpl/src/service.ts',
      'packages/pot/potimpl/src/store.ts',
      'packages/pot/pottest/src/contract.ts',
      'packages/pot/pottest/src/fake.test.ts',
      'packages/pot/pottest/src/fake.ts',
    ]);
    expect(edited.get('packages/server/samovar/src/modules.ts')).toContain('[teaModule,\npotModule, apiModule(');
    const { dependencies } = JSON.parse(edited.get('packages/server/samovar/package.json') ?? '');
    expect(Object.keys(dependencies)).toEqual([
      '@samovar/bus',
      '@samovar/context',
      '@samovar/db',
      '@samovar/pot',
      '@samovar/potimpl',
      '@samovar/server',
      '@samovar/tea',
    ]);
  });

  it('leaves nothing of the templates to be seen', async () => {
    for (const store of ['sql', 'events', 'none']) {
      const { created } = await plan({ store, depends: ['tea'] });
      for (const [path, text] of created) expect(path + text).not.toMatch(/\{\{|\}\}|&[a-z#]+;|\[object/);
    }
  });

  it('names the event as it is asked to', async () => {
    const { created } = await plan({ event: 'PotFilled' });
    expect(created.get('packages/pot/pot/src/pot.ts')).toContain("event('pot.PotFilled', PotItem)");
  });

  it('calls things by one of what the service is called after', async () => {
    const { created } = await plan({ name: 'batteries' });
    const root = created.get('packages/batteries/batteries/src/batteries.ts');
    expect(root).toContain("command('batteries.AddBatteryCommand', Battery)");
    expect(root).toContain('export abstract class Batteries {');
  });

  it('gives a double what it needs, once', async () => {
    const { created } = await plan(
      { depends: ['cup', 'tea'] },
      {
        'packages/cup/cup/package.json': '{ "name": "@samovar/cup" }',
        'packages/cup/cup/src/cup.ts': 'export abstract class Cup {}',
        'packages/cup/cuptest/src/fake.ts':
          "import type { Tea } from '@samovar/tea'; export class FakeCup implements Cup { constructor(bus: Bus, tea: Tea) {} }",
        'packages/cup/cupimpl/package.json': '{ "name": "@samovar/cupimpl" }',
        'packages/server/samovar/src/modules.ts': `import '@samovar/cupimpl';\n${tea['packages/server/samovar/src/modules.ts']}`,
      },
    );
    const text = created.get('packages/pot/potimpl/src/service.test.ts');
    expect(text).toContain(
      `const tea = new FakeTea(bus);\n  const cup = new FakeCup(bus, tea);\n  const pot = new PotService(bus, cup, tea);`,
    );
  });

  it.each<[string, Partial<ServiceRequest>, Files, string]>([
    ['a name that is taken', { name: 'tea' }, {}, "'tea' is taken"],
    [
      'an unknown store',
      { store: 'sqll' },
      {},
      "there is no store 'sqll'; did you mean sql? There are: events, none, sql",
    ],
    [
      'an unknown dependency',
      { depends: ['tee'] },
      {},
      "there is no domain 'tee' to depend on; did you mean tea? There are: tea",
    ],
    ['a dependency without contract', { depends: ['server'] }, {}, "'server' has no contract to depend on"],
    ['the bus', { depends: ['bus'] }, { 'packages/bus/bus/package.json': '{}' }, "leave 'bus' out"],
    ['an event in the present', { event: 'FillPot' }, {}, 'is not in the past tense'],
    [
      'no modules()',
      {},
      { 'packages/server/samovar/src/modules.ts': "import '@samovar/teaimpl';" },
      'has no function modules()',
    ],
    [
      'a dependency that is not served',
      { depends: ['tea'] },
      { 'packages/server/samovar/src/modules.ts': '' },
      "'tea' is not served",
    ],
    [
      'a dependency without double',
      { depends: ['tea'] },
      { 'packages/tea/teatest/src/fake.ts': '' },
      "'tea' has no double",
    ],
    [
      'a double that wants more than contracts',
      { depends: ['tea'] },
      { 'packages/tea/teatest/src/fake.ts': 'export class FakeTea implements Tea { constructor(cups: number) {} }' },
      'FakeTea of @samovar/teatest wants more than the bus and contracts',
    ],
  ])('refuses %s', async (_, request, files, why) => {
    await expect(plan(request, files)).rejects.toThrow(Refusal);
    await expect(plan(request, files)).rejects.toThrow(why);
  });
});
