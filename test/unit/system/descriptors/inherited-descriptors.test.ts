import { closeSync, openSync, statSync, fstatSync } from 'node:fs';
import t from 'tap';
import {
  closeInheritedDescriptors,
  countDescriptors,
} from '../../../../src/system/descriptors/inherited-descriptors.js';

t.test("this process's own descriptors are counted and left alone", (t) => {
  const before = countDescriptors();
  const fd = openSync('/dev/null', 'r');
  t.equal(countDescriptors(), before === 0 ? 0 : before + 1);
  closeInheritedDescriptors([]);
  t.equal(fstatSync(fd).rdev, statSync('/dev/null').rdev);
  closeSync(fd);
  t.end();
});
