import type { Context } from '@samovar/context';
import { type Conn, eventToJson } from '@samovar/eda';

/** Prints the events of a selector as lines of JSON; with `follow`, also those to come, until `ctx` is done. */
export async function stdout(
  ctx: Context,
  conn: Conn,
  print: (line: string) => void,
  { selector, follow }: { readonly selector: string; readonly follow: boolean },
): Promise<void> {
  for await (const event of conn.read(ctx, selector, { watch: follow })) print(JSON.stringify(eventToJson(event)));
}
