import { type ActivityKey, entityStream } from '@samovar/activity';

/**
 * The key of an activity in the bucket: its stream, and its name as one more token. What a key may not hold, or would end
 * a token, is written as `=` and two hexadecimal digits for each byte, as streams do it with `~`; so different activities
 * have different keys.
 */
export function keyOf({ entity, name }: ActivityKey): string {
  const token = name.replace(/[^A-Za-z0-9_-]+/gu, (run) =>
    Buffer.from(run).toString('hex').toUpperCase().replace(/../g, '=$&'),
  );
  return `${entityStream(entity).replaceAll('~', '=')}.${token}`;
}
