import { fromBinary } from '@bufbuild/protobuf';
import { type EntityRef, entityKinds } from '@samovar/activity';
import { EventSchema } from '@samovar/api/entities/v1/event';
import {
  RegistryEventsResponseSchema,
  RegistryWorkflowEventsResponseSchema,
  RegistryWorkflowIndexEventsResponseSchema,
} from '@samovar/api/entities/v1/registry';
import { ReposEventsResponseSchema, ReposWorkflowEventsResponseSchema } from '@samovar/api/entities/v1/repos';
import { Data, type Event, type EventId } from '@samovar/eda';
import { Uuid } from '@samovar/repos';
import { describe, expect, it, vi } from 'vitest';
import { Batch, EncodedEvents } from './batch.ts';
import { checkedKey, checkedRef, kindsOf, refOf, wireKinds, wireRef } from './entity.ts';
import { decodeEvent, encodeEvent } from './event.ts';

const id = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-112233445566');
const entities: readonly EntityRef[] = [
  { kind: 'registry', registry: 'main' },
  { kind: 'registryWorkflowIndex', registry: 'main' },
  { kind: 'registryWorkflow', registry: 'main', workflowId: id },
  { kind: 'repo', repoId: id },
  { kind: 'repoWorkflow', repoId: id, workflowId: id },
];

function eventWith(fields: Partial<Event>): Event {
  return {
    stream: `repos.${id}`,
    id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' as EventId,
    type: 'repos.RepoPinged',
    data: Data.nil,
    time: new Date(1_700_000_000_123),
    ackTime: new Date(1_700_000_000_456),
    schema: '',
    client: '',
    aggregate: '',
    cause: null,
    meta: {},
    deliveries: 0,
    is: () => false,
    ...fields,
  };
}

describe('events', () => {
  it.each<[string, Data]>([
    ['no payload', Data.nil],
    ['JSON', Data.json({ a: [1, null, 'ü\u{1F4D6}'] })],
    ['JSON null', Data.json(null)],
    ['a string', Data.string('tea \u{1F375}')],
    ['an empty string', Data.string('')],
    ['bytes', Data.bytes(Uint8Array.from([0, 255, 10]))],
    ['no bytes', Data.bytes(new Uint8Array())],
    ['a message', Data.proto(EventSchema, fromBinary(EventSchema, encodeEvent(eventWith({}))))],
    ['a megabyte', Data.bytes(new Uint8Array(1024 * 1024).fill(7))],
  ])('travel with %s', (_, data) => {
    const got = decodeEvent(fromBinary(EventSchema, encodeEvent(eventWith({ data }))));
    expect(got.data.type).toBe(data.type);
    expect(Buffer.from(got.data.encode()).equals(data.encode())).toBe(true);
    if (data.type === 'json') expect(got.data.json()).toEqual(data.json());
  });

  it('travel with all that they say', () => {
    const event = eventWith({
      time: new Date(-1),
      ackTime: new Date('9999-12-31T23:59:59.999Z'),
      schema: 'v2',
      client: 'ann',
      aggregate: 'a',
      cause: '01ARZ3NDEKTSV4RRFFQ69G5FAA' as EventId,
      meta: { correlation: 'x', __proto: 'y' },
      deliveries: 3,
    });
    const { is, ...got } = decodeEvent(fromBinary(EventSchema, encodeEvent(event)));
    expect({ ...got, is: event.is }).toEqual(event);
    expect([is('x', 'repos.RepoPinged'), is('x')]).toEqual([true, false]);
  });
});

describe('batches', () => {
  it.each([
    RegistryEventsResponseSchema,
    RegistryWorkflowIndexEventsResponseSchema,
    RegistryWorkflowEventsResponseSchema,
    ReposEventsResponseSchema,
    ReposWorkflowEventsResponseSchema,
  ])('are a response of each service: $typeName', (schema) => {
    const encoded = new EncodedEvents(10_000);
    const batch = new Batch(1_000);
    for (const type of ['a', 'b']) batch.add(encoded.get(eventWith({ id: type as EventId, type })));
    const { events, willBlock } = fromBinary(schema, batch.take(true));
    expect([events.map(({ type }) => type), willBlock]).toEqual([['a', 'b'], true]);
    expect(fromBinary(schema, batch.take(false))).toMatchObject({ events: [], willBlock: false });
  });

  it('encode an event once, while it is among the last', () => {
    const encoded = new EncodedEvents(1_000);
    const data = Data.string('x'.repeat(200));
    const encode = vi.spyOn(data, 'encode');
    const event = (n: number) => eventWith({ id: `${n}` as EventId, data });
    expect(encoded.get(event(1))).toBe(encoded.get(event(1)));
    expect(encode).toHaveBeenCalledTimes(1);
    for (let n = 2; n < 10; n++) encoded.get(event(n));
    encoded.get(event(1));
    expect(encode).toHaveBeenCalledTimes(10);
  });
});

describe('entities', () => {
  it.each(entities)('of kind $kind travel', (entity) => {
    expect(refOf(wireRef(entity))).toEqual(entity);
    expect(checkedRef(wireRef(entity))).toEqual(entity);
  });

  it('of all kinds are there', () => {
    expect(kindsOf([...wireKinds(entityKinds), ...wireKinds(entityKinds)])).toEqual(entityKinds);
    expect(() => kindsOf([1, 99])).toThrow('kinds has 99');
  });

  it.each([
    ['no entity', undefined],
    ['no kind', { kind: 0 as const, registry: '', repoId: '', workflowId: '' }],
    ['a name with another token', { kind: 1 as const, registry: 'a.b', repoId: '', workflowId: '' }],
    ['a pattern', { kind: 1 as const, registry: '*', repoId: '', workflowId: '' }],
    ['no UUID', { kind: 4 as const, registry: '', repoId: '>', workflowId: '' }],
    ['a UUID in upper case', { kind: 4 as const, registry: '', repoId: id.toUpperCase(), workflowId: '' }],
    ['no workflow', { kind: 5 as const, registry: '', repoId: id, workflowId: '' }],
  ])('are refused that have %s', (_, wire) => {
    expect(() => checkedRef(wire)).toThrow(expect.objectContaining({ id: 'activity.invalidArgument' }));
  });

  it.each(['', 'a/b', 'x'.repeat(101)])('have no activity %j', (name) => {
    const activity = {
      $typeName: 'samovar.entities.v1.Activity' as const,
      name,
      entity: wireRef(entities[0] as EntityRef),
    };
    expect(() => checkedKey(activity)).toThrow(expect.objectContaining({ id: 'activity.invalidArgument' }));
  });
});
