import { join } from 'node:path';
import { Child } from './child.ts';
import { eventStream } from './grpcstream.ts';
import { watchers } from './grpcwatch.ts';
import { type Effort, part } from './measure.ts';
import { temporaryFolder } from './temporary.ts';

const server = new URL('./grpcserver.ts', import.meta.url);

/** The gRPC face next to what grpc-js does by itself; servers are processes of their own. */
export async function grpc(effort: Effort): Promise<string> {
  const events = part(effort, 100_000, 100);
  await using folder = await temporaryFolder();
  let files = 0;
  const startSamovar = (count: number) =>
    Child.start(server, ['samovar', join(folder.path, `events-${files++}.db`), String(count)]);
  await using samovar = await startSamovar(events);
  const startRaw = () => Child.start(server, ['raw', samovar.url]);
  const stream = async () => {
    await using raw = await startRaw();
    return await eventStream(raw, samovar, events, effort);
  };
  return `${await stream()}\n\n${await watchers(startRaw, () => startSamovar(0), effort)}`;
}
