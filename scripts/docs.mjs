// SPDX-License-Identifier: Apache-2.0
// Writes what documents repeat of the code: the option table and the exit codes into README.md, all options into
// docs/OPTIONS.md, the error codes into docs/ERRORS.md. `--check` changes nothing and fails where a document is not what the code says.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The exports of a TypeScript module of src. */
async function load(path) {
  const folder = mkdtempSync(join(tmpdir(), 'binauthz-docs-'));
  try {
    const bundle = await rolldown({ input: join(root, 'src', path), platform: 'node', logLevel: 'silent' });
    const file = join(folder, 'module.mjs');
    await bundle.write({ file, format: 'esm' });
    await bundle.close();
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const cell = (text) => text.replaceAll('|', '\\|');

/** The commands of everyday use, whose options the README has; docs/OPTIONS.md has those of all. */
const EVERYDAY = ['attest', 'check'];

function optionTable({ OPTIONS, nameOn }, shown = () => true) {
  const every = OPTIONS.find(({ name }) => name === 'output').commands;
  const listed = OPTIONS.filter(({ name, commands }) => !['help', 'version'].includes(name) && shown(commands));
  const rows = listed.map((option) => {
    const flag = option.hosts.includes('cli') ? `\`--${nameOn(option, 'cli')}\`` : '–';
    const input = option.hosts.includes('action') ? `\`${nameOn(option, 'action')}\`` : '–';
    const where = option.commands.length === every.length ? 'all' : option.commands.join(', ');
    return `| ${flag} | ${input} | ${where} | ${option.default === undefined ? '' : `\`${option.default}\``} | ${cell(option.help)} |`;
  });
  return ['| CLI | Action | command | default | |', '|---|---|---|---|---|', ...rows].join('\n');
}

function optionsPage(options) {
  return [
    '# Options',
    '',
    'Every option of every command: as a flag of the command line and as an input of the Actions. The orb’s parameters are the same',
    'words in snake_case. `binauthz help COMMAND` shows those of one command. This page is written by `npm run docs` from the option',
    'table in `src/hosts/options.ts`.',
    '',
    optionTable(options),
    '',
  ].join('\n');
}

function exitCodeTable({ EXIT_CODES }) {
  return ['| code | meaning |', '|---|---|', ...EXIT_CODES.map(({ code, meaning }) => `| ${code} | ${cell(meaning)} |`)].join('\n');
}

function errorsPage({ ERROR_CODES }, { REASON_CODES }, { REJECTION_CODES }, { VULNERABILITY_REASON_CODES }, { FINDINGS }) {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { exit, meaning, fix }]) => `| \`${code}\` | ${exit} | ${cell(meaning)} | ${cell(fix)} |`,
  );
  return [
    '# Errors',
    '',
    'Every failure of binauthz carries one of these codes, in its line, in the JSON result and in the Action’s annotations. The',
    'list is closed: codes are added, never renamed. This page is written by `npm run docs` from `src/core/error-codes.ts`.',
    '',
    '| code | exit | what it means | what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
    '# Reasons of a check',
    '',
    'Each verdict of `check` comes with reasons. Their codes are a closed list too, and the rule ids of the SARIF report; this',
    'part is written from `src/core/policy/verdict.ts`.',
    '',
    '| code | what it means |',
    '|---|---|',
    ...Object.entries(REASON_CODES).map(([code, meaning]) => `| \`${code}\` | ${cell(meaning)} |`),
    '',
    '# Reasons against an attestation',
    '',
    'Why an attestation that was found does not count: the `reason` in the result of `list`; written from',
    '`src/core/attestation/verify.ts`. `doctor` tells them apart further, each with its repair.',
    '',
    '| code | what it means |',
    '|---|---|',
    ...Object.entries(REJECTION_CODES).map(([code, meaning]) => `| \`${code}\` | ${cell(meaning)} |`),
    '',
    '# Reasons of the vulnerability gate',
    '',
    'Why an image is denied, or why its scan proves nothing; written from `src/core/vulnerabilities/scan-reasons.ts`. The gate is',
    'explained in [the guide](guides/vulnerability-policy.md).',
    '',
    '| code | what it means |',
    '|---|---|',
    ...Object.entries(VULNERABILITY_REASON_CODES).map(([code, meaning]) => `| \`${code}\` | ${cell(meaning)} |`),
    '',
    '# Findings of doctor',
    '',
    'What `doctor` names, and the error with which `attest` or `check` ends because of it: none where it is only a warning to',
    'that command. The list is closed; written from `src/core/doctor/findings.ts`, explained in [the guide](guides/doctor.md).',
    '',
    '| code | what it means | attest | check |',
    '|---|---|---|---|',
    ...Object.entries(FINDINGS).map(
      ([code, { meaning, attest, check }]) => `| \`${code}\` | ${cell(meaning)} | ${errorCell(attest)} | ${errorCell(check)} |`,
    ),
    '',
  ].join('\n');
}

function errorCell(code) {
  return code === undefined ? '' : `\`${code}\``;
}

function fill(text, name, content) {
  const pattern = new RegExp(`(<!-- ${name}:begin[^>]*-->\\n)[\\s\\S]*?(<!-- ${name}:end -->)`);
  if (!pattern.test(text)) throw new Error(`README.md has no place for ${name}`);
  return text.replace(pattern, (_match, begin, end) => `${begin}${content}\n${end}`);
}

const options = await load('hosts/options.ts');
const errors = await load('core/error-codes.ts');
const reasons = await load('core/policy/verdict.ts');
const rejections = await load('core/attestation/verify.ts');
const doubts = await load('core/vulnerabilities/scan-reasons.ts');
const findings = await load('core/doctor/findings.ts');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const documents = {
  'README.md': fill(
    fill(
      readme,
      'options',
      optionTable(options, (commands) => commands.some((command) => EVERYDAY.includes(command))),
    ),
    'exit-codes',
    exitCodeTable(errors),
  ),
  'docs/OPTIONS.md': optionsPage(options),
  'docs/ERRORS.md': errorsPage(errors, reasons, rejections, doubts, findings),
};

const isCheck = process.argv.includes('--check');
const stale = Object.entries(documents).filter(([path, text]) => {
  try {
    return readFileSync(join(root, path), 'utf8') !== text;
  } catch {
    return true;
  }
});
if (!isCheck) for (const [path, text] of stale) writeFileSync(join(root, path), text);
if (isCheck && stale.length > 0) {
  process.stderr.write(`${stale.map(([path]) => path).join(', ')}: not what the code says; run npm run docs and commit\n`);
  process.exit(1);
}
