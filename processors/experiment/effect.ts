/** What one variant's units come to on one metric. */
export interface Arm {
  readonly units: number;
  readonly mean: number;
  /** Between units; for a share p, p (1 − p). */
  readonly variance: number;
}

export interface Effect {
  readonly value: number;
  readonly standardError: number;
}

/** m_B − m_A, with SE² = v_A / n_A + v_B / n_B. Null while one of the two has no unit. */
export function absoluteEffect(control: Arm, treatment: Arm): Effect | null {
  if (control.units <= 0 || treatment.units <= 0) return null;
  const squared = control.variance / control.units + treatment.variance / treatment.units;
  return { value: treatment.mean - control.mean, standardError: Math.sqrt(squared) };
}

/**
 * (m_B − m_A) / m_A, with SE² = v_B / (n_B m_A²) + v_A m_B² / (n_A m_A⁴) by the delta method. Null while one of the two has no
 * unit, and where the control's mean is not above 0: nothing can be told as a part of it.
 */
export function relativeEffect(control: Arm, treatment: Arm): Effect | null {
  if (control.units <= 0 || treatment.units <= 0 || !(control.mean > 0)) return null;
  const ratio = treatment.mean / control.mean;
  const squared =
    (treatment.variance / treatment.units + (control.variance / control.units) * ratio * ratio) / control.mean ** 2;
  return { value: ratio - 1, standardError: Math.sqrt(squared) };
}
