import { type Context, throwIfDone } from '@samovar/context';

export function isDone(ctx: Context): boolean {
  try {
    throwIfDone(ctx);
    return false;
  } catch {
    return true;
  }
}
