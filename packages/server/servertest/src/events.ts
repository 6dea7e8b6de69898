import type { EventJson } from '@samovar/eda';
import type { CommitsRecorded } from '@samovar/repos';

/** The events that a server answers with, one after another; the connection is given up when the loop is left. */
export async function* eventsOf(url: string, path: string): AsyncGenerator<EventJson> {
  const response = await fetch(`${url}/v1/streams/${path}`);
  if (!response.ok || response.body === null) throw new Error(await response.text());
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as EventJson;
  }
}

/** The commits that an event records. */
export function hashesIn({ type, data }: EventJson): string[] {
  return type === 'repos.CommitsRecorded' ? (data as CommitsRecorded).commits.map(({ hash }) => hash) : [];
}

/** Every commit that a server has recorded, in the order of its log. */
export async function recordedHashes(url: string): Promise<string[]> {
  const hashes: string[] = [];
  for await (const event of eventsOf(url, 'repos.*/events')) hashes.push(...hashesIn(event));
  return hashes;
}
