// SPDX-License-Identifier: Apache-2.0
// How a fault goes through doctor: named for what it is, repaired by its own command, gone afterwards.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Patient, type Told } from './doctor.js';

/** A fault: how it comes about, what doctor is asked, and what it must say. */
export interface Fault {
  /** The finding's code. */
  readonly code: string;
  readonly title?: string;
  /** Plants it, and says what doctor is asked with it. */
  readonly plant: (patient: Patient) => Promise<Planted>;
  /** Doctor's exit code while the fault is there; 0 for a warning. */
  readonly exit: number;
  /** Findings that follow from the same fault, or that it leaves behind; any other fails the test. */
  readonly besides?: readonly string[];
  /** Findings that may be left once it is repaired. */
  readonly after?: readonly string[];
}

/** What a planted fault is asked about. */
export interface Planted {
  readonly args: readonly string[];
  /** Whose policy is enforced, where that is another project. */
  readonly project?: string;
  /** Doctor runs as this identity. */
  readonly as?: string;
  /** What doctor is asked once the repair made something new: the same unless given. */
  readonly argsAfter?: readonly string[];
  /** The command that the user wanted to run. It must end as doctor says, and end well after the repair. */
  readonly wanted?: () => Promise<Told>;
  readonly wantedAfter?: () => Promise<Told>;
  /** Makes of the printed command one that can run here; as it stands unless given. */
  readonly fill?: (fix: string) => string;
}

/** A test for each fault, every one on a set-up of its own. */
export function testFaults(faults: readonly Fault[]): void {
  let patient: Patient;
  beforeEach(async () => {
    patient = await Patient.sound();
  });
  afterEach(async () => {
    expect(patient.emulator.lastErrors).toEqual([]);
    await patient.end();
  });

  it.each(faults.map((fault) => [`${fault.code}${fault.title === undefined ? '' : `: ${fault.title}`}`, fault] as const))(
    '%s',
    async (_title, fault) => {
      const planted = await fault.plant(patient);
      await expectNamed(patient, fault, planted);
      const finding = await expectRepaired(patient, fault, planted);
      expect(finding.fix).not.toContain('undefined');
      if (!planted.wanted) return;
      const wanted = await (planted.wantedAfter ?? planted.wanted)();
      expect([wanted.code, wanted.stderr]).toEqual([0, wanted.stderr]);
    },
    60_000,
  );
}

async function expectNamed(patient: Patient, fault: Fault, { args, as, project, wanted }: Planted): Promise<void> {
  const ended = await patient.doctor(args, as, project);
  const codes = ended.findings.map(({ code }) => code);
  const said = JSON.stringify(ended.findings, undefined, 1) + ended.stderr;
  expect(codes, said).toContain(fault.code);
  expect(
    codes.filter((code) => code !== fault.code && !fault.besides?.includes(code)),
    said,
  ).toEqual([]);
  expect([ended.code, ended.json.ok], said).toEqual([fault.exit, false]);
  if (wanted) expect((await wanted()).code).toBe(fault.exit);
}

async function expectRepaired(patient: Patient, fault: Fault, planted: Planted): Promise<{ readonly fix: string }> {
  const { args, as, project, argsAfter = args, fill = (fix: string) => fix } = planted;
  const { findings } = await patient.doctor(args, as, project);
  // One command for each finding of this code, as printed.
  const fixes = findings.filter(({ code }) => code === fault.code).map(({ fix }) => fix);
  for (const fix of fixes) {
    const pasted = await patient.paste(fill(fix));
    expect([pasted.code, pasted.code === 0 ? '' : `${fill(fix)}\n${pasted.stderr}`]).toEqual([0, '']);
  }
  const after = await patient.doctor(argsAfter, as, project);
  const left = after.findings.filter(({ code }) => !fault.after?.includes(code));
  expect(left).toEqual([]);
  expect(after.code).toBe(0);
  return { fix: fixes.join('\n') };
}
