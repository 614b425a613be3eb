import { expect, inject, test } from 'vitest';
import { describeWithServices } from '../harness/sandbox.ts';
import { tableOf } from '../soak/measures.ts';
import { soak } from '../soak/soak.ts';

const MINUTES = 2;
const PER_SECOND = 200;

describeWithServices('a process that lives on while another is restarted', () => {
  test('has no more of anything after two minutes of load', { timeout: 240_000 }, async () => {
    const services = inject('kizunaServices');
    if (services === null) throw new Error('there are services here');
    const progress = (line: string): void => void process.stdout.write(`${line}\n`);
    const { judged, looks, restarts } = await soak({ minutes: MINUTES, perSecond: PER_SECOND, services, progress });
    process.stdout.write(`${tableOf(judged)}\n`);
    expect(judged.filter(({ grows }) => grows).map(({ measure }) => measure)).toEqual([]);
    // It was looked at, it was at work, and there was somebody to be restarted.
    expect(looks.length).toBeGreaterThan(60);
    expect(Math.max(...looks.map((look) => look['cached customers']))).toBeGreaterThan(500);
    expect(restarts).toBeGreaterThanOrEqual(3);
  });
});
