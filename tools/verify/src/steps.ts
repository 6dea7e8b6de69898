/** One step of `verify`. */
export interface Step {
  readonly name: string;
  /** What it checks, for `--help`. */
  readonly says: string;
  readonly command: readonly [program: string, ...args: string[]];
  /**
   * The script of the packages whose tests this step runs; their results are counted one by one. Without it the step
   * counts as one.
   */
  readonly tests?: string;
  /** The step that this one builds on: it is not run, and fails, when that one failed in the same run. */
  readonly needs?: string;
}

const turbo = (task: string) => ['turbo', 'run', task, '--continue', '--output-logs=errors-only'] as const;

/** Quick ones first. One after another: nearly all of them keep every core busy by themselves. */
export const steps: readonly Step[] = [
  { name: 'format', says: 'formatting, imports and biome rules', command: ['biome', 'ci', '--colors=off'] },
  { name: 'lint', says: 'type-aware lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'unused', says: 'unused files, exports and dependencies', command: ['knip'] },
  { name: 'boundaries', says: 'package tags and undeclared imports', command: ['turbo', 'boundaries'] },
  {
    name: 'hierarchy',
    says: 'the package hierarchy',
    command: ['node', '--conditions=@samovar/source', 'tools/hierarchy/src/main.ts'],
  },
  { name: 'typecheck', says: 'types of every package', command: turbo('typecheck') },
  { name: 'build', says: 'what is published, built', command: turbo('build') },
  { name: 'test', says: 'unit and integration tests of every package', command: turbo('test'), tests: 'test' },
  {
    name: 'consumer',
    says: 'packed packages, and a program that uses them from outside',
    command: turbo('consumer'),
    tests: 'consumer',
    needs: 'build',
  },
];
