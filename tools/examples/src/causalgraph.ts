import type { Context } from '@samovar/context';
import type { Conn } from '@samovar/eda';

/**
 * Prints the events of a selector as a graph in DOT, an arrow leading from each to what it caused. A row of an outbox
 * that was a cause before it had an id is found by `meta.causeOutbox`.
 */
export async function causalGraph(
  ctx: Context,
  conn: Conn,
  print: (line: string) => void,
  { selector }: { readonly selector: string },
): Promise<void> {
  const byRow = new Map<string, string>();
  const waiting: { readonly row: string; readonly id: string }[] = [];
  print('digraph events {');
  for await (const { id, type, stream, cause, meta } of conn.read(ctx, selector)) {
    print(`  "${id}" [label=${JSON.stringify(`${type}\n${stream}`)}];`);
    if (cause !== null) print(`  "${cause}" -> "${id}";`);
    if (meta.outbox !== undefined) byRow.set(meta.outbox, id);
    if (meta.causeOutbox !== undefined) waiting.push({ row: meta.causeOutbox, id });
  }
  // A cause may be on a stream that its effect's has overtaken.
  for (const { row, id } of waiting) {
    const from = byRow.get(row);
    if (from !== undefined) print(`  "${from}" -> "${id}";`);
  }
  print('}');
}
