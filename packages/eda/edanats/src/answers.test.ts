import type { Msg } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { Answers } from './answers.ts';

/** Counts how often what a server says is read as JSON. */
function reading() {
  const answers = new Answers();
  let parsed = 0;
  const read = (text: string) => {
    const json = () => {
      parsed++;
      return JSON.parse(text);
    };
    return answers.read({ data: Buffer.from(text), string: () => text, json } as Partial<Msg> as Msg);
  };
  return { read, parsed: () => parsed };
}

it.each(['{"stream":"log","seq":', '{"stream":"log", "seq":'])('reads positions behind %s', (beginning) => {
  const { read, parsed } = reading();
  for (const seq of [7, 8, 10, 123_456_789_012_345]) expect(read(`${beginning}${seq}}`).seq).toBe(seq);
  expect(parsed()).toBe(1);
});

it('reads whatever else there is as JSON', () => {
  const { read, parsed } = reading();
  const others = [
    '{"stream":"log","seq":7,"duplicate": true}',
    '{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 2"},"stream":"log","seq":0}',
    '{"stream":"log","domain":"hub","seq":9}',
    '{"stream":"log","seq":7, "domain":"hub"}',
    '{"stream":"other","seq":7}',
    '{"stream":"log","seq":7}',
  ];
  for (const text of [...others, ...others]) expect(read(text)).toMatchObject(JSON.parse(text));
  expect(parsed()).toBeGreaterThanOrEqual(2 * 4);
});

it('refuses what is cut off', () => {
  const { read } = reading();
  expect(read('{"stream":"log","seq":77}').seq).toBe(77);
  for (const text of ['', '{"stream":"log","seq":', '{"stream":"log","seq":7', '{"stream":"log","seq":}']) {
    expect(() => read(text)).toThrow(SyntaxError);
  }
});
