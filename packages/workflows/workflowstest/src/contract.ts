import { afterEach, beforeEach, describe } from 'vitest';
import { beginContract } from './contract/beginning.ts';
import { deleteContract } from './contract/deleting.ts';
import { answerForNeighbours, type WorkflowsUnderTest } from './contract/neighbours.ts';
import { refusalContract } from './contract/refusals.ts';
import { stepContract } from './contract/steps.ts';

export type { WorkflowsUnderTest } from './contract/neighbours.ts';

/** The promises of Workflows, as a vitest suite. `start` makes what each test works on. */
export function workflowsContract(name: string, start: () => Promise<WorkflowsUnderTest>): void {
  describe(`${name} as Workflows`, () => {
    let current: WorkflowsUnderTest;
    let archiveRepo: ReturnType<typeof answerForNeighbours>;
    beforeEach(async () => {
      current = await start();
      archiveRepo = answerForNeighbours(current.bus);
    });
    afterEach(() => current[Symbol.asyncDispose]());
    const underTest = () => current;
    describe('begin', () => beginContract(underTest, (repoId) => archiveRepo(repoId)));
    describe('the work', () => stepContract(underTest));
    describe('delete', () => deleteContract(underTest));
    describe('refusals', () => refusalContract(underTest));
  });
}
