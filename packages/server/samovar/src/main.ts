#!/usr/bin/env node
import { samovar } from './cli.ts';

// Whatever a service that was given up still holds must not keep the process.
process.exit(await samovar(process.argv.slice(2)));
