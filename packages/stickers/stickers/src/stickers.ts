import type { Context } from '@samovar/context';
import { stream } from '@samovar/eda';
import { type ArgsOf, command, event, query } from '@samovar/message';
import { z } from 'zod';

/** Names a user: 1 to 80 bytes of UTF-8, which the name of a stream has room for; no control characters. */
export const UserId = z
  .string()
  .min(1)
  .max(80)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'has control characters, or half of a character')
  .refine((id) => new TextEncoder().encode(id).length <= 80, 'has more than 80 bytes');

/** The name of the stream of what a user was sent. */
export function stickersOf(userId: string): string {
  return stream`stickers.${userId}`;
}

/** Sends a user some stickers. */
export const SendStickersCommand = command(
  'stickers.SendStickersCommand',
  z.object({ userId: UserId, count: z.int().min(1).max(1_000) }),
);
export type SendStickersCommand = ArgsOf<typeof SendStickersCommand>;

/** Durable: a user's are on the stream {@link stickersOf} gives, in the order in which they were sent. */
export const StickersSent = event('stickers.StickersSent', z.object({ userId: UserId, count: z.int().positive() }), {
  stream: ({ userId }) => stickersOf(userId),
});
export type StickersSent = ArgsOf<typeof StickersSent>;

/** How many stickers a user has got. */
export const GetStickerCountQuery = query(
  'stickers.GetStickerCountQuery',
  z.object({
    userId: UserId,
    /** Waits until everything that was sent before this query counts; otherwise the latest may still be missing. */
    fresh: z.boolean().default(false),
  }),
  z.int().nonnegative(),
);
export type GetStickerCountQuery = ArgsOf<typeof GetStickerCountQuery>;

/** Stickers for users. */
export abstract class Stickers {
  /**
   * Publishes {@link StickersSent}: listeners act in the same transaction, and if one fails, nothing is sent. Sent in a
   * transaction of the caller, they count when that is committed.
   *
   * @throws {InvalidMessageError} @throws whatever a listener throws.
   */
  abstract sendStickers(ctx: Context, command: SendStickersCommand): Promise<void>;

  /**
   * Zero for a user nobody has sent any. To be fresh, it waits for as long as `ctx` lasts.
   *
   * @throws {InvalidMessageError} @throws {FlushInTransactionError} if `ctx` carries an open transaction, to be fresh.
   * @throws {ClosedError} if the server stops before it is fresh. @throws {CanceledError} @throws {DeadlineExceededError}
   */
  abstract getStickerCount(ctx: Context, query: GetStickerCountQuery): Promise<number>;
}
