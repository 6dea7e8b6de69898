/** The pack in a bundle: what is behind its references, each on a line, and an empty line. */
export async function* packOf(bundle: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of bundle) {
    if (start === undefined) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    const end = start.indexOf('\n\n');
    if (end === -1) continue;
    yield start.subarray(end + 2);
    start = undefined;
  }
}
