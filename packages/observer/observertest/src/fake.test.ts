import { observerContract } from './contract.ts';
import { FakeObserver } from './fake.ts';

observerContract('FakeObserver', async () => {
  const observer = new FakeObserver();
  const root = '/folder';
  observer.addFolder(root);
  return {
    observer,
    root,
    addFolder: async (path) => observer.addFolder(path),
    addRepository: async (path, commits) => observer.addRepository(path, commits),
    failWith: async (path, fault) => observer.failWith(path, fault),
    [Symbol.asyncDispose]: async () => {},
  };
});
