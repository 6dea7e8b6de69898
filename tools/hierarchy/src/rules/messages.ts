import { command, event, query } from '@samovar/message';
import { z } from 'zod';
import type { MessageKind } from '../definitions.ts';
import { type Message, messagesOf } from '../messages.ts';
import type { Finding, Rule } from '../rule.ts';

type Fault = Pick<Finding, 'message' | 'mend'>;

/** A rule about single messages of roots. */
function messageRule(
  name: string,
  says: string,
  judge: (message: Message, all: readonly Message[]) => Fault | undefined,
): Rule {
  return {
    name,
    says,
    *check(workspace) {
      const all = messagesOf(workspace);
      for (const message of all) {
        const fault = judge(message, all);
        if (fault !== undefined) yield { path: message.file.path, line: message.line, ...fault };
      }
    },
  };
}

export const messageName = messageRule(
  'message-name',
  'A message is called <domain>.<its const, exported>: commands imperative and …Command, queries …Query, events past tense.',
  ({ kind, name, constant, exported, root }) => {
    const right = `${root.domain}.${constant}`;
    if (name === undefined) {
      const message = `the name of the ${kind} ${constant} is no literal`;
      return { message, mend: `write '${right}', so that it can be searched for` };
    }
    const fault = faultOf(kind, name);
    if (fault !== undefined) return { message: fault, mend: mends[kind] };
    if (name !== right) {
      const message = `the ${kind} ${name} is the const ${constant} of the domain ${root.domain}`;
      return { message, mend: `call it '${right}', or name and place the const as the message says` };
    }
    if (!exported) return { message: `${constant} is not exported`, mend: 'export it: callers send by the definition' };
    return undefined;
  },
);

const mends: Readonly<Record<MessageKind, string>> = {
  command: 'say what to do, such as teapot.BrewTeaCommand',
  query: 'say what is asked, such as teapot.CountCupsQuery',
  event: 'say what has happened, such as teapot.TeaBrewed',
};

/** What the definer itself says against the name. */
function faultOf(kind: MessageKind, name: string): string | undefined {
  const none = z.object({});
  const define = {
    command: () => command(name, none),
    query: () => query(name, none, z.void()),
    event: () => event(name, none),
  };
  try {
    define[kind]();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export const messageUnique = messageRule(
  'message-unique',
  'No two messages of the workspace have one name.',
  (message, all) => {
    const twin = all.find(({ name }) => name !== undefined && name === message.name);
    if (twin === undefined || twin === message) return undefined;

    return { message: `${message.name} is defined in ${twin.file.path} too`, mend: 'rename one of them, or remove it' };
  },
);

export const queryResult = messageRule(
  'query-result',
  'No query has a field `result`: results are returned.',
  ({ kind, constant, fields }) => {
    if (kind !== 'query' || !fields.includes('result')) return undefined;
    return {
      message: `the query ${constant} has a field 'result'`,
      mend: 'make it the third argument of query(): what the handler returns',
    };
  },
);
