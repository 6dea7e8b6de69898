import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { type EntityRef, entityKinds } from '@samovar/activity';
import { DataKind, EventSchema } from '@samovar/api/entities/v1/event';
import { HeartbeatResponseSchema } from '@samovar/api/entities/v1/leases';
import {
  RegistryEventsResponseSchema,
  RegistryWorkflowEventsResponseSchema,
  RegistryWorkflowIndexEventsResponseSchema,
} from '@samovar/api/entities/v1/registry';
import { ReposEventsResponseSchema, ReposWorkflowEventsResponseSchema } from '@samovar/api/entities/v1/repos';
import { Data, type Event, type EventId } from '@samovar/eda';
import { Uuid } from '@samovar/repos';
import { describe, expect, it } from 'vitest';
import { Batch, encodePart, joinParts } from './batch.ts';
import { checkedKey, checkedRef, kindsOf, refOf, wireKinds, wireRef } from './entity.ts';
import { decodeEvent, writeEvent } from './event.ts';
import { peersOf, wirePeers } from './peers.ts';

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

const full = eventWith({
  data: Data.string('tea'),
  time: new Date(-1),
  ackTime: new Date('9999-12-31T23:59:59.999Z'),
  schema: 'v2',
  client: 'änn \u{1F375}',
  aggregate: 'a',
  cause: '01ARZ3NDEKTSV4RRFFQ69G5FAA' as EventId,
  meta: { correlation: 'x', __proto: 'y', '': '' },
  deliveries: 3,
});

function encodeEvent(event: Event): Uint8Array {
  const writer = new BinaryWriter();
  writeEvent(writer, event);
  return writer.finish();
}

/** As generated code does it. */
function generated({ data, time, ackTime, cause, meta, ...event }: Event): Uint8Array {
  const dataKind = DataKind[data.type.toUpperCase() as keyof typeof DataKind];
  const fields = { dataKind, data: data.encode(), time: timestampFromDate(time), ackTime: timestampFromDate(ackTime) };
  return toBinary(EventSchema, create(EventSchema, { ...event, ...fields, cause: cause ?? '', meta: { ...meta } }));
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
    const event = eventWith({ data });
    expect(encodeEvent(event)).toEqual(generated(event));
    const got = decodeEvent(fromBinary(EventSchema, encodeEvent(event)));
    expect(got.data.type).toBe(data.type);
    expect(Buffer.from(got.data.encode()).equals(data.encode())).toBe(true);
    if (data.type === 'json') expect(got.data.json()).toEqual(data.json());
  });

  it('travel with all that they say', () => {
    const { is, ...got } = decodeEvent(fromBinary(EventSchema, encodeEvent(full)));
    expect({ ...got, is: full.is }).toEqual(full);
    expect([is('x', 'repos.RepoPinged'), is('x')]).toEqual([true, false]);
  });

  it.each<[string, Event]>([
    ['all fields', full],
    ['no field that may be empty', eventWith({ stream: '', id: '' as EventId, type: '' })],
    ['times of whole seconds', eventWith({ time: new Date(0), ackTime: new Date(-2_000) })],
    ['times before 1970', eventWith({ time: new Date('0001-01-01T00:00:00.001Z'), ackTime: new Date(-1_001) })],
    ['long names', eventWith({ type: 'x'.repeat(200), aggregate: 'ü'.repeat(20_000), meta: { a: 'y'.repeat(300) } })],
    ['very many deliveries', eventWith({ deliveries: 2 ** 32 - 1 })],
  ])('are written as generated code writes them: %s', (_, event) => {
    expect(encodeEvent(event)).toEqual(generated(event));
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
    const events = ['a', 'b'].map((type) => eventWith({ id: type as EventId, type }));
    const batch = new Batch(1_000);
    for (const event of events) batch.add(event);
    const response = batch.take(true);
    const { events: got, willBlock } = fromBinary(schema, response);
    expect([got.map(({ type }) => type), willBlock]).toEqual([['a', 'b'], true]);
    expect(fromBinary(schema, batch.take(false))).toMatchObject({ events: [], willBlock: false });
    expect(new Uint8Array(joinParts(events.map(encodePart), true))).toEqual(response);
  });

  it('are full when they have their bytes, and do not touch each other', () => {
    const [one, other] = [new Batch(1_000), new Batch(1_000)];
    one.add(eventWith({ type: 'one' }));
    expect([one.isEmpty, one.isFull, other.isEmpty]).toEqual([false, false, true]);
    other.add(eventWith({ type: 'other', data: Data.bytes(new Uint8Array(2 * 1024 * 1024)) }));
    expect([one.isFull, other.isFull]).toEqual([false, true]);
    const types = [other, one].map((batch) => fromBinary(ReposEventsResponseSchema, batch.take(false)).events[0]?.type);
    expect(types).toEqual(['other', 'one']);
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

describe('workers', () => {
  it('travel', () => {
    const runs = [['repo/tea', 'registry/milk'], ['repo/tea'], []];
    const peers = { self: 'worker-1', all: runs.map((runs, i) => ({ worker: `worker-${i}`, runs: new Set(runs) })) };
    const response = create(HeartbeatResponseSchema, wirePeers(peers));
    expect(peersOf(fromBinary(HeartbeatResponseSchema, toBinary(HeartbeatResponseSchema, response)))).toEqual(peers);
  });

  it.each([
    ['are not known', '', []],
    ['have no name', '', ['', 'ann']],
    ['have one name', 'ann', ['ann', 'bob', 'bob']],
    ['lack the one that is told', 'ann', ['bob']],
  ])('are told to nobody if they %s', (_, self, names) => {
    const { peers } = create(HeartbeatResponseSchema, { peers: names.map((worker) => ({ worker })) });
    expect(peersOf({ self, peers })).toBeUndefined();
  });
});
