// SPDX-License-Identifier: Apache-2.0
// Several findings about one policy: their commands, run one after the other as they are printed, all take effect.
import { describe, expect, it } from 'vitest';
import { BLOCK, CLUSTER, Patient, requiring } from '../support/doctor.js';
import { HAS_GCLOUD } from '../support/gcloud.js';
import { PROJECT } from '../support/stage.js';
import { found, titled } from '../support/tools.js';

describe.skipIf(!HAS_GCLOUD || !found('jq'))(titled('several faults of a policy', 'gcloud'), () => {
  it('are repaired one by one, and nothing of it is undone by the next', async () => {
    const patient = await Patient.sound();
    const { attestor, key } = await patient.stage.kmsAttestor('qa');
    await patient.attest(patient.image, patient.withKey(key.version, attestor));
    const other = requiring(patient.attestor);
    await patient.policy({
      globalPolicyEvaluationMode: 'DISABLE',
      admissionWhitelistPatterns: [{ namePattern: 'gcr.io/ours**' }, { namePattern: 'gcr.io/fine/*' }],
      clusterAdmissionRules: {
        [CLUSTER]: { ...requiring(patient.attestor), enforcementMode: 'DRYRUN_AUDIT_LOG_ONLY' },
        'us-east1.other': other,
      },
    });
    const args = [patient.image, '--attestor', patient.attestor, '--attestor', attestor, '--cluster', CLUSTER];
    const { findings } = await patient.doctor(args);
    expect(findings.map(({ code }) => code).toSorted()).toEqual([
      'ALLOWLIST_TOO_BROAD',
      'POLICY_DRY_RUN',
      'POLICY_WITHOUT_ATTESTOR',
      'SYSTEM_POLICY_OFF',
    ]);
    for (const { fix } of findings) expect(await patient.paste(fix)).toMatchObject({ code: 0 });
    expect((await patient.doctor(args)).findings).toEqual([]);
    const policy = await patient.stage.call('GET', `/v1/projects/${PROJECT}/policy`);
    expect(policy).toMatchObject({
      globalPolicyEvaluationMode: 'ENABLE',
      admissionWhitelistPatterns: [{ namePattern: 'gcr.io/ours/**' }, { namePattern: 'gcr.io/fine/*' }],
      clusterAdmissionRules: { [CLUSTER]: { ...requiring(patient.attestor, attestor), enforcementMode: BLOCK }, 'us-east1.other': other },
      defaultAdmissionRule: requiring(patient.attestor),
    });
    await patient.end();
  }, 60_000);

  it('import nothing where the policy could not be read, or somebody else changed it meanwhile', async () => {
    const patient = await Patient.sound();
    await patient.policy({ globalPolicyEvaluationMode: 'DISABLE' });
    const [finding] = (await patient.doctor([])).findings;
    expect(finding!.code).toBe('SYSTEM_POLICY_OFF');
    const refused = { path: '/policy$', method: '^GET$', times: 1, do: 'status', status: 403, body: {} };
    await patient.stage.call('POST', '/_emulator/faults', { rules: [refused] });
    expect((await patient.paste(finding!.fix)).code).not.toBe(0);
    const writes = async () => (await patient.stage.requests()).filter((call) => call.startsWith('PUT') && call.includes('/policy')).length;
    const before = await writes();
    const meanwhile = finding!.fix.replace(
      ' \\\n  && jq ',
      ` && curl -sS -X PUT -d '${JSON.stringify({ defaultAdmissionRule: requiring(patient.attestor), description: 'theirs' })}' ${patient.emulator.url}/v1/projects/${PROJECT}/policy > /dev/null && jq `,
    );
    const late = await patient.paste(meanwhile);
    expect([late.code === 0, late.stderr]).toEqual([false, expect.stringContaining('conflict')]);
    expect(await writes()).toBe(before + 2);
    expect(await patient.stage.call('GET', `/v1/projects/${PROJECT}/policy`)).toMatchObject({ description: 'theirs' });
    await patient.end();
  }, 60_000);
});
