import { expect, it } from 'vitest';
import { messages, workspaceWith } from './fixture.ts';
import { domainGraph } from './graph.ts';

it('shows domains, packages, messages, events and streams', () => {
  const text = `export const BrewTeaCommand = command('tea.BrewTeaCommand', z.object({}));
export const CountCupsQuery = query('tea.CountCupsQuery', z.object({}), z.int());
const teaStream = (id) => stream\`tea.\${id}\`; const onStream = { stream: ({ id }) => teaStream(id) };
export const TeaBrewed = event('tea.TeaBrewed', z.object({}), onStream);
export const TeaSpilt = event('tea.TeaSpilt', z.object({}));`;
  const graph = domainGraph(workspaceWith(messages(text)));
  expect(graph).toMatch(/^flowchart LR\n/);
  expect(graph).toContain(`
  subgraph domain_tea ["tea"]
    package_tea["tea"]
    package_teaimpl["teaimpl"]
    package_teatest["teatest"]
    tea_BrewTeaCommand[/"BrewTeaCommand"/]
    tea_CountCupsQuery{{"CountCupsQuery"}}
    tea_TeaBrewed(["TeaBrewed"])
    tea_TeaSpilt(["TeaSpilt"])
    tea_stream0[("tea.*")]
    tea_TeaBrewed --> tea_stream0
  end
`);
  expect(graph).toContain('  domain_pot -.-> domain_tea');
  expect(graph).not.toContain('domain_tea -.-> domain_pot');
});

it.each([
  ['() => "all"', 'all'],
  [`({ id }) => \`tea.\${id}.cups\``, 'tea.*.cups'],
  ['({ id }) => elsewhere(id)', '*'],
  ['(data) => { return data.id; }', '*'],
])('names the stream of %s', (stream, name) => {
  const text = `export const TeaBrewed = event('tea.TeaBrewed', z.object({}), { ...{ stream: ${stream} }, version: 1 });`;
  expect(domainGraph(workspaceWith(messages(text)))).toContain(`tea_stream0[("${name}")]`);
});
