import type { Msg } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { pulledOf } from './puller.ts';

const data = new Uint8Array(3);
const read = (reply: string) => pulledOf({ reply, data } as Partial<Msg> as Msg, '.ACK.c.');

it.each([
  '$JS.ACK.ACK.c.1.12.3.1795293689665999999.450',
  '$JS.ACK.hub.ACCOUNT.ACK.c.1.12.3.1795293689665999999.450.random',
])('reads %s', (reply) => {
  expect(read(reply)).toMatchObject({ position: 12, count: 3, stored: 1_795_293_689_665, pending: 450, data });
});

it('tells messages from what a server says itself', () => {
  expect(['', '_INBOX.1', '$JS.ACK.ACK.other.1.12.3.1795293689665999999.450'].map(read)).toEqual(
    Array(3).fill(undefined),
  );
});
