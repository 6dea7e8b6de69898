// The node-* packages publish `os` and `cpu` as strings, which pnpm would otherwise ignore, and then install all of them.
export const hooks = {
  readPackage(manifest) {
    for (const key of ['os', 'cpu']) {
      if (typeof manifest[key] === 'string') manifest[key] = [manifest[key]];
    }
    return manifest;
  },
};
