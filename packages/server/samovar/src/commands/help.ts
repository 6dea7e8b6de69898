export const settingsHelp = `
Each option may also be given as an environment variable (--log-level: SAMOVAR_LOG_LEVEL; lists are comma-separated) or
in the configuration file (logLevel), a JSON object. Options come before variables, variables before the file.
`;

export const exitHelp = `
Exit code: 0 after a clean end, 2 if what was asked for cannot be (options, configuration, folders, or migrations that
were changed or are pending), 1 otherwise.`;

export const dataHelp = 'where to keep the event log, and the database unless that is elsewhere (default: .samovar)';
export const databaseHelp =
  'the services’ database: sqlite:<file> or postgres://user:password@host/name (default: sqlite:<data>/samovar.db); a ' +
  'password is better kept in SAMOVAR_DATABASE, as other users of the machine can see options';
export const logLevelHelp = 'debug, info, warn, error or silent; logs go to standard error (default: info)';
export const configHelp = 'configuration file (default: samovar.config.json, if there is one)';
