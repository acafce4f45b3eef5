// SPDX-License-Identifier: Apache-2.0
// Every command that calls somebody, as one chunk of the bundle.
export { runAttest } from './commands/attest/run.js';
export { runAudit } from './commands/audit/run.js';
export { runCheck } from './commands/check/run.js';
export { runDoctor } from './commands/doctor/run.js';
export { runList } from './commands/list/run.js';
export { runRotate } from './commands/rotate/run.js';
export { runSetup } from './commands/setup/run.js';
export { runVulnerabilities } from './commands/vulnerabilities/run.js';
