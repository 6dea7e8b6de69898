import { Data, dataOf, stream } from '@samovar/eda';
import { event } from '@samovar/message';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { eventOf } from './edatest.ts';

const TeaPoured = event('tea.TeaPoured', z.object({ cup: z.string(), at: z.coerce.date<Date | string>() }), {
  stream: ({ cup }) => stream`tea.${cup}`,
  version: 2,
  upcast: { 1: (old) => old },
});
const TeaCooled = event('tea.TeaCooled', z.object({}));

it('makes an event as a log hands it over', () => {
  const at = new Date(0);
  const first = eventOf(TeaPoured, { cup: 'a b', at });
  const second = eventOf(TeaCooled, {});
  expect(first).toMatchObject({ stream: 'tea.a~20b', type: 'tea.TeaPoured', schema: '2', deliveries: 1, cause: null });
  expect(first.data.json()).toEqual({ cup: 'a b', at: at.toISOString() });
  expect(dataOf(TeaPoured, first)).toEqual({ cup: 'a b', at });
  expect([first.is('x', TeaPoured.name), first.is(TeaCooled.name), second.stream]).toEqual([true, false, 'test']);
  expect(second.id > first.id).toBe(true);
});

it('takes what is given', () => {
  const { id } = eventOf(TeaCooled, {});
  const given = { id, stream: 's', type: 't', data: Data.string('x'), deliveries: 3, cause: id, meta: { a: 'b' } };
  expect(eventOf(TeaCooled, {}, given)).toMatchObject(given);
  expect(eventOf(TeaCooled, {}, given).is('t')).toBe(true);
});
