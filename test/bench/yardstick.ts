const STEPS = 1_500_000;
const KEYS = 50_000;

/**
 * CPU milliseconds of a fixed piece of work: texts, a map, small buffers. Whatever else runs on the machine makes it dearer,
 * and everything that is measured with it: on one machine, figures with different yardsticks are only comparable in
 * proportion.
 */
export function yardstickMs(): number {
  work(STEPS / 10);
  const before = process.cpuUsage();
  work(STEPS);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function work(steps: number): number {
  const counts = new Map<string, number>();
  let sum = 0;
  for (let step = 0; step < steps; step++) {
    const key = `customer-${(step * 7919) % KEYS}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const bytes = Buffer.allocUnsafe(32);
    bytes.writeUInt32LE(step, 0);
    sum += bytes.readUInt16LE(0) ^ count;
  }
  return sum;
}
