import { ListActivitiesQuery } from '@samovar/activity';
import type { Bus } from '@samovar/bus';
import type { Initializer } from '@samovar/server';
import type { Reports } from './reports.ts';

/** Answers every query of the root on the bus. */
export class ActivityHandlers implements Initializer {
  readonly #bus: Bus;
  readonly #reports: Reports;

  constructor(bus: Bus, reports: Reports) {
    this.#bus = bus;
    this.#reports = reports;
  }

  init(): void {
    this.#bus.addHandler(ListActivitiesQuery, (ctx, query) => this.#reports.listActivities(ctx, query));
  }
}
