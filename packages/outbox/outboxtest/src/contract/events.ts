import { background } from '@samovar/context';
import { type Conn, Data, type Event, type NewEvent } from '@samovar/eda';

/** An event that tells its number. */
export function numbered(n: number): NewEvent {
  return { type: 'tea.CupPoured', data: Data.json(n) };
}

export async function readAll(conn: Conn, selector = '>'): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of conn.read(background, selector)) events.push(event);
  return events;
}

/** The numbers of a stream's events. */
export async function numbers(conn: Conn, stream: string): Promise<number[]> {
  return (await readAll(conn, stream)).map(({ data }) => data.json<number>());
}
