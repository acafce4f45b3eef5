// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from './command-row.js';
import { ATTEST } from './commands/attest/row.js';
import { AUDIT } from './commands/audit/row.js';
import { CHECK } from './commands/check/row.js';
import { DEMO } from './commands/demo/row.js';
import { DOCTOR } from './commands/doctor/row.js';
import { EMULATOR } from './commands/emulator/row.js';
import { LIST } from './commands/list/row.js';
import { ROTATE } from './commands/rotate/row.js';
import { SETUP } from './commands/setup/row.js';
import { VULNERABILITIES } from './commands/vulnerabilities/row.js';

/** The commands of this version, in the order of the help. */
export const COMMANDS: readonly CommandRow[] = [ATTEST, CHECK, LIST, VULNERABILITIES, SETUP, AUDIT, ROTATE, DOCTOR, EMULATOR, DEMO];
