import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Command, CommandBus, CommandHandler, CqrsModule } from '@nestjs/cqrs';

/** Runs a command through the peer's bus. */
export interface NestCommands extends AsyncDisposable {
  /** One for each registered command. */
  readonly dispatchers: readonly ((id: number) => Promise<number>)[];
}

/** An application of Nest with `count` commands, each handled by a provider of its own. */
export async function nestCommands(count: number): Promise<NestCommands> {
  const commands = Array.from({ length: count }, () => defineCommand());
  class App {}
  Module({ imports: [CqrsModule.forRoot()], providers: commands.map(({ handler }) => handler) })(App);
  const app = await NestFactory.createApplicationContext(App, { logger: false });
  const bus = app.get(CommandBus);
  await app.init();
  return {
    dispatchers: commands.map(
      ({ command: Send }) =>
        (id) =>
          bus.execute(new Send(id)),
    ),
    [Symbol.asyncDispose]: () => app.close(),
  };
}

// Erasable syntax has no decorators: they are functions, and are called as such.
function defineCommand() {
  class SendCommand extends Command<number> {
    readonly id: number;
    constructor(id: number) {
      super();
      this.id = id;
    }
  }
  class SendHandler {
    async execute({ id }: SendCommand): Promise<number> {
      return id + 1;
    }
  }
  CommandHandler(SendCommand)(SendHandler);
  return { command: SendCommand, handler: SendHandler };
}
