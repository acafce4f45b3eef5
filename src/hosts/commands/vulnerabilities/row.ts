// SPDX-License-Identifier: Apache-2.0
import type { CommandRow } from '../../command-row.js';

export const VULNERABILITIES: CommandRow = {
  name: 'vulnerabilities',
  usage: 'IMAGE... [--vulnerability-policy FILE]',
  summary: 'show the vulnerabilities of images, and what a policy says about them',
  details: [],
  examples: [],
  takesImages: true,
};
