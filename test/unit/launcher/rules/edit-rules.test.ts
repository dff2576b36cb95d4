import t from 'tap';
import { formatTarget } from '../../../../src/launcher/rules/access-rules.js';
import { deleteRule, listRules, setRule } from '../../../../src/launcher/rules/edit-rules.js';

const text = '# mail\n127.0.0.1/8   2  # us\r\n\ndefault 1';

t.test('a new level takes the place of the old one; comment and spacing stay', (t) => {
  t.equal(setRule(text, '127.0.0.0/8', 30), '# mail\n127.0.0.1/8   30  # us\r\n\ndefault 1');
  t.equal(setRule(text, 'default', 0), '# mail\n127.0.0.1/8   2  # us\r\n\ndefault 0');
  t.end();
});

t.test('a new rule goes to the end', (t) => {
  t.equal(setRule(text, '::1/128', 2), `${text}\n::1/128 2\n`);
  t.equal(setRule('', '::1/128', 2), '::1/128 2\n');
  t.equal(setRule('default 1\n', '::1/128', 2), 'default 1\n::1/128 2\n');
  t.end();
});

t.test('a deleted rule takes its line with it and nothing else', (t) => {
  t.equal(deleteRule(text, '127.0.0.0/8'), '# mail\n\ndefault 1');
  t.equal(deleteRule('default 1\n', 'default'), '');
  t.equal(deleteRule(text, '127.0.0.0/9'), null);
  t.end();
});

t.test('rules are listed in the order of their lines', (t) => {
  t.same(
    listRules(text).map(({ target, level }) => [formatTarget(target), level]),
    [
      ['127.0.0.0/8', 2],
      ['default', 1],
    ],
  );
  t.end();
});
