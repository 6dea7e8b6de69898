// Plain JavaScript, so that an older Node gets as far as saying what it lacks.
if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(`verify needs Node 24, and this is ${process.version} (${process.execPath}):
run it as "npx --yes pnpm@12.21.0 verify", which installs a Node of its own; where that has none, install Node 24 first`);
  process.exit(1);
}
await import('./verify.ts');
