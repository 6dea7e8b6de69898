import type { JsonSchema } from '@samovar/message';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** Query parameters as they were parsed: a repeated one is an array. */
export type Parameters = Readonly<Record<string, string | readonly string[]>>;

/** Brings query parameters into the types that a schema asks for. What does not fit stays as it is, for `parse` to refuse. */
export type ParameterReader = (parameters: Parameters) => unknown;

// Only types are of interest here: what else the schema demands is checked by the message itself, which says it better.
const anyText = Object.assign(() => ({ test: () => true }), { code: '() => ({ test: () => true })' });
const options = {
  coerceTypes: 'array',
  allErrors: true,
  strict: false,
  validateFormats: false,
  logger: false,
} as const;

/**
 * Texts become numbers, booleans and null; one text for a list becomes a list of one; text for a nested struct, and
 * for each struct in a list, is read as JSON.
 */
export function parameterReader(schema: JsonSchema): ParameterReader {
  const coerce = new Ajv2020({ ...options, code: { regExp: anyText } }).compile(schema);
  const fields = properties(schema);
  const read = (value: string | readonly string[], field: JsonSchema | undefined) =>
    field !== undefined && holdsStruct(schema, field)
      ? readStructs(value, typesOf(schema, field).includes('array'))
      : value;
  return (parameters) => {
    const values = Object.entries(parameters).map(([name, value]) => [name, read(value, fields[name])]);
    const struct: unknown = Object.fromEntries(values);
    coerce(struct);
    return struct;
  };
}

/** The schemas of a struct's fields. */
export function properties(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema.properties ?? {}) as Record<string, JsonSchema>;
}

/** Whether a field is a nested struct, or a list of them, and nothing that plain text could be. */
export function holdsStruct(root: JsonSchema, field: JsonSchema): boolean {
  const types = new Set(typesOf(root, field));
  return types.has('object') && !types.has('string');
}

function typesOf(root: JsonSchema, schema: JsonSchema): unknown[] {
  const { $ref, type, items, ...rest } = schema as { $ref?: string; type?: unknown; items?: JsonSchema } & JsonSchema;
  if ($ref !== undefined) return typesOf(root, definition(root, $ref));
  if (type === 'array') return ['array', ...(items === undefined ? [] : typesOf(root, items))];
  const branches = [rest.anyOf, rest.oneOf, rest.allOf].flatMap((list) => (list ?? []) as JsonSchema[]);
  return [type, ...branches.flatMap((branch) => typesOf(root, branch))];
}

function definition(root: JsonSchema, ref: string): JsonSchema {
  if (!ref.startsWith('#/$defs/')) return root;
  return (root.$defs as Record<string, JsonSchema>)[ref.slice('#/$defs/'.length)] ?? {};
}

function readStructs(value: string | readonly string[], isList: boolean): unknown {
  if (typeof value !== 'string') return value.map(readJson);
  return isList ? [readJson(value)] : readJson(value);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
