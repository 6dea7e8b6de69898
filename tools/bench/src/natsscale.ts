import { natsLacking } from '@samovar/edatest/nats';
import { type Effort, part, short, table } from './measure.ts';
import { setting, startServer } from './natsraw.ts';
import { fill, held, used } from './scale.ts';

/** What 200,000 streams on one JetStream server cost next to 1,000 on another. Minutes. */
export async function natsScale(effort: Effort): Promise<string> {
  const lacking = natsLacking();
  if (lacking !== undefined) return `Not measured: ${lacking}`;
  const counts = [part(effort, 1000), part(effort, 200_000)] as const;
  const events = part(effort, 400_000, counts[1]);
  await using few = await startServer();
  await using many = await startServer();
  await fill(few.url, counts[0], events);
  await fill(many.url, counts[1], events);
  const rows = await used(few.url, many.url, counts, effort);
  const asked = part(effort, 200_000);
  for (const [{ url }, count] of [[few, counts[0]] as const, [many, counts[1]] as const]) {
    rows.push([
      `heap after ${short(asked)} heads and all events, MB`,
      short(count),
      `${short(await held(url, count, asked))} | `,
      '',
    ]);
  }
  const notes = `${await setting()}\n\n${short(events)} events in each log at first. Streams are picked at random.`;
  return `${notes}\n\n${table(['what', 'streams', 'median | min–max', '× the cost'], rows)}`;
}
