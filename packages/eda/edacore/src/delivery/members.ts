import type { Member } from './member.ts';

/** The members in turn. */
export class Members {
  readonly #list: Member[] = [];
  #turn = 0;

  get any(): boolean {
    return this.#list.length > 0;
  }

  /** The member that has been there longest. */
  get first(): Member | undefined {
    return this.#list[0];
  }

  add(member: Member): void {
    this.#list.push(member);
  }

  remove(member: Member): void {
    const at = this.#list.indexOf(member);
    if (at >= 0) this.#list.splice(at, 1);
  }

  clear(): void {
    this.#list.length = 0;
  }

  /** Whose turn it is; one whose handlers hang gets no more than its share of the handlers allowed in all. */
  next(concurrency: number): Member {
    const count = this.#list.length;
    const share = Math.ceil(concurrency / count);
    let member = this.#list[this.#turn % count] as Member;
    for (let tried = 1; tried < count && member.inFlight >= share; tried++) {
      member = this.#list[++this.#turn % count] as Member;
    }
    this.#turn = (this.#turn + 1) % count;
    return member;
  }
}
