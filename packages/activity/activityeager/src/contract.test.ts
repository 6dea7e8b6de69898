import { engineContract } from '@samovar/activitytest/contract';
import { EagerEngine } from './activityeager.ts';

engineContract('EagerEngine', (options) => new EagerEngine(options), { watches: true });
