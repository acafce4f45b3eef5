// SPDX-License-Identifier: Apache-2.0
// The one entry of the bundle. It loads the host that the stub names and nothing else.

/** Runs a host: what the stubs in dist/ call. `verb` is the command of an Action. */
export async function run(host: 'action' | 'check' | 'audit' | 'cli', verb?: string): Promise<void> {
  if (host === 'cli') {
    const { runProcess } = await import('./cli/main.js');
    return runProcess();
  }
  const { runAction } = await import('./action/main.js');
  return runAction(verb ?? (host === 'action' ? 'attest' : host));
}
