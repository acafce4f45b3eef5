// SPDX-License-Identifier: Apache-2.0
// Runs main.ts, and whatever it imports, without a build: types are stripped as it is loaded.
import * as module from 'node:module';
import * as hooks from './typescript-loader.mjs';

// Hooks in a thread of their own, which is all that older versions have, slow down each `await import()` of the product.
if (module.registerHooks) module.registerHooks(hooks);
else module.register('./typescript-loader.mjs', import.meta.url);
const { main } = await import('./main.ts');
process.exit(await main(process.argv.slice(2), { say: (line) => process.stdout.write(`${line}\n`) }));
