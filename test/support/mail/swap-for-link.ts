// A program that puts a link in the place of a directory and takes it away again, all the time, until it is killed, as a user might who
// can change the directory above. Arguments: the directory, the link, and a name that is free.

import { renameSync } from 'node:fs';

const [directory = '', link = '', aside = ''] = process.argv.slice(2);
process.stderr.write('swapping\n');
for (;;) {
  renameSync(directory, aside);
  renameSync(link, directory);
  renameSync(directory, link);
  renameSync(aside, directory);
}
