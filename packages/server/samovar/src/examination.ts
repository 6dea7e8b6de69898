import { type AnyCall, type AnyEvent, Bus } from '@samovar/bus';
import { background } from '@samovar/context';
import { MigratingInitializer } from '@samovar/dbimpl';
import { Consumer } from '@samovar/eda';
import { Check, type Finding, Initializer } from '@samovar/server';
import type { Container } from 'inversify';
import type { Roots } from './roots.ts';

/** What one check has found. */
export interface Diagnosis {
  readonly check: string;
  readonly findings: readonly Finding[];
}

/**
 * What is wrong with what was put together, by its tokens, its initialisation, its messages and its checks, in this
 * order. `migrate`: the database is nobody's yet, and so to be migrated. Nothing is started.
 */
export async function examine(container: Container, roots: Roots, migrate: boolean): Promise<readonly Diagnosis[]> {
  const tokens = { check: 'tokens', findings: findUnresolved(container, roots) };
  // What cannot be made cannot be asked either.
  if (tokens.findings.length > 0) return [tokens];
  const start = { check: 'initialisation', findings: await findUninitialised(container, migrate) };
  const messages = { check: 'messages', findings: findUnheard(container, roots) };
  const diagnoses: Diagnosis[] = [tokens, start, messages];
  for (const check of container.getAll(Check)) {
    // What migrations are to make cannot be looked at before: that is no fault of its own.
    const isUnmigrated = diagnoses.some((each) => each.check === 'database' && each.findings.length > 0);
    diagnoses.push({ check: check.name, findings: await look(check, isUnmigrated ? 'warning' : 'error') });
  }
  return diagnoses;
}

function findUnresolved(container: Container, { classes }: Roots): Finding[] {
  const findings: Finding[] = [];
  for (const [name, token] of classes) {
    if (!container.isBound(token)) continue;
    try {
      container.getAll(token);
    } catch (error) {
      const message = `${name} cannot be had: ${firstLine(error)}`;
      findings.push({ severity: 'error', message, mend: 'is every module that it needs in modules.ts?' });
    }
  }
  return findings;
}

async function findUninitialised(container: Container, migrate: boolean): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const initializer of container.getAll(Initializer)) {
    if (initializer instanceof MigratingInitializer && !migrate) continue;
    try {
      await initializer.init();
    } catch (error) {
      const message = `${initializer.constructor.name} cannot be initialised: ${firstLine(error)}`;
      findings.push({ severity: 'error', message, mend: 'no server starts before this is mended' });
    }
  }
  return findings;
}

function findUnheard(container: Container, { messages }: Roots): Finding[] {
  const heard = new Set<unknown>(
    container
      .get(Bus)
      .catalogue()
      .map(({ message }) => message),
  );
  const consumers = container.isBound(Consumer) ? container.getAll(Consumer) : [];
  for (const { events } of consumers)
    for (const event of events === 'all' ? messages.filter(isEvent) : events) heard.add(event);
  const unheard = messages.filter((message) => !heard.has(message));
  const findings = unheard.filter((message) => !isEvent(message)).map(unhandled);
  const events = unheard.filter(isEvent).map(({ name }) => name);
  if (events.length === 0) return findings;
  const message = `nobody listens to, or consumes, ${events.join(', ')}`;
  return [...findings, { severity: 'note', message, mend: 'nothing, if that is meant' }];
}

function isEvent({ kind }: AnyCall | AnyEvent): boolean {
  return kind === 'event';
}

function unhandled({ name }: AnyCall | AnyEvent): Finding {
  const domain = name.slice(0, name.indexOf('.'));
  const mend = `is ${domain}Module in modules.ts, and does its init() add the handler?`;
  return { severity: 'error', message: `nobody handles ${name}`, mend };
}

async function look(check: Check, severity: Finding['severity']): Promise<readonly Finding[]> {
  try {
    return await check.check(background);
  } catch (error) {
    return [{ severity, message: `cannot look: ${firstLine(error)}`, mend: 'mend what the message says' }];
  }
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? '';
}
