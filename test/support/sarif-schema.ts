// SPDX-License-Identifier: Apache-2.0
// Not the official JSON schema, which no installed package ships: the required members, types, enumerations and closed
// member lists of SARIF 2.1.0 (OASIS standard, section 3) for the objects that we write. A member that is not named
// here is a problem, even where the specification knows it.

type Check = (value: unknown, path: string) => readonly string[];

const fail = (path: string, what: string): readonly string[] => [`${path}: ${what}`];
const text: Check = (value, path) => (typeof value === 'string' ? [] : fail(path, 'expected a string'));
const filled: Check = (value, path) => (typeof value === 'string' && value !== '' ? [] : fail(path, 'expected a string that is not empty'));
const flag: Check = (value, path) => (typeof value === 'boolean' ? [] : fail(path, 'expected true or false'));
const atLeast =
  (least: number): Check =>
  (value, path) =>
    Number.isSafeInteger(value) && (value as number) >= least ? [] : fail(path, `expected an integer from ${least}`);
const oneOf =
  (...values: readonly string[]): Check =>
  (value, path) =>
    typeof value === 'string' && values.includes(value) ? [] : fail(path, `expected one of ${values.join(', ')}`);
const list =
  (item: Check, isUnique = false): Check =>
  (value, path) => {
    if (!Array.isArray(value)) return fail(path, 'expected an array');
    const texts = isUnique ? value.map((entry) => JSON.stringify(entry)) : [];
    return [
      ...value.flatMap((entry, index) => item(entry, `${path}[${index}]`)),
      ...(new Set(texts).size < texts.length ? fail(path, 'has an entry twice') : []),
    ];
  };
const mapOf =
  (item: Check): Check =>
  (value, path) =>
    isObject(value) ? Object.entries(value).flatMap(([name, entry]) => item(entry, `${path}.${name}`)) : fail(path, 'expected an object');
const object =
  (required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value, path) => {
    if (!isObject(value)) return fail(path, 'expected an object');
    const known = { ...required, ...optional };
    return [
      ...Object.keys(required).flatMap((name) => (name in value ? [] : fail(path, `lacks ${name}`))),
      ...Object.entries(value).flatMap(([name, entry]) => known[name]?.(entry, `${path}.${name}`) ?? fail(path, `has the unknown ${name}`)),
    ];
  };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 3986: a relative reference of path segments whose every other character is percent-encoded. */
const uri: Check = (value, path) => {
  const segment = /^(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-F]{2})+$/;
  const isFine = typeof value === 'string' && value.split('/').every((part) => segment.test(part) && part !== '..' && part !== '.');
  return isFine ? [] : fail(path, 'expected a relative URI without dot segments');
};

const LEVEL = oneOf('none', 'note', 'warning', 'error');
const message = object({ text: filled });
const location = object(
  {},
  {
    physicalLocation: object({ artifactLocation: object({ uri }, { uriBaseId: filled }), region: object({ startLine: atLeast(1) }) }),
    logicalLocations: list(object({}, { name: text, fullyQualifiedName: text, kind: text }), true),
  },
);
const rule = object(
  { id: filled },
  { shortDescription: message, fullDescription: message, help: message, defaultConfiguration: object({}, { level: LEVEL }) },
);
const result = object(
  { message },
  {
    ruleId: filled,
    ruleIndex: atLeast(0),
    level: LEVEL,
    locations: list(location),
    partialFingerprints: mapOf(text),
    suppressions: list(
      object({ kind: oneOf('inSource', 'external') }, { status: oneOf('accepted', 'underReview', 'rejected'), justification: text }),
    ),
    properties: mapOf(text),
  },
);
const invocation = object({ executionSuccessful: flag }, { toolExecutionNotifications: list(object({ message }, { level: LEVEL })) });
const run = object(
  { tool: object({ driver: object({ name: filled }, { version: filled, rules: list(rule, true) }) }) },
  {
    automationDetails: object({}, { id: filled }),
    columnKind: oneOf('utf16CodeUnits', 'unicodeCodePoints'),
    invocations: list(invocation),
    results: list(result),
  },
);
const log = object({ version: oneOf('2.1.0'), runs: list(run) }, { $schema: filled });

/** What is wrong with a document as SARIF 2.1.0; empty for a valid one. */
export function sarifProblems(document: unknown): readonly string[] {
  return [...log(document, '$'), ...ruleProblems(document)];
}

/** Section 3.27.6: a result's ruleIndex and ruleId mean the same rule. */
function ruleProblems(document: unknown): readonly string[] {
  const { runs } = document as {
    runs?: { tool?: { driver?: { rules?: { id: string }[] } }; results?: { ruleId?: string; ruleIndex?: number }[] }[];
  };
  return (runs ?? []).flatMap((entry) =>
    (entry.results ?? []).flatMap(({ ruleId, ruleIndex }, index) =>
      ruleIndex === undefined || entry.tool?.driver?.rules?.[ruleIndex]?.id === ruleId
        ? []
        : [`results[${index}]: ruleIndex is another rule`],
    ),
  );
}
