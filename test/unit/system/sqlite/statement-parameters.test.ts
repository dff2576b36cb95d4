import t from 'tap';
import { parametersIn } from '../../../../src/system/sqlite/statement-parameters.js';

const cases: readonly (readonly [sql: string, ...parameters: string[]])[] = [
  ['SELECT 1'],
  ['SELECT :user, @domain, $address', ':user', '@domain', '$address'],
  ['SELECT ?, ?2, ?', '?', '?2', '?'],
  ["SELECT ':no', 'it''s :no', x'00' WHERE a = :yes", ':yes'],
  ['SELECT ":no", `:no`, [:no], a$no, é$no FROM "a"":no"'],
  ['SELECT -- :no\n:yes /* :no\n */ , /* :no', ':yes'],
  ['SELECT a-:b,:c::d', ':b', ':c', ':d'],
];

for (const [sql, ...parameters] of cases) {
  t.test(`parameters of ${JSON.stringify(sql)}`, (t) => {
    t.strictSame(parametersIn(sql), parameters);
    t.end();
  });
}
