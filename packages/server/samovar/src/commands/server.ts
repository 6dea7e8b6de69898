import type { Command } from 'commander';
import { serverVariable } from '../config.ts';
import { RemoteServer } from '../remote.ts';

const defaultServer = 'http://127.0.0.1:7420';

/** What all verbs take that ask a running server. */
export interface ServerFlags {
  readonly server?: string;
}

export function addServer(command: Command): Command {
  return command.option(
    '--server <url>',
    `the running server, as it has told its address; also ${serverVariable} (default: ${defaultServer})`,
  );
}

export function serverOf({ server = process.env[serverVariable] || defaultServer }: ServerFlags): RemoteServer {
  return new RemoteServer(server);
}
