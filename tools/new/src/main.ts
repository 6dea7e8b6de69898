import { resolve } from 'node:path';
import { runCli } from './cli.ts';

const root = resolve(import.meta.dirname, '../../..');

const controller = new AbortController();
const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(name, () => controller.abort(codes[name]));

const args = process.argv.slice(2);
const code = await runCli(args[0] === '--' ? args.slice(1) : args, { root, signal: controller.signal });
process.exitCode = code !== 0 && controller.signal.aborted ? (controller.signal.reason as number) : code;
