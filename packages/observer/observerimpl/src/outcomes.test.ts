import { completed, type EntityRef, endOfStream, type Outcome, type Tail } from '@samovar/activity';
import { FakeEntityEvents } from '@samovar/activitytest';
import { background as ctx } from '@samovar/context';
import type { Event } from '@samovar/eda';
import { beforeEach, describe, expect, it } from 'vitest';
import { eachEvent, eachTime } from './outcomes.ts';

const entity: EntityRef = { kind: 'registry', registry: 'main' };
const fault = new Error('no connection');
const failed = (tail: Tail | undefined): Outcome => ({ kind: 'retry', tail: tail ?? null, error: fault });

let events: FakeEntityEvents;
let ids: Tail[];
beforeEach(() => {
  events = new FakeEntityEvents();
  ids = append('a', 'b', 'c');
});

const append = (...types: readonly string[]) => events.append(entity, ...types.map((type) => ({ type })));
const open = (watch: boolean, after: Tail = null) => events.open(ctx, entity, { after, watch });

describe('eachEvent', () => {
  const handled: string[] = [];
  beforeEach(() => handled.splice(0));
  const handle = async ({ type }: Event) => {
    if (type === 'bad') throw fault;
    handled.push(type);
  };

  it.each([true, false])('handles what there is, and lets the tail be stored; waiting streams: %s', async (watch) => {
    expect(await eachEvent(null, open(watch), handle)).toEqual(endOfStream(ids[2] ?? null));
    expect(handled).toEqual(['a', 'b', 'c']);
  });

  it('waits for the next event where there is none', async () => {
    const outcome = eachEvent(ids[2] ?? null, open(true, ids[2]), handle);
    const [next] = append('d');
    expect(await outcome).toEqual(endOfStream(next ?? null));
    expect(await eachEvent(next ?? null, open(false, next), handle)).toEqual(endOfStream(next ?? null));
    expect(handled).toEqual(['d']);
  });

  it('begins anew at the event that could not be handled', async () => {
    const [last] = append('d', 'bad', 'e');
    expect(await eachEvent(null, open(false), handle)).toEqual(failed(last));
  });
});

describe('eachTime', () => {
  it.each([true, false])(
    'acts once for all there is, and is through when that says so; waiting streams: %s',
    async (watch) => {
      let acts = 0;
      const act = async () => ++acts === 1;
      expect(await eachTime(null, open(watch), act)).toEqual(completed(ids[2] ?? null));
    },
  );

  it('acts again for each event that comes', async () => {
    let acts = 0;
    const outcome = eachTime(null, open(true), async () => {
      acts++;
      if (acts === 1) append('d');
      return acts === 2;
    });
    expect(await outcome).toMatchObject({ kind: 'completed' });
    expect(await eachTime(null, open(false), async () => false)).toMatchObject({ kind: 'endOfStream' });
  });

  it('leaves no event behind that it has not acted for', async () => {
    const act = () => Promise.reject(fault);
    expect(await eachTime(null, open(false), act)).toEqual(failed(null));
    expect(await eachTime(ids[0] ?? null, open(false, ids[0]), act)).toEqual(failed(ids[0]));
  });
});
