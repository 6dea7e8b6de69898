import type { Data } from './data.ts';
import type { EventId } from './eventid.ts';

/** An event to publish. */
export interface NewEvent {
  /** What happened, such as `stickers.StickersSent`: 1 to 255 characters, no control characters. */
  readonly type: string;
  /** Default: no payload. */
  readonly data?: Data;
  /** When it happened; any time, also one long past. Default: now. */
  readonly time?: Date;
  /** Which shape the payload has. Default: ''. */
  readonly schema?: string;
  /** The event that led to this one. Default: the one whose handler is publishing, else none. */
  readonly cause?: EventId;
  /** The thing it happened to. Default: ''. */
  readonly aggregate?: string;
  /**
   * Further facts: at most 16,384 characters as JSON, no control characters in their names. Default: none. What is published while an event is being handled
   * gets `correlation`, unless it sets that: the handled event's own, or its id where it has none.
   */
  readonly meta?: Readonly<Record<string, string>>;
}

/** An event of the log. */
export interface Event {
  readonly stream: string;
  readonly id: EventId;
  readonly type: string;
  readonly data: Data;
  /** When it happened, as the publisher says. */
  readonly time: Date;
  /** When the log accepted it. */
  readonly ackTime: Date;
  /** '' where unset; likewise `client` and `aggregate`. */
  readonly schema: string;
  /** The name the publisher connected with. */
  readonly client: string;
  readonly aggregate: string;
  /** The event that led to this one. */
  readonly cause: EventId | null;
  readonly meta: Readonly<Record<string, string>>;
  /** 0 when read, 1 on first delivery to a subscription; a lower bound after a crash. */
  readonly deliveries: number;
  /** Whether its type is one of these. */
  is(...types: readonly string[]): boolean;
}
