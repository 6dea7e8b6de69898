import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { Repos } from '@samovar/repos';
import { Initializer } from '@samovar/server';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { reposModule } from './module.ts';
import { ReposService } from './service.ts';

it('binds Repos, and has its messages answered on the bus', async () => {
  await using conn = await connect('memory:');
  const bus = new FakeBus();
  const container = new Container();
  container.bind(Bus).toConstantValue(bus);
  container.bind(Conn).toConstantValue(conn);
  container.load(reposModule({ archiveDir: '/archive' }));
  expect(container.get(Repos)).toBeInstanceOf(ReposService);
  expect(container.get(Repos)).toBe(container.get(Repos));
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  const handled = bus.catalogue().map(({ message }) => message.name);
  expect(handled).toEqual([
    'repos.BundleRepoCommand',
    'repos.DiscardBundleCommand',
    'repos.GetRepoQuery',
    'repos.InitRepoCommand',
    'repos.ListCommitsQuery',
    'repos.ListReposQuery',
    'repos.MarkRepoArchivedCommand',
    'repos.PingRepoCommand',
    'repos.ScanRepoCommand',
  ]);
});

it('refuses an archive folder that depends on where the server was started', () => {
  expect(() => reposModule({ archiveDir: 'archive' })).toThrow(/archive is no absolute path/);
});
