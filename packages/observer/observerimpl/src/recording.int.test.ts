import { Engines, EntityEvents } from '@samovar/activity';
import { connEntityEvents, ProcessEngines } from '@samovar/activityimpl';
import { FakeLeases } from '@samovar/activitytest';
import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { background, withCancel } from '@samovar/context';
import { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { journalModule } from '@samovar/journalimpl/module';
import { ListObservedQuery, ObserveFoldersCommand } from '@samovar/observer';
import { registryModule } from '@samovar/registryimpl';
import { CommitsRecorded, HeadMoved, repoStream, type Uuid } from '@samovar/repos';
import { reposModule } from '@samovar/reposimpl';
import { GitFolder } from '@samovar/repostest/git';
import { BackgroundService, Initializer, Logger } from '@samovar/server';
import { workflowsModule } from '@samovar/workflowsimpl';
import { Container } from 'inversify';
import { expect, it, vi } from 'vitest';
import { observerModule } from './module.ts';

// The promise to users: what git does shows up in the log within two seconds.
const soon = { timeout: 2000, interval: 20 };

it('a commit and a switch of branches become events of the repository', async () => {
  await using folder = await GitFolder.make();
  await using conn = await connect('memory:');
  const path = await folder.init('repo');
  await folder.fill(path, 30);
  const container = new Container();
  const logger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
  container.bind(Logger).toConstantValue(logger);
  container.bind(Conn).toConstantValue(conn);
  container.bind(Bus).toConstantValue(new FakeBus());
  const events = connEntityEvents(conn);
  await using engines = new ProcessEngines({ events, leases: new FakeLeases(), logger });
  container.bind(EntityEvents).toConstantValue(events);
  container.bind(Engines).toConstantValue(engines);
  container.load(
    journalModule,
    reposModule({ archiveDir: folder.path }),
    registryModule,
    workflowsModule,
    observerModule(),
  );
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  using scope = withCancel(background);
  const running = container.getAll(BackgroundService).map((service) => service.run(scope.ctx));

  const bus = container.get(Bus);
  const observed = await bus.dispatch(background, ObserveFoldersCommand, { folders: [folder.path], registry: 'main' });
  expect(observed).toMatchObject({ repos: [{ name: 'repo', path, commits: 30 }], problems: [] });
  const repoId = observed.repos[0]?.repoId as Uuid;
  const last = async (type: string) => {
    for await (const event of conn.read(background, repoStream(repoId), { backwards: true })) {
      if (event.type === type) return event.data.json();
    }
    return undefined;
  };

  await folder.run(path, ['checkout', '-q', '-f', 'main']);
  const hash = await folder.commit(path, { subject: 'Brew' });
  const commits = [expect.objectContaining({ hash, subject: 'Brew' })];
  await vi.waitFor(async () => expect(await last(CommitsRecorded.name)).toMatchObject({ commits }), soon);
  await folder.run(path, ['checkout', '-q', '-b', 'side']);
  const to = { ref: 'refs/heads/side', hash };
  await vi.waitFor(async () => expect(await last(HeadMoved.name)).toMatchObject({ to }), soon);
  expect(await bus.dispatch(background, ListObservedQuery, {})).toMatchObject({ repos: [{ commits: 31, head: to }] });

  scope.cancel();
  await Promise.allSettled(running);
});
