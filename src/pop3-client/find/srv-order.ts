// The order in which the targets of SRV records are tried. RFC 2782. Pure.

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/**
 * Orders records by priority, and within one priority by weighted chance: a target's share of first
 * places is its weight's share of the sum; those of weight 0 stand first in the draw, so they win
 * only when the number drawn is 0. RFC 2782 (Weight).
 *
 * @param drawUpTo a random whole number from 0 to the argument, inclusive
 */
export function orderSrvRecords(
  records: readonly SrvRecord[],
  drawUpTo: (sum: number) => number,
): readonly SrvRecord[] {
  const priorities = [...new Set(records.map((record) => record.priority))].sort((a, b) => a - b);
  return priorities.flatMap((priority) =>
    drawAll(
      records.filter((record) => record.priority === priority),
      drawUpTo,
    ),
  );
}

function drawAll(
  records: readonly SrvRecord[],
  drawUpTo: (sum: number) => number,
): readonly SrvRecord[] {
  const remaining = [...records].sort((a, b) => Number(a.weight > 0) - Number(b.weight > 0));
  const ordered: SrvRecord[] = [];
  while (remaining.length > 0) {
    const drawn = drawUpTo(remaining.reduce((sum, record) => sum + record.weight, 0));
    let running = 0;
    const index = remaining.findIndex((record) => (running += record.weight) >= drawn);
    ordered.push(...remaining.splice(Math.max(0, index), 1));
  }
  return ordered;
}
