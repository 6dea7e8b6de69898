import { type ActivityReport, ListActivitiesQuery } from '@samovar/activity';
import type { CommandType, QueryType } from '@samovar/message';
import type { Uuid } from '@samovar/repos';
import { BeginWorkflowCommand, GetWorkflowQuery } from '@samovar/workflows';
import { expect, vi } from 'vitest';
import type { SamovarCommand } from './command.ts';

export const eventually = { timeout: 15_000, interval: 50 };

/** What a user of a server's HTTP API sees. Disposal kills the server. */
export class Client implements AsyncDisposable {
  readonly samovar: SamovarCommand;

  constructor(samovar: SamovarCommand) {
    this.samovar = samovar;
  }

  async call<A, R>(message: CommandType<A, R> | QueryType<A, R>, args: A): Promise<R> {
    const response = await fetch(`${await this.samovar.url()}/v1/${message.name.replace('.', '/')}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(args),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return (text === '' ? undefined : JSON.parse(text)) as R;
  }

  begin(workflowId: Uuid, work: BeginWorkflowCommand['work']) {
    return this.call(BeginWorkflowCommand, { registry: 'main', workflowId, work });
  }

  workflow(workflowId: Uuid) {
    return this.call(GetWorkflowQuery, { registry: 'main', workflowId });
  }

  /** Resolves when the workflow has finished. */
  async finished(workflowId: Uuid, options = eventually) {
    return await vi.waitFor(async () => {
      const workflow = await this.workflow(workflowId);
      expect(workflow).toMatchObject({ state: 'finished' });
      return workflow;
    }, options);
  }

  async activities(): Promise<ActivityReport[]> {
    return (await this.call(ListActivitiesQuery, { limit: 1_000 })).activities;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.samovar[Symbol.asyncDispose]();
  }
}
