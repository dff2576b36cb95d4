// After `npm pack`: npm would go by npm-shrinkwrap.json in the checkout, too.

import { rmSync } from 'node:fs';

rmSync('npm-shrinkwrap.json', { force: true });
