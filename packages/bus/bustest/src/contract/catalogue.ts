import type { Bus } from '@samovar/bus';
import { describe, expect, it } from 'vitest';
import { BoilWaterCommand, below, GetTeaQuery, here, TeaOrdered, TeaServed } from './messages.ts';

export function catalogueContract(makeBus: () => Bus): void {
  describe('catalogue', () => {
    it('is empty at first', () => {
      expect(makeBus().catalogue()).toEqual([]);
    });

    it('tells by name what is handled where, and who listens in which order', () => {
      const bus = makeBus();
      const place = here();
      bus.addEventListener(TeaServed, () => {});
      bus.addEventListener(TeaOrdered, () => {});
      bus.addHandler(GetTeaQuery, () => ({ kind: 'green' }));
      bus.addEventListener(TeaServed, () => {});
      bus.addHandler(BoilWaterCommand, () => {});
      const at = (line: number) => expect.stringMatching(new RegExp(`${below(place, line)}:\\d+$`));
      expect(bus.catalogue()).toEqual([
        { message: BoilWaterCommand, handledAt: at(5) },
        { message: GetTeaQuery, handledAt: at(3) },
        { message: TeaOrdered, listenersAt: [at(2)] },
        { message: TeaServed, listenersAt: [at(1), at(4)] },
      ]);
    });

    it('is of the moment it was asked for', () => {
      const bus = makeBus();
      const handler = bus.addHandler(GetTeaQuery, () => ({ kind: 'green' }));
      const listeners = [1, 2].map(() => bus.addEventListener(TeaServed, () => {}));
      const before = bus.catalogue();
      handler[Symbol.dispose]();
      listeners[0]?.[Symbol.dispose]();
      expect(bus.catalogue()).toEqual([{ message: TeaServed, listenersAt: [expect.any(String)] }]);
      listeners[1]?.[Symbol.dispose]();
      expect(bus.catalogue()).toEqual([]);
      expect(before).toHaveLength(2);
      expect(before[1]).toMatchObject({ listenersAt: [expect.any(String), expect.any(String)] });
    });
  });
}
