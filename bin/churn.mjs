#!/usr/bin/env node
/** `npx churn`: the command line after what is missing has been installed, whichever Node starts it. */
import { fileURLToPath } from 'node:url';

process.argv.splice(2, 0, 'node', fileURLToPath(new URL('./churn.ts', import.meta.url)));
await import('../setup/run.mjs');
