import { sharingConformance } from '@samovar/edatest/sharing';
import { opening, temporaryFile } from '../testing.ts';
import { connectSqlite } from './edasqlite.ts';

sharingConformance(async () => {
  const path = temporaryFile();
  return { conn: connectSqlite(path, { logger: null }), opening: opening(path) };
});
