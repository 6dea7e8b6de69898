export { build, close, connectLog } from './build.ts';
export { type Config, loadConfig, type Sources } from './config.ts';
export { type Running, run } from './run.ts';
