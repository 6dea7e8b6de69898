import { isDeepStrictEqual } from 'node:util';
import { type ActivityKey, entityStream, type Peer, type Peers } from '@samovar/activity';
import { runOf } from './peersnews.ts';

/**
 * Which activities are at home with this worker: each is with one of the workers that run its like, the same for all who
 * know the same workers. By rendezvous hashing (Thaler and Ravishankar, 1998): a worker that comes takes its share evenly
 * from the others, one that goes leaves its own to them, and nothing else moves.
 */
export class Homes {
  #self = 0;
  /** The others that run something, by what they run. */
  #others = new Map<string, readonly number[]>();

  /** Whether that changes what is at home where. */
  learn({ self, all }: Peers): boolean {
    const [own, others] = [hashOf(self), rivals(all.filter(({ worker }) => worker !== self))];
    const isNews = own !== this.#self || !isDeepStrictEqual(others, this.#others);
    this.#self = own;
    this.#others = others;
    return isNews;
  }

  /** As long as no others are known: all. */
  has(activity: ActivityKey): boolean {
    const others = this.#others.get(runOf(activity));
    if (others === undefined) return true;
    const key = hashOf(`${entityStream(activity.entity)}/${activity.name}`);
    const own = mixed(key, this.#self);
    return others.every((other) => mixed(key, other) <= own);
  }
}

function rivals(workers: readonly Peer[]): Map<string, readonly number[]> {
  const running = workers.flatMap(({ worker, runs }) => [...runs].map((run) => ({ run, hash: hashOf(worker) })));
  const ofRun = Map.groupBy(running, ({ run }) => run);
  return new Map([...ofRun].map(([run, workers]) => [run, workers.map(({ hash }) => hash)]));
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** The finalizer of MurmurHash3 over both. */
function mixed(key: number, worker: number): number {
  let hash = key ^ worker;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
