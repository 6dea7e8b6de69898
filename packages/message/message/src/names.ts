export type MessageKind = 'command' | 'query' | 'event';

const shape = /^[a-z][a-z0-9]*\.[A-Z][A-Za-z0-9]*$/;
const suffixes = { command: 'Command', query: 'Query', event: '' } as const;

/** Why `name` cannot name a message of this kind, or undefined if it can. */
export function nameFault(kind: MessageKind, name: string): string | undefined {
  if (!shape.test(name)) return 'is not <domain>.<ExportedName>, such as stickers.SendStickersCommand';
  const suffix = suffixes[kind];
  if (!name.endsWith(suffix)) return `does not end in ${suffix}`;
  const words = name.slice(name.indexOf('.') + 1, name.length - suffix.length).match(/[A-Z][a-z0-9]*/g) ?? [];
  const [first] = words;
  if (first === undefined) return `says nothing before ${suffix}`;
  if (kind === 'command' && !isImperative(first))
    return `is not imperative: '${first}' tells what was or is being done`;
  if (kind === 'event') {
    if (/(Command|Query)$/.test(name)) return 'ends in Command or Query, but is an event';
    if (!words.some(isPast)) return 'is not in the past tense: an event tells what has happened';
  }
  return undefined;
}

// A dictionary of English verbs would be out of proportion: '-ed', '-ing' and these lists decide.
const list = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

const baseFormsInEdOrIng = list(
  `Bleed Breed Bring Cling Embed Exceed Feed Fling Heed Need Ping Proceed Ring Seed Shed Shred Sing Sling Speed Spring
  Sting String Succeed Swing Weed Wed Wring`,
);

const pastLikeBase = list(
  `Become Bet Bid Burst Cast Come Cost Cut Found Hit Hurt Let Overrun Put Quit Read Rerun Reset Run Set Shut Split
  Spread Unset Upset Wound`,
);

const irregularPast = list(
  `Begun Bent Bitten Blown Bought Bound Bred Broken Brought Built Burnt Came Caught Chosen Dealt Done Drawn Driven Drunk
  Eaten Fallen Fed Felt Flown Forbidden Forgiven Forgotten Fought Frozen Given Gone Got Grown Heard Held Hidden Hung Kept
  Known Laid Led Left Lent Lit Lost Made Meant Met Outgrown Overridden Overtaken Overwritten Paid Rebuilt Redone Remade
  Resent Rewritten Ridden Risen Rung Said Seen Sent Shaken Shot Shown Shrunk Slept Slid Sold Spent Spoken Spun Stolen
  Stood Struck Stuck Sung Sunk Swept Sworn Swum Taken Taught Thought Thrown Told Torn Understood Undone Upheld Withdrawn
  Withheld Woken Won Worn Written`,
);

function isPast(word: string): boolean {
  if (irregularPast.has(word) || pastLikeBase.has(word)) return true;
  return word.endsWith('ed') && !baseFormsInEdOrIng.has(word);
}

function isImperative(word: string): boolean {
  return baseFormsInEdOrIng.has(word) || !(irregularPast.has(word) || /(?:ed|ing)$/.test(word));
}
