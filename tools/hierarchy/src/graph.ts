import type { MessageKind } from './definitions.ts';
import { domainsOf } from './domains.ts';
import { messagesOf } from './messages.ts';
import type { Workspace } from './workspace.ts';

const shapes: Readonly<Record<MessageKind, readonly [string, string]>> = {
  command: ['[/', '/]'],
  query: ['{{', '}}'],
  event: ['([', '])'],
};

/**
 * The workspace as a Mermaid flowchart: domains with their packages and messages, which domain imports which, and which
 * events are stored on durable streams.
 */
export function domainGraph(workspace: Workspace): string {
  const messages = messagesOf(workspace);
  const domains = domainsOf(workspace);
  const lines = ['flowchart LR'];
  for (const { name, packages } of domains) {
    const own = messages.filter(({ root }) => root.domain === name);
    lines.push(`  subgraph domain_${name} ["${name}"]`);
    for (const { shortName } of packages) lines.push(`    package_${shortName}["${shortName}"]`);
    for (const { kind, constant } of own) {
      const [open, close] = shapes[kind];
      lines.push(`    ${name}_${constant}${open}"${constant}"${close}`);
    }
    const streams = [...new Set(own.flatMap(({ stream }) => stream ?? []))];
    for (const [index, stream] of streams.entries()) lines.push(`    ${name}_stream${index}[("${stream}")]`);
    for (const { constant, stream } of own) {
      if (stream !== undefined) lines.push(`    ${name}_${constant} --> ${name}_stream${streams.indexOf(stream)}`);
    }
    lines.push('  end');
  }
  for (const { name, imports } of domains) {
    for (const below of imports) lines.push(`  domain_${name} -.-> domain_${below}`);
  }
  return lines.join('\n');
}
